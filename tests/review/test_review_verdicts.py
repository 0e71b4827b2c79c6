"""Majorities, gold, and the fact check of edits."""

import time
from pathlib import Path

import pytest
from review_runs import FIRST, SECOND, made, open_review, say

from flex.graph import Graph, Occurrence
from flex.problems import InputError
from qa_gen.dialogue import ReviewState
from review.edits import check_text, check_whole, with_evaluation
from review.gold import Gold, gold_scores, set_gold
from review.progress import progress_of
from review.records import Action, Decision, Stage, get_item
from review.recount import standing_decisions
from review.store import Store
from review.verdicts import disagreement, labels_of, verdict

LETTERS: dict[str, tuple[Action, str | None]] = {
    "a": ("accept", None),
    "e": ("edit", "T"),
    "f": ("edit", "U"),
    "t": ("accept", "T"),
    "r": ("reject", None),
}


def votes(first: str, second: str = "", settled: str = "") -> list[Decision]:
    """One letter a person: accept, edit to T or to U (f), accept T (t), reject."""
    groups: list[tuple[Stage, str, bool]] = [
        ("first", first, False),
        ("second", second, False),
        ("second", settled, True),
    ]
    found: list[Decision] = []
    for stage, letters, settles in groups:
        for letter in letters:
            action, text = LETTERS[letter]
            found.append(
                Decision(
                    id=len(found),
                    item=1,
                    clip="A01/001",
                    person=f"p{len(found)}",
                    stage=stage,
                    action=action,
                    settles=settles,
                    text=text,
                    reason="bad" if action == "reject" else None,
                    occurrences=None,
                    version="v",
                    time_s=0,
                    duration_ms=None,
                )
            )
    return found


@pytest.mark.parametrize(
    ("first", "second", "settled", "state", "text", "stage"),
    [
        ("", "", "", "unreviewed", None, None),
        ("a", "", "", "accepted", None, "first"),
        ("aar", "", "", "accepted", None, "first"),
        ("arr", "", "", "rejected", None, "first"),
        ("aaa", "rra", "", "rejected", None, "second"),
        ("rrr", "aea", "", "accepted", None, "second"),
        ("aee", "", "", "edited", "T", "first"),
        ("eff", "", "", "edited", "U", "first"),
        ("aef", "", "", "edited", "U", "first"),
        ("eet", "tta", "", "edited", "T", "second"),
        ("aaa", "ttf", "", "edited", "T", "second"),
        ("aar", "aer", "", "accepted", None, "first"),
        ("aer", "ra", "", "unreviewed", None, None),
        ("aer", "aer", "r", "rejected", None, "second"),
        ("aaa", "aaa", "rf", "edited", "U", None),
    ],
)
def test_majority(
    first: str, second: str, settled: str, state: ReviewState, text: str | None, stage: Stage | None
) -> None:
    found = verdict(votes(first, second, settled))
    assert (found.state, found.text) == (state, text)
    assert found.undecided == (state == "unreviewed" and first != "")
    assert stage is None or found.stage == stage


def test_verdict_names_people_and_reasons() -> None:
    found = verdict(votes("arr"))
    assert found.reviewers == ("p0", "p1", "p2")
    assert found.reasons == ("bad", "bad")


def test_disagreement_is_the_share_of_pairs_that_differ() -> None:
    assert disagreement(votes("a")) == 0
    assert disagreement(votes("aaa")) == 0
    assert disagreement(votes("aar")) == pytest.approx(2 / 3)
    assert disagreement(votes("aer")) == 1


def test_labels_are_merged_as_annotations_are(graph: Graph, tmp_path: Path) -> None:
    with open_review(tmp_path, graph, made(graph, 1)) as store:
        scope = get_item(store, "A01/001").scope
        for person, seen in zip(FIRST, ([scope[0]], [scope[0], scope[1]], []), strict=True):
            say(store, person, "A01/001", "reject", occurrences=seen)
        stands, even = labels_of(standing_decisions(store))
        assert stands == {Occurrence.parse(scope[0])}
        assert even == set()
        say(store, "rita", "A01/001", "reject", occurrences=[scope[1]])
        assert labels_of(standing_decisions(store))[0] == {Occurrence.parse(scope[1])}


def test_gold_shares(review: Store) -> None:
    scope = get_item(review, "A02/001").scope
    golds = [
        Gold(clip="A01/001", verdict="accept"),
        Gold(clip="A02/001", verdict="reject", errors=(scope[0],)),
        Gold(clip="A03/001", verdict="reject"),
    ]
    set_gold(review, golds)
    say(review, "ana", "A01/001", "accept")
    say(review, "ana", "A02/001", "reject", occurrences=[scope[0]])
    say(review, "ana", "A03/001", "edit", text="Better.")
    say(review, "ben", "A01/001", "reject")
    say(review, "ben", "A02/001", "reject", occurrences=[])
    say(review, "cleo", "A04/001", "accept")
    scores = gold_scores(review, standing_decisions(review))
    assert {name: (score.right, score.judged) for name, score in scores.items()} == {
        "ana": (3, 3),
        "ben": (0, 2),
    }
    people = {person.name: person.gold.share for person in progress_of(review).people}
    assert (people["ana"], people["ben"], people["cleo"]) == (1.0, 0.0, None)
    with pytest.raises(InputError, match="was not looked for"):
        set_gold(review, [Gold(clip="A04/001", verdict="reject", errors=("AK99:ET001",))])


def test_an_edit_is_checked_against_the_labels(graph: Graph) -> None:
    dialogue = next(row for row in made(graph, 20) if row.facts.errors)
    text = dialogue.turn("evaluate").answer
    assert check_text(graph, dialogue, text) == []
    assert with_evaluation(dialogue, text) == dialogue
    assert check_text(graph, dialogue, f"{text} Keep it up next time!") == []
    codes = {finding.code for finding in check_text(graph, dialogue, "Well done.")}
    assert "missing_error" in codes
    edited = with_evaluation(dialogue, "Well done.")
    assert edited.turn("evaluate").sentences == ()
    assert {finding.stage for finding in check_whole(graph, edited)} == {"evaluate"}


def test_the_check_is_fast_enough_to_run_as_one_types(graph: Graph) -> None:
    dialogue = max(made(graph, 60), key=lambda row: len(row.turn("evaluate").answer))
    text = dialogue.turn("evaluate").answer
    check_text(graph, dialogue, text)
    start = time.thread_time()
    for end in range(len(text) - 20, len(text)):
        check_text(graph, dialogue, text[:end])
    assert (time.thread_time() - start) / 20 < 0.05


def test_progress_counts(graph: Graph, tmp_path: Path) -> None:
    with open_review(tmp_path, graph, made(graph, 3)) as store:
        for person in (*FIRST, *SECOND):
            say(store, person, "A01/001", now=7200, duration_ms=30_000)
        say(store, "ana", "A02/001", "reject", now=100, duration_ms=3_600_000)
        found = progress_of(store, now=7300)
    assert found.states == {"unreviewed": 1, "accepted": 1, "edited": 0, "rejected": 1}
    first, second = found.stages["first"], found.stages["second"]
    assert (first.done, first.left, first.voices_left) == (1, 2, 5)
    assert (second.done, second.left, second.voices_left) == (1, 2, 6)
    ana = found.people[[person.name for person in found.people].index("ana")]
    assert (ana.decisions, ana.last_hour, ana.median_s) == (2, 1, 30)
    assert (found.hours[-1], found.hours[-3], sum(found.hours)) == (6, 1, 7)
    assert found.hours_left == pytest.approx(11 * 30 / 3600)
