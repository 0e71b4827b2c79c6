"""`python -m review`, as a person calls it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from review_runs import made, write_review_run
from typer.testing import CliRunner

from flex.files import write_text
from flex.graph import Graph
from flex.problems import InputError
from review.__main__ import app
from review.bench import bench

ROOT = Path(__file__).resolve().parents[2]


def call(folder: Path, *words: str) -> str:
    args = [*words] if words[0] == "bench" else [*words, "--store", str(folder / "review.db")]
    done = CliRunner().invoke(app, args, catch_exceptions=True)
    if isinstance(done.exception, InputError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def folder(graph: Graph, tmp_path: Path) -> Path:
    run = write_review_run(tmp_path / "run", graph, made(graph, 3))
    said = call(tmp_path, "load", str(run), "--set", "voices=1", "--set", "gold_share=0")
    assert said.startswith("3 new, 0 as before")
    call(tmp_path, "people", "ana")
    assert call(tmp_path, "people", "rita", "--role", "second") == "ana: first\nrita: second\n"
    assert call(tmp_path, "people", "rita") == "ana: first\nrita: second\n"
    return tmp_path


def seen_in(text: str) -> tuple[str, str]:
    found = re.search(r"decide \w+ (\S+) accept --seen (\S+)", text)
    assert found is not None, text
    return found[1], found[2]


def test_a_review_in_a_terminal(folder: Path) -> None:
    shown = call(folder, "next", "ana")
    clip, seen = seen_in(shown)
    assert "Labelled errors" in shown
    evaluation = shown.split("Evaluation\n  ")[1].split("\n")[0]
    edited = f"{evaluation} Keep it up next time!"
    said = call(folder, "decide", "ana", clip, "edit", "--seen", seen, "--text", edited)
    assert said == f"{clip}: edit, as decision 1; now accepted with an edit\n"

    shown = call(folder, "next", "rita")
    assert "Evaluation, edited by the first stage" in shown
    assert "ana: edit" in shown
    assert seen_in(shown)[0] == clip
    said = call(folder, "decide", "rita", clip, "accept", "--seen", seen_in(shown)[1])
    assert "now accepted with an edit" in said
    assert call(folder, "next", "rita") == "Nothing is left for you at this moment.\n"

    assert call(folder, "undo", "rita") == f"{clip}: accept taken back\n"
    call(folder, "undo", "ana")
    with pytest.raises(InputError, match="has changed since you saw it"):
        call(folder, "decide", "rita", clip, "accept", "--seen", seen_in(shown)[1])
    assert call(folder, "undo", "rita") == "nothing to take back\n"
    assert "put aside" in call(folder, "skip", "ana", clip)
    assert seen_in(call(folder, "next", "ana"))[0] != clip


def test_an_edit_that_fails_the_check_needs_a_word(folder: Path) -> None:
    clip, seen = seen_in(call(folder, "next", "ana"))
    words = ("decide", "ana", clip, "edit", "--seen", seen, "--text", "All 17 were fine.")
    with pytest.raises(InputError, match="the edit fails the fact check"):
        call(folder, *words)
    assert "edit" in call(folder, *words, "--failing")
    with pytest.raises(InputError, match="the dialogue has changed"):
        call(folder, "decide", "ana", clip, "reject", "--seen", "old", "--reason", "x")
    with pytest.raises(InputError, match="does not go together"):
        call(folder, *words, "--no-errors", "--error", "AK01:ET001")


def test_figures_and_files(folder: Path) -> None:
    gold = folder / "gold.jsonl"
    write_text(gold, '{"clip": "A01/001", "verdict": "accept"}\n')
    assert call(folder, "gold", str(gold)) == "1 items are gold\n"
    for name in ("ana", "rita"):
        while "Nothing is left" not in (shown := call(folder, "next", name)):
            clip, seen = seen_in(shown)
            call(folder, "decide", name, clip, "accept", "--seen", seen)
    progress = json.loads(call(folder, "progress", "--json"))
    assert progress["states"]["accepted"] == 3
    assert progress["stages"]["first"]["left"] == 0
    assert "1 of 1" in call(folder, "progress")
    report = json.loads(call(folder, "agreement", "--json"))
    assert set(report["stages"]) == {"first", "second"}
    assert report["stages"]["first"]["alpha"]["overall"]["alpha"] is None
    assert "not defined" in call(folder, "agreement", "--by", "hundred")
    out, tasks = str(folder / "out"), str(folder / "tasks.json")
    assert "3 dialogues, 0 flagged: 3 accepted" in call(folder, "export", "--out", out)
    assert "3 tasks" in call(folder, "label-studio", "to", tasks)
    assert "0 new decisions, 6 known" in call(folder, "label-studio", "from", tasks)
    with pytest.raises(InputError, match="expected USER=NAME"):
        call(folder, "label-studio", "from", tasks, "--person", "1")
    write_text(folder / "said.jsonl", '{"clip": "A01/001", "verdict": "wrong"}\n')
    assert "1 new" in call(folder, "feedback", str(folder / "said.jsonl"))


def test_loading_again_keeps_the_rules_that_are_not_given(folder: Path) -> None:
    said = call(folder, "load", str(folder / "run"), "--set", "lease_s=5")
    assert said.startswith("0 new, 3 as before")
    call(folder, "decide", "ana", *seen_of(folder))
    assert "Nothing" not in call(folder, "next", "rita")
    with pytest.raises(InputError, match="did you mean voices"):
        call(folder, "load", str(folder / "run"), "--set", "voice=1")


def seen_of(folder: Path) -> tuple[str, str, str, str]:
    clip, seen = seen_in(call(folder, "next", "ana"))
    return clip, "accept", "--seen", seen


def test_bench_measures(graph: Graph, tmp_path: Path) -> None:
    found = bench(tmp_path, graph, clips=60, steps=12, behind=5)
    assert [one.name for one in found][:2] == ["next item", "decide"]
    assert all(0 < one.median_ms <= one.p95_ms <= one.worst_ms for one in found)


def test_help_starts_without_heavy_imports() -> None:
    script = (
        "import runpy, sys; sys.argv = ['review', '--help']\n"
        "try: runpy.run_module('review', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'gradio', 'numpy', 'pandas', 'datasets', 'numba'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert "heavy: []" in done.stdout
