"""A user of the chat calls an answer wrong when the review was through with its clip."""

import json
from pathlib import Path

import pytest
from page_server import write_small_video
from review_runs import FINDING, FIRST, PLAIN, SECOND, made, open_review, say

from coach.feedback import Feedback, add_feedback
from flex.files import hash_file, write_text
from flex.graph import Graph
from review.decisions import ConflictError, decide, history
from review.feedback import FeedbackImport, feedback_on, import_feedback
from review.gold import Gold, set_gold
from review.label_studio import write_tasks
from review.label_studio_import import read_annotations
from review.load import load
from review.page_items import shown
from review.page_media import Media
from review.queue import next_item
from review.recordings import Recordings
from review.records import get_item
from review.recount import stale, standing_decisions
from review.store import Store
from review.words import in_terminal, words

CLIP = "A05/001"
NOTE = "my <b>knee</b> was fine"


def complain(store: Store, *, note: str = NOTE, clip: str = CLIP, **more: str) -> FeedbackImport:
    line = {"clip": clip, "verdict": "wrong", "stage": "evaluate", "note": note, "answer": "Bad."}
    write_text(store.path.with_name("feedback.jsonl"), json.dumps(line | more) + "\n")
    return import_feedback(store, store.path.with_name("feedback.jsonl"))


def all_say(store: Store, clip: str, *people: str) -> None:
    for person in people or (*FIRST, *SECOND):
        say(store, person, clip)


def clip_for(store: Store, person: str) -> str | None:
    found = next_item(store, person)
    return None if found is None else found.item.clip


def test_it_is_asked_about_again_before_all_others(graph: Graph, tmp_path: Path) -> None:
    rows = made(graph)
    flagged = [rows[0].model_copy(update={"findings": (FINDING,)})]
    with open_review(tmp_path, graph, rows[1:], flagged) as store:
        all_say(store, CLIP)
        before = get_item(store, CLIP)
        assert clip_for(store, "ana") != CLIP
        assert complain(store) == FeedbackImport(new=1, known=0, elsewhere=0, reopened=1)
        say(store, "ana", str(clip_for(store, "ana")))  # what ana has in hand stays hers
        assert [clip_for(store, person) for person in FIRST] == [CLIP] * 3
        item = get_item(store, CLIP)
        assert (item.state, item.first_voices, item.second_voices) == ("unreviewed", 0, 0)
        assert len(history(store, CLIP)) == 6
        assert len(stale(store)) == 6
        with pytest.raises(ConflictError, match="was reopened"):
            decide(store, "ana", CLIP, "accept", version=before.version)
        all_say(store, CLIP, *FIRST)
        assert clip_for(store, "rita") == CLIP
        all_say(store, CLIP, *SECOND)
        assert get_item(store, CLIP).state == "accepted"
        assert len(history(store, CLIP)) == 12
        assert complain(store).known == 1  # the same line again reopens nothing
        assert get_item(store, CLIP).state == "accepted"
        assert complain(store, note="again").reopened == 1


def test_reviewers_see_why_and_what_the_user_said(graph: Graph, review: Store) -> None:
    all_say(review, CLIP)
    complain(review)
    assignment = next_item(review, "ana")
    assert assignment is not None
    page = shown(review, graph, Media(review, review.path.parent, graph), assignment)
    assert page["reopened"]
    assert page["feedback"] == [
        {"verdict": "wrong", "note": NOTE, "turn": "evaluate", "answer": "Bad."}
    ]
    assert page["earlier"] == []  # the first stage works blind, again
    text = in_terminal(graph, assignment, feedback_on(review, assignment.item.id))
    assert f"{words().reopened}\n  wrong (evaluate): {NOTE}\n" in text


def test_only_items_that_are_through_are_reopened(graph: Graph, review: Store) -> None:
    say(review, "ana", "A01/001")
    assert complain(review, clip="A01/001").reopened == 0
    assert get_item(review, "A01/001").first_voices == 1
    all_say(review, "A02/001")
    set_gold(review, [Gold(clip="A02/001", verdict="accept")])
    assert complain(review, clip="A02/001").reopened == 0
    assert len(standing_decisions(review)) == 7


def test_loading_again_brings_no_earlier_votes_back(graph: Graph, review: Store) -> None:
    run, other = review.path.parent / "run", review.path.parent / "other"
    all_say(review, CLIP)
    complain(review)
    say(review, "ana", CLIP, "reject", reason="the user is right")
    done = load(review, run, graph)
    assert (done.unchanged, done.changed) == (6, 0)
    assert get_item(review, CLIP).first_voices == 1
    rows = made(graph)
    row = rows[4]
    turns = tuple(turn.model_copy(update={"answer": turn.answer + " New."}) for turn in row.turns)
    rows[4] = row.model_copy(update={"turns": turns})
    open_review(other, graph, rows).close()
    assert load(review, other / "run", graph).changed == 1
    assert standing_decisions(review) == []
    load(review, run, graph)
    assert [decision.person for decision in standing_decisions(review)] == ["ana"]


def test_label_studio_annotations_of_an_earlier_round_do_not_count(
    graph: Graph, review: Store, tmp_path: Path
) -> None:
    all_say(review, CLIP)
    write_tasks(review, tmp_path / "tasks.json", graph)
    complain(review)
    done = read_annotations(review, tmp_path / "tasks.json", {})
    assert (done.new, done.stale) == (0, 6)


def test_an_upload_of_the_chat_is_found_by_its_bytes(graph: Graph, tmp_path: Path) -> None:
    rows = made(graph, 3)
    write_small_video(tmp_path / "data" / "squat.mp4")
    write_text(tmp_path / "data" / "other.mp4", "other")
    rows[0] = rows[0].model_copy(update={"views": {"View-1": "other.mp4", "Gone": "gone.mp4"}})
    rows[1] = rows[1].model_copy(update={"views": {"View-1": "squat.mp4", "Up": "../x.mp4"}})
    sha = hash_file(tmp_path / "data" / "squat.mp4")
    for clip, name in ("my squat.mp4", sha), ("holiday.mp4", "0" * 64):
        said = Feedback(
            clip=clip, sha=name, verdict="wrong", question="Well?", answer="Bad.", model="tiny"
        )
        add_feedback(tmp_path / "said.jsonl", said)
    with open_review(tmp_path, graph, rows, rules=PLAIN) as store:
        recordings = Recordings(Media(store, tmp_path / "data", graph))
        done = import_feedback(store, tmp_path / "said.jsonl", recordings.clips_of)
        assert (done.new, done.elsewhere) == (1, 1)
        assert clip_for(store, "ana") == "A02/001"
