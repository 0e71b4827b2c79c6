"""Who gets which item, and when."""

from collections import Counter
from pathlib import Path

import pytest
from review_runs import FINDING, FIRST, PLAIN, SECOND, made, open_review, say

from flex.files import write_text
from flex.graph import Graph
from review.decisions import undo
from review.feedback import import_feedback
from review.gold import Gold, set_gold
from review.queue import next_item, open_item, peek, skip, upcoming
from review.records import get_item
from review.rules import Rules
from review.store import Store


def clip_for(store: Store, person: str, now: float | None = None) -> str | None:
    assignment = next_item(store, person, now=now)
    return None if assignment is None else assignment.item.clip


def test_flagged_come_first_then_doubt_then_rare_errors(graph: Graph, tmp_path: Path) -> None:
    rows = made(graph, 40)
    asked = rows[7].provenance.model_copy(update={"attempts": 3})
    rows[7] = rows[7].model_copy(update={"provenance": asked})
    flagged = rows.pop(20).model_copy(update={"findings": (FINDING,)})
    with open_review(tmp_path, graph, rows, [flagged]) as store:
        order = []
        while clip := clip_for(store, "ana"):
            order.append(clip)
            say(store, "ana", clip)
        with store.read() as db:
            rarity = {r["clip"]: r["rarity"] for r in db.execute("SELECT clip, rarity FROM items")}
    assert len(order) == 40
    assert order[:2] == [flagged.clip, rows[7].clip]
    rare = [rarity[clip] for clip in order[2:]]
    assert rare == sorted(rare, reverse=True)
    assert rare[0] > rare[-1] == 0


def test_items_on_which_people_differ_come_before_others(review: Store) -> None:
    say(review, "ana", "A05/001", "accept")
    say(review, "ben", "A05/001", "reject")
    assert clip_for(review, "cleo") == "A05/001"


def test_a_wrong_answer_in_the_chat_flags_its_clip(review: Store, tmp_path: Path) -> None:
    lines = '{"clip": "A04/001", "verdict": "wrong"}\n{"clip": "A05/001", "verdict": "helpful"}\n'
    write_text(tmp_path / "feedback.jsonl", lines)
    import_feedback(review, tmp_path / "feedback.jsonl")
    assert clip_for(review, "ana") == "A04/001"
    assert get_item(review, "A04/001").flagged
    assert not get_item(review, "A05/001").flagged


def test_the_same_item_comes_until_it_is_decided(review: Store) -> None:
    first = clip_for(review, "ana")
    assert first is not None
    assert clip_for(review, "ana") == first
    say(review, "ana", first)
    second = clip_for(review, "ana")
    assert second != first
    undo(review, "ana")
    assert clip_for(review, "ana") == first


def test_a_leased_item_is_not_given_away_unless_it_needs_more_voices(
    graph: Graph, tmp_path: Path
) -> None:
    one = Rules(voices=1, lease_s=60, gold_share=0, audit_share=0)
    with open_review(tmp_path / "one", graph, made(graph), rules=one) as store:
        first, second = clip_for(store, "ana", 0), clip_for(store, "ben", 0)
        assert first != second
        assert clip_for(store, "cleo", 59) not in (first, second)
        assert clip_for(store, "cleo", 59) == clip_for(store, "cleo", 60)
    with open_review(tmp_path / "two", graph, made(graph), rules=one) as store:
        first = clip_for(store, "ana", 0)
        assert clip_for(store, "ben", 61) == first
    with open_review(tmp_path / "three", graph, made(graph)) as store:
        assert len({clip_for(store, person) for person in FIRST}) == 1


def test_skip_gives_the_item_to_others_and_comes_back(review: Store) -> None:
    first = clip_for(review, "ana", 0)
    assert first is not None
    skip(review, "ana", first, now=0)
    assert clip_for(review, "ana", 1) != first
    assert clip_for(review, "ben", 1) == first
    say(review, "ana", str(clip_for(review, "ana", 2)))
    assert clip_for(review, "ana", 601) == first


def test_an_item_leaves_a_stage_with_its_third_voice(graph: Graph, tmp_path: Path) -> None:
    with open_review(tmp_path, graph, made(graph, 1)) as store:
        for person in FIRST:
            assert clip_for(store, "rita") is None
            assert clip_for(store, person) == "A01/001"
            say(store, person, "A01/001")
            assert clip_for(store, person) is None
        for person in SECOND:
            assert clip_for(store, person) == "A01/001"
            say(store, person, "A01/001")
        for person in (*FIRST, *SECOND, "ada"):
            assert clip_for(store, person) is None


def test_a_review_of_the_text_that_the_first_stage_edited(graph: Graph, tmp_path: Path) -> None:
    with open_review(tmp_path, graph, made(graph, 1)) as store:
        for person in FIRST[:2]:
            say(store, person, "A01/001", "edit", text="Mind your grip.")
        say(store, "cleo", "A01/001")
        assignment = next_item(store, "rita")
        assert assignment is not None
        assert assignment.text == "Mind your grip."
        assert [decision.person for decision in assignment.earlier] == list(FIRST)
        assert assignment.seen.startswith(f"{assignment.item.version}-")
        blind = peek(store, "ana", "A01/001")
        assert (blind.text, blind.earlier) == (blind.item.evaluation, ())
        assert blind.seen == blind.item.version


def test_an_admin_gets_what_people_are_split_on(graph: Graph, tmp_path: Path) -> None:
    with open_review(tmp_path, graph, made(graph, 2)) as store:
        for people in (FIRST, SECOND):
            for person, action in zip(people, ("accept", "edit", "reject"), strict=True):
                text = "Better." if action == "edit" else None
                say(store, person, "A02/001", action, text=text)  # type: ignore[arg-type]
                say(store, person, "A01/001")
        assignment = next_item(store, "ada")
        assert assignment is not None
        assert assignment.item.clip == "A02/001"
        assert len(assignment.earlier) == 6
        say(store, "ada", "A02/001", "accept")
        assert get_item(store, "A02/001").state == "accepted"
        assert clip_for(store, "ada") is None


def test_gold_and_audit_have_their_shares(graph: Graph, tmp_path: Path) -> None:
    rows = made(graph, 400)
    flagged = [row.model_copy(update={"findings": (FINDING,)}) for row in rows[200:]]
    gold = {row.clip for row in rows[:60]}
    rules = Rules(gold_share=0.2, audit_share=0.3)
    with open_review(tmp_path, graph, rows[:200], flagged, rules) as store:
        set_gold(store, [Gold(clip=clip, verdict="accept") for clip in sorted(gold)])
        kinds: Counter[str] = Counter()
        for _ in range(150):
            assignment = next_item(store, "ana")
            assert assignment is not None
            item = assignment.item
            kinds["gold" if item.clip in gold else "flagged" if item.flagged else "other"] += 1
            say(store, "ana", item.clip)
    assert 0.12 < kinds["gold"] / 150 < 0.28
    assert 0.08 < kinds["other"] / 150 < 0.3


def test_everybody_gets_gold_and_nobody_is_told(graph: Graph, tmp_path: Path) -> None:
    with open_review(tmp_path, graph, made(graph, 2)) as store:
        set_gold(store, [Gold(clip="A01/001", verdict="reject")])
        for person in (*FIRST, *SECOND):
            clips = []
            while clip := clip_for(store, person):
                clips.append(clip)
                say(store, person, clip)
            assert sorted(clips) == ["A01/001", "A02/001"]
        assert open_item(store, "rita", "A01/001").earlier == ()


@pytest.mark.parametrize("role", ["first", "second"])
def test_queries_use_their_indexes(graph: Graph, tmp_path: Path, role: str) -> None:
    from review.people import find_person
    from review.queue import _queries

    values = {"person": "ana", "now": 0, "stage": role, "voices": 3, "after": 0}
    with open_review(tmp_path, graph, made(graph, 3), rules=PLAIN) as store, store.read() as db:
        person = find_person(db, "ana" if role == "first" else "rita")
        for share in (0.0, 0.5):
            queries = list(_queries(db, person, Rules(gold_share=0, audit_share=share)))
            assert queries
            for query in queries:
                plan = [str(tuple(r)) for r in db.execute(f"EXPLAIN QUERY PLAN {query}", values)]
                assert not [line for line in plan if "TEMP B-TREE" in line]


def test_what_comes_next_is_known_ahead_and_not_handed_out(graph: Graph, tmp_path: Path) -> None:
    rules = Rules(gold_share=0.2, audit_share=0.3)
    with open_review(tmp_path, graph, made(graph, 12), rules=rules) as store:
        for _ in range(11):
            now = next_item(store, "ana")
            assert now is not None
            ahead = upcoming(store, "ana", now.item.clip)
            again = next_item(store, "ana")
            assert again is not None
            assert again.item.clip == now.item.clip
            say(store, "ana", now.item.clip)
            then = next_item(store, "ana")
            assert ahead is not None
            assert then is not None
            assert ahead.item.clip == then.item.clip
        assert then is not None
        assert upcoming(store, "ana", then.item.clip) is None
