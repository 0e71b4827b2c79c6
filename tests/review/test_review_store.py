"""Nothing is lost: several processes and threads at once, a kill in the middle, undo, reloading."""

import itertools
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from review_runs import made, open_review, say, write_review_run

from flex.graph import Graph
from flex.problems import InputError
from review.decisions import ConflictError, decide, history, recent, undo
from review.edits import with_evaluation
from review.load import load
from review.people import add_person, people
from review.records import get_item
from review.recount import stale, standing_decisions
from review.rules import rules_of
from review.store import Store

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("review_worker.py")


def start(store: Store, one: str, other: str, rounds: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(WORKER), str(store.path), one, other, str(rounds)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )


def test_two_threads_in_each_of_two_processes_lose_nothing(review: Store) -> None:
    rounds = 30
    workers = [start(review, *pair, rounds) for pair in (("ana", "ben"), ("cleo", "rita"))]
    printed = [line for worker in workers for line in worker.communicate()[0].split("\n")]
    assert [worker.returncode for worker in workers] == [0, 0]
    said = dict(line.split("\t") for line in printed if line)
    assert len(said) == 4 * rounds
    with review.read() as db:
        kept = {str(r["id"]): r["reason"] for r in db.execute("SELECT id, reason FROM decisions")}
    assert kept == said
    standing = Counter(decision.person for decision in standing_decisions(review))
    assert standing == dict.fromkeys(("ana", "ben", "cleo", "rita"), 6)
    assert {get_item(review, d.clip).first_voices for d in standing_decisions(review)} == {3}


def test_what_was_acknowledged_survives_a_kill(review: Store) -> None:
    worker = start(review, "ana", "ben", 100_000)
    assert worker.stdout is not None
    seen = list(itertools.islice(worker.stdout, 40))
    worker.send_signal(signal.SIGKILL)
    seen += [line for line in worker.stdout if line.endswith("\n")]
    worker.wait()
    worker.stdout.close()
    assert worker.returncode == -signal.SIGKILL
    said = dict(line.rstrip("\n").split("\t") for line in seen)
    with Store(review.path) as again, again.read() as db:
        kept = {str(r["id"]): r["reason"] for r in db.execute("SELECT id, reason FROM decisions")}
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert said.items() <= kept.items()
    assert say(review, "cleo", "A01/001").id > max(map(int, said))


def test_events_are_never_changed_or_deleted(review: Store) -> None:
    say(review, "ana", "A01/001")
    for statement in ("DELETE FROM decisions", "UPDATE decisions SET person = 'ben'"):
        with pytest.raises(sqlite3.IntegrityError), review.write() as db:
            db.execute(statement)
    assert len(history(review, "A01/001")) == 1


def test_undo_gives_back_what_was_said_before(review: Store) -> None:
    say(review, "ana", "A01/001", "accept")
    say(review, "ana", "A01/001", "reject")
    say(review, "ben", "A01/001", "accept")
    assert get_item(review, "A01/001").state == "unreviewed"
    undone = undo(review, "ana")
    assert undone is not None
    assert undone.action == "reject"
    assert get_item(review, "A01/001").state == "accepted"
    assert undo(review, "ana") is not None
    assert undo(review, "ana") is None
    assert [d.person for d in standing_decisions(review)] == ["ben"]
    actions = [(row["person"], row["action"]) for row in history(review, "A01/001")]
    assert actions == [
        ("ana", "accept"),
        ("ana", "reject"),
        ("ben", "accept"),
        ("ana", "undo"),
        ("ana", "undo"),
    ]


def test_undo_then_decide_then_undo(review: Store) -> None:
    say(review, "ana", "A01/001", "accept")
    undo(review, "ana")
    say(review, "ana", "A01/001", "reject")
    undo(review, "ana")
    assert standing_decisions(review) == []


def test_recent_decisions_lead_back(review: Store) -> None:
    for clip in ("A01/001", "A02/001", "A03/001"):
        say(review, "ana", clip)
    undo(review, "ana")
    assert [d.clip for d in recent(review, "ana")] == ["A02/001", "A01/001"]
    assert [d.clip for d in recent(review, "ana", limit=1)] == ["A02/001"]


def test_the_same_request_twice_is_one_decision(review: Store) -> None:
    first = say(review, "ana", "A01/001", origin="key-1")
    assert say(review, "ana", "A01/001", origin="key-1") == first
    assert len(history(review, "A01/001")) == 1


def test_a_changed_dialogue_is_a_conflict(graph: Graph, review: Store, tmp_path: Path) -> None:
    version = get_item(review, "A01/001").version
    changed = [with_evaluation(made(graph)[0], "Well done."), *made(graph)[1:]]
    load(review, write_review_run(tmp_path / "again", graph, changed), graph)
    with pytest.raises(ConflictError, match="A01/001: the dialogue has changed"):
        decide(review, "ana", "A01/001", "accept", version=version)
    assert history(review, "A01/001") == []


def test_loading_again_changes_nothing(graph: Graph, review: Store, tmp_path: Path) -> None:
    say(review, "ana", "A01/001")
    before = standing_decisions(review)
    loaded = load(review, tmp_path / "run", graph)
    assert (loaded.new, loaded.unchanged, loaded.changed, loaded.gone) == (0, 6, 0, 0)
    assert standing_decisions(review) == before
    assert rules_of(review).gold_share == 0


def test_decisions_outlive_texts(graph: Graph, review: Store, tmp_path: Path) -> None:
    rows = made(graph)
    say(review, "ana", rows[0].clip)
    say(review, "ana", rows[1].clip)
    changed = [with_evaluation(rows[0], "Well done."), *rows[1:5]]
    loaded = load(review, write_review_run(tmp_path / "again", graph, changed), graph)
    assert (loaded.unchanged, loaded.changed, loaded.gone, loaded.stale) == (4, 1, 1, 1)
    assert [d.clip for d in standing_decisions(review)] == [rows[1].clip]
    assert [d.clip for d in stale(review)] == [rows[0].clip]
    assert not get_item(review, rows[5].clip).present
    load(review, tmp_path / "run", graph)
    assert [d.clip for d in standing_decisions(review)] == [rows[0].clip, rows[1].clip]
    assert stale(review) == []


def test_a_clip_that_is_there_twice_is_refused(graph: Graph, tmp_path: Path) -> None:
    rows = made(graph, 2)
    run = write_review_run(tmp_path / "run", graph, rows, rows[:1])
    with Store(tmp_path / "review.db") as store:
        with pytest.raises(InputError, match="A01/001 is there twice"):
            load(store, run, graph)
        assert standing_decisions(store) == []


@pytest.mark.parametrize(
    ("action", "more", "message"),
    [
        ("edit", {}, "an edit needs a text"),
        ("edit", {"text": "  "}, "an edit needs a text"),
        ("reject", {"reason": " "}, "reason: say what is wrong"),
        ("reject", {"occurrences": ["AK99:ET001"]}, "AK99:ET001 was not looked for"),
        ("guess", {}, "action: expected one of accept, edit, reject, found 'guess'"),
        ("accept", {"occurrences": []}, "whoever accepts agrees with the labels"),
        ("edit", {"text": "x" * 20_001}, "20,001 characters"),
    ],
)
def test_bad_decisions_are_named(
    graph: Graph, review: Store, action: str, more: dict[str, object], message: str
) -> None:
    clip = next(row.clip for row in made(graph) if row.facts.errors)
    with pytest.raises(InputError, match=message):
        say(review, "ana", clip, action, **more)  # type: ignore[arg-type]
    assert history(review, clip) == []


def test_unknown_people_clips_and_files(review: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nobody has this name here \(did you mean cleo\?\)"):
        say(review, "clea", "A01/001")
    with pytest.raises(InputError, match="no such clip"):
        say(review, "ana", "A01/999")
    with pytest.raises(InputError, match="expected a name"):
        add_person(review, " \n", "first")
    with pytest.raises(InputError, match="expected one of first, second, admin"):
        add_person(review, "zoe", "boss")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="there is no review here"):
        Store(tmp_path / "none.db", create=False)
    (tmp_path / "text.db").write_text("this is no database, but text that is long enough" * 20)
    with pytest.raises(InputError, match="is no review store"):
        Store(tmp_path / "text.db")


def test_a_person_can_change_roles(review: Store) -> None:
    say(review, "ana", "A01/001")
    add_person(review, "ana", "second")
    assert {p.name: p.role for p in people(review)}["ana"] == "second"
    assert standing_decisions(review)[0].stage == "first"


def test_store_is_safe_in_wal_mode(graph: Graph, tmp_path: Path) -> None:
    with open_review(tmp_path, graph, made(graph, 1)) as store, store.read() as db:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_threads_that_come_and_go_leave_no_open_files(review: Store) -> None:
    files = Path("/proc/self/fd")
    if not files.is_dir():
        pytest.skip("only Linux says which files are open")

    def work() -> None:
        assert review.setting("none") is None

    before = len(list(files.iterdir()))
    for _ in range(40):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(list(files.iterdir())) <= before


def test_a_write_that_cannot_be_committed_blocks_nobody(review: Store) -> None:
    with review.write() as db:
        # Foreign keys are only looked at when the transaction ends.
        db.execute("CREATE TABLE late (item REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(sqlite3.IntegrityError), review.write() as db:
        db.execute("INSERT INTO late VALUES (-1)")
    assert say(review, "ana", "A01/001").action == "accept"
