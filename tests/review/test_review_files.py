"""The way back into the data set, to and from Label Studio, and the chat's feedback."""

import json
from pathlib import Path
from typing import Any

import pytest
from review_runs import FINDING, FIRST, made, open_review, say

from flex.agreement import agreement
from flex.files import read_jsonl, write_text
from flex.graph import Graph
from flex.problems import InputError
from flex.votes import read_votes
from qa_gen.export import export
from qa_gen.export_label_studio import task_of
from qa_gen.runs import read_dialogues, read_run
from review.export import export_review
from review.feedback import feedback_on, import_feedback
from review.label_studio import write_tasks
from review.label_studio_import import read_annotations
from review.load import load
from review.people import add_person
from review.records import get_item
from review.recount import standing_decisions
from review.store import Store


def passing_edit(store: Store, clip: str) -> str:
    return get_item(store, clip).evaluation + " Keep it up next time!"


def decided(graph: Graph, folder: Path) -> Store:
    """Six good dialogues and a flagged one: accepted, edited, badly edited, rejected, split."""
    rows = made(graph, 7)
    flagged = rows[6].model_copy(update={"findings": (FINDING,)})
    store = open_review(folder, graph, rows[:6], [flagged])
    say(store, "ana", "A01/001", "accept")
    say(store, "ana", "A02/001", "edit", text=passing_edit(store, "A02/001"))
    say(store, "ana", "A03/001", "edit", text="Your grip was wrong in 17 ways.")
    say(store, "ana", "A04/001", "reject", reason="another exercise")
    say(store, "ana", "A05/001", "accept")
    say(store, "ben", "A05/001", "reject", reason="unclear", occurrences=[])
    say(store, "ana", "A07/001", "edit", text=passing_edit(store, "A07/001"))
    return store


def test_export_is_a_run_that_holds_the_review(graph: Graph, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with decided(graph, tmp_path / "review") as store:
        done = export_review(store, out, graph)
        edited = passing_edit(store, "A02/001")
    assert (done.dialogues, done.flagged, done.edits_failed, done.few_voices) == (6, 1, 1, 5)
    assert read_run(out).dialogues == 6
    good = {dialogue.clip: dialogue for dialogue in read_dialogues(out)}
    states = {clip: dialogue.review.state for clip, dialogue in good.items()}
    assert states == {
        "A01/001": "accepted",
        "A02/001": "edited",
        "A04/001": "rejected",
        "A05/001": "unreviewed",
        "A06/001": "unreviewed",
        "A07/001": "edited",
    }
    assert good["A02/001"].turn("evaluate").answer == edited
    assert good["A02/001"].turn("evaluate").sentences == ()
    assert good["A07/001"].findings == ()
    assert good["A04/001"].review.note == "another exercise"
    assert good["A05/001"].review.note == "The reviewers are split."
    assert good["A05/001"].review.reviewers == ("ana", "ben")
    assert good["A06/001"] == made(graph, 6)[5]
    (failed,) = read_dialogues(out, flagged=True)
    assert (failed.clip, failed.review.state) == ("A03/001", "edited")
    assert failed.findings
    summary = export(out, tmp_path / "data", graph)
    assert summary.dialogues == 5
    assert summary.left_out == {"failed the fact check": 1, "rejected by reviewers": 1}


def test_votes_are_what_the_data_commands_read(graph: Graph, tmp_path: Path) -> None:
    with decided(graph, tmp_path / "review") as store:
        done = export_review(store, tmp_path / "out", graph)
        labels = get_item(store, "A05/001").labels
    votes = read_votes(tmp_path / "out" / "votes.jsonl", graph)
    assert len(votes) == done.votes == 6
    split = {vote.annotator: vote.errors for vote in votes if vote.clip == "A05/001"}
    assert split == {"ana": labels, "ben": ()}
    assert agreement(votes, graph)[1].overall.units
    lines = [value for _, value in read_jsonl(tmp_path / "out" / "votes.jsonl")]
    assert all(set(line) == {"clip", "annotator", "stage", "errors"} for line in lines)


def test_export_can_be_repeated_but_not_over_a_run(graph: Graph, tmp_path: Path) -> None:
    with decided(graph, tmp_path / "review") as store:
        export_review(store, tmp_path / "out", graph)
        before = (tmp_path / "out" / "dialogues.jsonl").read_bytes()
        export_review(store, tmp_path / "out", graph)
        assert (tmp_path / "out" / "dialogues.jsonl").read_bytes() == before
        with pytest.raises(InputError, match="give a folder of its own"):
            export_review(store, tmp_path / "review" / "run", graph)
    with Store(tmp_path / "empty.db") as empty, pytest.raises(InputError, match="nothing was load"):
        export_review(empty, tmp_path / "out", graph)


def said(store: Store) -> list[tuple[object, ...]]:
    return [
        (d.clip, d.person, d.stage, d.action, d.text, d.reason, d.occurrences, d.time_s)
        for d in standing_decisions(store)
    ]


def test_label_studio_gives_back_what_it_was_given(graph: Graph, tmp_path: Path) -> None:
    file = tmp_path / "tasks.json"
    with decided(graph, tmp_path / "review") as store:
        assert write_tasks(store, file, graph) == 7
        same = read_annotations(store, file, {})
        assert (same.new, same.known) == (0, 7)
        before = said(store)
    with Store(tmp_path / "other.db") as other:
        load(other, tmp_path / "review" / "run", graph)
        with pytest.raises(InputError, match="nobody has this name"):
            read_annotations(other, file, {})
        for person in FIRST:
            add_person(other, person, "first")
        assert read_annotations(other, file, {}).new == 7
        assert sorted(said(other), key=str) == sorted(before, key=str)
        assert read_annotations(other, file, {}).new == 0


def annotated(task: dict[str, Any], verdict: str, **more: object) -> dict[str, Any]:
    """A task as Label Studio exports it, annotated by its user 5."""

    def result(name: str, kind: str, value: object) -> dict[str, Any]:
        key = "choices" if kind == "choices" else "text"
        return {
            "id": f"x{name}",
            "from_name": name,
            "to_name": "dialogue",
            "type": kind,
            "origin": "manual",
            "value": {key: [value]},
        }

    results = [result("verdict", "choices", verdict)]
    results += [result(name, "textarea", more[name]) for name in more if name != "at"]
    at = more.get("at", "2026-03-01T12:00:00Z")
    annotation = {
        "id": 1,
        "completed_by": {"id": 5, "email": "ana@example.org"},
        "result": results,
        "was_cancelled": False,
        "created_at": at,
        "updated_at": at,
        "lead_time": 12.5,
        "unique_id": "0b6c",
    }
    skipped = {"id": 2, "completed_by": 9, "result": [], "was_cancelled": True}
    return {"id": 1, "data": task["data"], "annotations": [annotation, skipped], "predictions": []}


def write_export(path: Path, *tasks: dict[str, Any]) -> Path:
    write_text(path, json.dumps(tasks))
    return path


def test_annotations_made_in_label_studio(graph: Graph, review: Store, tmp_path: Path) -> None:
    rows = made(graph)
    tasks = [task_of(row, graph) for row in rows]
    file = write_export(
        tmp_path / "export.json",
        annotated(tasks[0], "accept"),
        annotated(tasks[1], "edit", evaluation="Better."),
        annotated(tasks[2], "reject", reason="unclear"),
        annotated({"data": {"clip": "A20/999"}}, "accept"),
        annotated({"data": tasks[3]["data"] | {"facts_hash": "old"}}, "accept"),
    )
    done = read_annotations(review, file, {"5": "ana"})
    assert (done.new, done.known, done.stale, done.elsewhere) == (3, 0, 1, 1)
    found = {d.clip: d for d in standing_decisions(review)}
    assert [d.action for d in found.values()] == ["accept", "edit", "reject"]
    assert found["A02/001"].text == "Better."
    assert found["A03/001"].reason == "unclear"
    assert found["A01/001"].duration_ms == 12500
    assert found["A01/001"].time_s == 1772366400
    assert read_annotations(review, file, {"ana@example.org": "ana"}).known == 3


def test_what_was_said_here_since_wins(graph: Graph, review: Store, tmp_path: Path) -> None:
    task = task_of(made(graph)[0], graph)
    say(review, "ana", "A01/001", "reject", now=1772366400 + 60)
    older = write_export(tmp_path / "older.json", annotated(task, "accept"))
    assert read_annotations(review, older, {"5": "ana"}).known == 1
    at = "2026-03-01T12:02:00Z"
    newer = write_export(tmp_path / "newer.json", annotated(task, "accept", at=at))
    assert read_annotations(review, newer, {"5": "ana"}).new == 1
    assert standing_decisions(review)[0].action == "accept"


def test_bad_exports_are_named_whole(graph: Graph, review: Store, tmp_path: Path) -> None:
    tasks = [task_of(row, graph) for row in made(graph)]
    file = write_export(
        tmp_path / "export.json",
        annotated(tasks[0], "maybe"),
        annotated(tasks[1], "edit"),
        annotated(tasks[2], "reject"),
    )
    with pytest.raises(InputError) as caught:
        read_annotations(review, file, {})
    text = str(caught.value)
    assert "task 1 (A01/001): expected verdict to be one of accept, edit, reject" in text
    assert "evaluation: an edit that changes nothing" in text
    assert "reason: a reject without a reason" in text
    assert "user ana@example.org: say who it is, as in --person 5=ana" in text
    assert standing_decisions(review) == []
    for content, message in (("{", "not valid JSON"), ('[{"id": 1}]', "task 1: 'data' is missing")):
        write_text(file, content)
        with pytest.raises(InputError, match=message):
            read_annotations(review, file, {})


def test_flagged_tasks_say_what_the_check_found(graph: Graph, tmp_path: Path) -> None:
    with decided(graph, tmp_path / "review") as store:
        write_tasks(store, tmp_path / "tasks.json", graph)
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    checks = {task["data"]["clip"]: task["data"]["check"] for task in tasks}
    assert checks["A07/001"] == "evaluate: AK04:ET015 is not named"
    assert checks["A01/001"].startswith("fact check passed")


def test_feedback_counts_once(review: Store, tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    line = {"clip": "A01/001", "verdict": "wrong", "note": "no", "turn": 2, "answer": "…"}
    chat = {"clip": "A01/001", "verdict": "helpful", "stage": "score", "sha": "1", "time": "2026"}
    rows = [line, chat, {"clip": "upload.mp4", "verdict": "wrong"}]
    write_text(file, "".join(json.dumps(row) + "\n" for row in rows))
    first, second = import_feedback(review, file), import_feedback(review, file)
    assert (first.new, first.known, first.elsewhere) == (2, 0, 1)
    assert (second.new, second.known, second.elsewhere) == (0, 2, 1)
    notes = feedback_on(review, get_item(review, "A01/001").id)
    assert sorted((note.verdict, note.turn) for note in notes) == [
        ("helpful", "score"),
        ("wrong", "2"),
    ]
    write_text(file, '{"clip": "A01/001", "verdict": "meh"}\nno\n')
    with pytest.raises(InputError, match=r"feedback.jsonl:1: verdict: .*meh") as caught:
        import_feedback(review, file)
    assert len(caught.value.problems) == 2
