"""Gold items: the right answer is known, everybody gets them, nobody is told which they are.

    set_gold(store, Gold(clip="A01/001", verdict="reject", errors=("AK01:ET001",)))
    gold_scores(store, standing_decisions(store))["ana"].share

Who should have rejected an item may also edit it: both say that the text is wrong.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from flex.problems import InputError, Problem
from flex.records import read_records
from flex.sample import OccurrenceId
from review.records import Decision, find_item
from review.recount import recount_one
from review.store import Store


class Gold(BaseModel):
    """The right answer to an item: is its text right, and which errors does the clip show?

    Attributes:
        verdict: accept, or reject where an edit is right too.
        errors: what should be seen; `None`: only the verdict is compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip: str
    verdict: Literal["accept", "reject"]
    errors: tuple[OccurrenceId, ...] | None = None

    def is_right(self, decision: Decision) -> bool:
        """Say whether a decision gives the right answer."""
        if (decision.action == "accept") != (self.verdict == "accept"):
            return False
        if self.errors is None or decision.occurrences is None:
            return True
        return set(self.errors) == set(decision.occurrences)


@dataclass(frozen=True)
class GoldScore:
    """How many gold items a person judged, and how many of them right."""

    judged: int
    right: int

    @property
    def share(self) -> float | None:
        """The share that is right; `None` before the first one."""
        return self.right / self.judged if self.judged else None


def read_gold(path: Path) -> list[Gold]:
    """Return the gold items of a JSON Lines file.

    Raises:
        InputError: every line that is none.
    """
    return read_records(path, Gold)


def set_gold(store: Store, golds: Sequence[Gold]) -> None:
    """Make items gold. If a later run changes an item's text or labels, it is gold no more.

    Raises:
        InputError: no such clip, or errors that were not looked for in it; nothing is changed then.
    """
    with store.write() as db:
        problems: list[Problem] = []
        for gold in golds:
            item = find_item(db, gold.clip)
            outside = set(gold.errors or ()) - set(item.scope)
            if outside:
                message = f"errors: {', '.join(sorted(outside))} was not looked for in this clip"
                problems.append(Problem(gold.clip, message))
            db.execute("UPDATE items SET gold = ? WHERE id = ?", (gold.model_dump_json(), item.id))
            recount_one(db, item.id)
        if problems:
            raise InputError(problems)


def gold_scores(store: Store, decisions: Sequence[Decision]) -> dict[str, GoldScore]:
    """Return person → how right their standing decisions are on gold items, if they judged any."""
    with store.read() as db:
        rows = db.execute("SELECT clip, gold FROM items WHERE gold IS NOT NULL").fetchall()
    golds = {row["clip"]: Gold.model_validate_json(row["gold"]) for row in rows}
    answers: dict[str, list[bool]] = defaultdict(list)
    for decision in decisions:
        if decision.clip in golds:
            answers[decision.person].append(golds[decision.clip].is_right(decision))
    return {
        person: GoldScore(judged=len(right), right=sum(right))
        for person, right in sorted(answers.items())
    }
