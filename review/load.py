"""Loads the dialogues of a run into a review. Loading again is safe at any time.

    loaded = load(store, Path("runs/qa"), graph)

Decisions stay with a dialogue whose text and labels are as before. Where they changed, the
decisions are kept but are stale: they do not count, and the item is handed out again. If the old
text comes back, they count again. Clips that the run no longer has are set aside.
"""

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flex.files import hash_text
from flex.graph import Graph
from flex.problems import InputError, Problem
from qa_gen.dialogue import Dialogue
from qa_gen.runs import read_dialogues, read_run
from review.recount import recount_all
from review.rounds import in_round, round_of
from review.rules import Rules, find_rules, put_rules
from review.store import Store, put_setting

RUN = "run"
_UPSERT = """
INSERT INTO items
  (clip, version, present, failed, flagged, doubt, uncertainty, audit, labels, scope, dialogue)
VALUES
  (:clip, :version, 1, :failed, :failed, :doubt, :doubt, :audit, :labels, :scope, :dialogue)
ON CONFLICT (clip) DO UPDATE SET
  gold = CASE WHEN version = :version THEN gold END,
  version = :version, present = 1,
  failed = :failed, flagged = CASE WHEN wrong > 0 THEN 2 ELSE :failed END,
  doubt = :doubt, audit = :audit, labels = :labels, scope = :scope, dialogue = :dialogue
"""


@dataclass(frozen=True)
class Loaded:
    """What loading did.

    Attributes:
        changed: dialogues with another text or other labels than before.
        gone: clips of the review that the run does not have; they are set aside.
        stale: decisions that do not count: they are about an earlier text, or an earlier round.
    """

    new: int
    unchanged: int
    changed: int
    gone: int
    stale: int


@dataclass(frozen=True)
class _Row:
    dialogue: Dialogue
    version: str
    scope: tuple[str, ...]


def load(
    store: Store,
    run: Path,
    graph: Graph,
    rules: Rules | None = None,
    *,
    progress: Callable[[], None] = lambda: None,
) -> Loaded:
    """Load `dialogues.jsonl` and `flagged.jsonl` of a run.

    Args:
        store: where to.
        run: the run's folder.
        graph: the knowledge graph that the run was made with.
        rules: how the review works from now on; without it, as before.
        progress: called after each dialogue that was read.

    Raises:
        InputError: no run, another graph, a line that is no dialogue, a clip that is there twice.
            Nothing is loaded then.
    """
    record = read_run(run)
    if record.graph != graph.version:
        message = f"made with the knowledge graph {record.graph}, but this one is {graph.version}"
        raise InputError([Problem(str(run), message)])
    rows = _read(run, graph, progress)
    with store.write() as db:
        before = {r["clip"]: r["version"] for r in db.execute("SELECT clip, version FROM items")}
        chosen = rules or find_rules(db)
        put_rules(db, chosen)
        put_setting(db, RUN, record.model_dump_json())
        db.execute("UPDATE items SET present = 0")
        rows = [_in_its_round(row, before.get(row.dialogue.clip)) for row in rows]
        db.executemany(_UPSERT, [_values(row, chosen.seed) for row in rows])
        _rarity(db, rows)
        recount_all(db)
        stale = db.execute(
            "SELECT count(*) FROM voices v JOIN items i ON i.id = v.item AND i.version <> v.version"
        ).fetchone()[0]
    known = [row for row in rows if row.dialogue.clip in before]
    unchanged = sum(before[row.dialogue.clip] == row.version for row in known)
    return Loaded(
        new=len(rows) - len(known),
        unchanged=unchanged,
        changed=len(known) - unchanged,
        gone=len(before) - len(known),
        stale=stale,
    )


def version_of(dialogue: Dialogue, scope: Sequence[str]) -> str:
    """Return a hash of what a reviewer sees and judges: all text, the labels and their scope."""
    said = (text for turn in dialogue.turns for text in (turn.question, turn.answer))
    labels = " ".join(map(str, dialogue.facts.occurrences))
    return hash_text(*said, labels, " ".join(scope))


def _in_its_round(row: _Row, before: str | None) -> _Row:
    return row if before is None else replace(row, version=in_round(row.version, round_of(before)))


def _read(run: Path, graph: Graph, progress: Callable[[], None]) -> list[_Row]:
    rows: dict[str, _Row] = {}
    problems: list[Problem] = []
    for flagged in (False, True):
        for dialogue in read_dialogues(run, flagged=flagged):
            if dialogue.clip in rows:
                problems.append(Problem(str(run), f"clip {dialogue.clip} is there twice"))
            labelled = dialogue.facts.labelled or graph.occurrences(dialogue.action)
            scope = tuple(map(str, labelled))
            rows[dialogue.clip] = _Row(dialogue, version_of(dialogue, scope), scope)
            progress()
    if not rows:
        problems.append(Problem(str(run), "has no dialogues to review"))
    if problems:
        raise InputError(problems)
    return list(rows.values())


def _values(row: _Row, seed: int) -> dict[str, str | float | bool]:
    dialogue = row.dialogue
    # A writer that had to be asked again was not sure; nothing else in a run says how sure it was.
    doubt = 1 - 1 / max(1, dialogue.provenance.attempts)
    return {
        "clip": dialogue.clip,
        "version": row.version,
        "failed": bool(dialogue.findings),
        "doubt": doubt,
        "audit": int(hash_text(str(seed), dialogue.clip), 16) / 16**16,
        "labels": json.dumps([str(item) for item in dialogue.facts.occurrences]),
        "scope": json.dumps(row.scope),
        "dialogue": dialogue.model_dump_json(exclude_defaults=True),
    }


def _rarity(db: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    """An item is as rare as its rarest error type, in bits; without errors it is not rare."""
    types = {
        row.dialogue.clip: {item.error_type for item in row.dialogue.facts.occurrences}
        for row in rows
    }
    counts = Counter(kind for kinds in types.values() for kind in kinds)
    values = [
        (max((math.log2(len(rows) / counts[kind]) for kind in kinds), default=0.0), clip)
        for clip, kinds in types.items()
    ]
    db.executemany("UPDATE items SET rarity = ? WHERE clip = ?", values)
