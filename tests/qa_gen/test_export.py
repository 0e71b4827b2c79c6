"""An export appears as a whole or not at all, is the same each time, and holds no bad dialogue."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from small_run import RunWriter, lifts
from typer.testing import CliRunner

from flex.graph import Graph
from flex.problems import InputError
from qa_gen import export as export_module
from qa_gen.__main__ import app
from qa_gen.dialogue import Review
from qa_gen.export import export
from qa_gen.export_folder import replaced_folder


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def clips(out: Path) -> set[str]:
    return {
        task["data"]["clip"] for task in json.loads((out / "label-studio/tasks.json").read_text())
    }


def test_summary_counts_splits_and_what_was_left_out(
    graph: Graph, small_run: Path, small_export: Path, tmp_path: Path
) -> None:
    summary = export(small_run, tmp_path / "out", graph)
    assert summary.splits == {"train": 4, "validation": 1, "test": 2}
    assert summary.left_out == {"failed the fact check": 2, "rejected by reviewers": 1}
    assert summary.dialogues == 7
    assert set(summary.files) == set(digest(small_export))


def test_flagged_and_rejected_dialogues_are_in_no_file(small_export: Path) -> None:
    for path in small_export.rglob("*.json*"):
        assert "A01/09" not in path.read_text()
    assert len(clips(small_export)) == 7


def test_same_run_gives_the_same_bytes(graph: Graph, small_run: Path, small_export: Path) -> None:
    before = digest(small_export)
    export(small_run, small_export, graph)
    assert digest(small_export) == before


def test_a_failed_export_leaves_the_old_one(
    graph: Graph, make_run: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    out = run / "export"
    export(run, out, graph)
    before = digest(out)

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_module, "write_card", full_disk)
    with pytest.raises(OSError, match="No space left"):
        export(run, out, graph)
    assert digest(out) == before
    assert not list(run.glob(".export.new*"))


def test_a_bad_line_in_the_middle_leaves_the_old_export(graph: Graph, make_run: RunWriter) -> None:
    run = make_run()
    out = run / "export"
    export(run, out, graph)
    before = digest(out)
    with (run / "dialogues.jsonl").open("a") as stream:
        stream.write('{"clip": "A01/0')
    with pytest.raises(InputError, match=r"dialogues\.jsonl:8"):
        export(run, out, graph)
    assert digest(out) == before


def test_a_run_killed_between_the_renames_is_mended(graph: Graph, make_run: RunWriter) -> None:
    run = make_run()
    out = run / "export"
    export(run, out, graph)
    before = digest(out)
    os.rename(out, run / ".export.old")
    (run / ".export.new").mkdir()
    with pytest.raises(KeyboardInterrupt), replaced_folder(out, marker="croissant.json"):
        raise KeyboardInterrupt
    assert digest(out) == before


def test_a_folder_with_other_files_is_never_replaced(
    graph: Graph, make_run: RunWriter, tmp_path: Path
) -> None:
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter.tex").write_text("years of work")
    with pytest.raises(InputError, match="not an export"):
        export(make_run(), mine, graph)
    assert (mine / "chapter.tex").read_text() == "years of work"


def test_two_exports_at_once_are_refused(graph: Graph, make_run: RunWriter) -> None:
    run = make_run()
    with (
        replaced_folder(run / "export", marker="croissant.json"),
        pytest.raises(InputError, match="another export"),
    ):
        export(run, run / "export", graph)


def test_another_graph_is_refused(graph: Graph, make_run: RunWriter, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="knowledge graph 0123"):
        export(make_run(None, graph="0123"), tmp_path / "out", graph)


def test_nothing_to_export_is_an_error(graph: Graph, make_run: RunWriter, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no dialogue can be exported"):
        export(make_run([]), tmp_path / "out", graph)
    assert not (tmp_path / "out").exists()


def test_edited_text_is_checked_again(graph: Graph, make_run: RunWriter, tmp_path: Path) -> None:
    good, other = lifts(graph)[3:5]
    review = Review(state="edited", reviewers=("ana",))
    turns = list(other.turns)
    turns[2] = turns[2].model_copy(
        update={"answer": "As you pressed the bar, your knees drove it up.", "sentences": ()}
    )
    broken = other.model_copy(update={"review": review, "turns": tuple(turns)})
    kept = good.model_copy(update={"review": review})
    run = make_run([kept, broken])
    summary = export(run, tmp_path / "out", graph)
    assert clips(tmp_path / "out") == {good.clip}
    assert summary.left_out == {"edited, and failed the fact check": 1}


def test_a_split_without_dialogues_has_no_files(
    graph: Graph, make_run: RunWriter, tmp_path: Path
) -> None:
    summary = export(make_run(lifts(graph)[:3]), tmp_path / "out", graph)
    assert summary.splits == {"train": 3}
    assert not [name for name in summary.files if "test" in name or "validation" in name]


def test_the_command_exports_into_the_run(
    graph: Graph, make_run: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, Path, Graph]] = []
    monkeypatch.setattr(export_module, "export", lambda *given: asked.append(given))
    run = make_run()
    assert CliRunner().invoke(app, ["export", str(run)]).exit_code == 0
    assert asked == [(run, run / "export", graph)]
