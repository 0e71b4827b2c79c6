"""How a review works: how many voices an item needs, how the queue mixes. Kept in the store."""

import sqlite3
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from review.store import Store, put_setting

NAME = "rules"
Share = Annotated[float, Field(ge=0, le=0.5)]


class Rules(BaseModel):
    """The rules of a review, the same for everybody who works in it.

    Attributes:
        voices: how many people look at an item in each stage; the paper has three.
        lease_s: seconds for which an item that was handed out is kept for that person.
        gold_share: share of the hand-outs that are items with a known answer.
        audit_share: share of the hand-outs that are drawn at random, whatever their priority.
        seed: of what is drawn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    voices: Annotated[int, Field(ge=1, le=9)] = 3
    lease_s: Annotated[float, Field(gt=0)] = 600
    gold_share: Share = 0.05
    audit_share: Share = 0.1
    seed: int = 0


def rules_of(store: Store) -> Rules:
    """Return the rules of a store."""
    value = store.setting(NAME)
    return Rules() if value is None else Rules.model_validate(value)


def find_rules(db: sqlite3.Connection) -> Rules:
    """Return the rules, within a transaction."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (NAME,)).fetchone()
    return Rules() if row is None else Rules.model_validate_json(row["value"])


def put_rules(db: sqlite3.Connection, rules: Rules) -> None:
    """Keep the rules, within a transaction; recount the items after it."""
    put_setting(db, NAME, rules.model_dump())
