"""The figures of a progress page.

progress = progress_of(store)
progress.stages["first"].left, progress.people[0].last_hour
"""

import json
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flex.agreement import Agreement, alpha_of
from qa_gen.dialogue import ReviewState
from review.gold import GoldScore, gold_scores
from review.people import people
from review.records import STAGES, Decision, Role, Stage
from review.recount import stale, standing_decisions
from review.rules import rules_of
from review.store import Store

HOUR_S = 3600
HOURS_SHOWN = 24
# Who left the page open did not look for this long; such times say nothing about the work.
LONGEST_LOOK_MS = 15 * 60 * 1000


@dataclass(frozen=True)
class StageProgress:
    """One stage.

    Attributes:
        done: items that have all the voices they need.
        left: items that lack some.
        voices_left: decisions that are still needed.
        alpha: agreement on the errors so far.
    """

    done: int
    left: int
    voices_left: int
    alpha: Agreement


@dataclass(frozen=True)
class PersonProgress:
    """One person.

    Attributes:
        decisions: those that count now.
        last_hour: decisions made in the hour before.
        median_s: seconds that the person looks at an item; `None` if never measured.
        gold: how right the person is where the answer is known.
    """

    name: str
    role: Role
    decisions: int
    last_hour: int
    median_s: float | None
    gold: GoldScore


@dataclass(frozen=True)
class Progress:
    """Where a review stands.

    Attributes:
        items: dialogues to review, gold included.
        states: how many are unreviewed, accepted, edited, rejected.
        undecided: items on which people are split; an admin settles them.
        flagged_left: flagged items without a verdict.
        stale: decisions about a text that has changed, or from before the item was reopened.
        hours: decisions in each of the last 24 hours, the last one is the present hour.
        hours_left: hours of work that are left at the pace so far; `None` if not known.
    """

    items: int
    gold: int
    states: dict[ReviewState, int]
    stages: dict[Stage, StageProgress]
    people: tuple[PersonProgress, ...]
    undecided: int
    flagged_left: int
    stale: int
    hours: tuple[int, ...]
    hours_left: float | None


def progress_of(store: Store, *, now: float | None = None) -> Progress:
    """Return where the review stands."""
    at = time.time() if now is None else now
    decisions = standing_decisions(store)
    with store.read() as db:
        rows = db.execute(
            "SELECT clip, scope, state, flagged, gold IS NOT NULL AS gold,"
            " first_voices, second_voices, open_settle FROM items WHERE present = 1"
        ).fetchall()
    voices = rules_of(store).voices
    scopes = {row["clip"]: json.loads(row["scope"]) for row in rows}
    states: Counter[ReviewState] = Counter(row["state"] for row in rows)
    needed = [row for row in rows if not row["gold"]]
    stages = {
        stage: _stage([row[f"{stage}_voices"] for row in needed], voices, alpha)
        for stage, alpha in _alphas(decisions, scopes).items()
    }
    looks = _looks(decisions)
    pace = statistics.median(looks) if looks else None
    left = sum(stage.voices_left for stage in stages.values())
    return Progress(
        items=len(rows),
        gold=len(rows) - len(needed),
        states={state: states[state] for state in ("unreviewed", "accepted", "edited", "rejected")},
        stages=stages,
        people=_people(store, decisions, at),
        undecided=sum(row["open_settle"] for row in rows),
        flagged_left=sum(row["flagged"] and row["state"] == "unreviewed" for row in rows),
        stale=len(stale(store)),
        hours=_hours(decisions, at),
        hours_left=None if pace is None else left * pace / HOUR_S,
    )


def _stage(given: Sequence[int], voices: int, alpha: Agreement) -> StageProgress:
    lacking = [voices - count for count in given if count < voices]
    return StageProgress(
        done=len(given) - len(lacking),
        left=len(lacking),
        voices_left=sum(lacking),
        alpha=alpha,
    )


def _alphas(
    decisions: Sequence[Decision], scopes: Mapping[str, Sequence[str]]
) -> dict[Stage, Agreement]:
    """Return stage → α on the errors, all types together."""
    alphas: dict[Stage, Agreement] = {}
    for stage in STAGES:
        by_clip: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        voting = (one for one in decisions if one.stage == stage and not one.settles)
        for decision in voting:
            if decision.occurrences is not None:
                by_clip[decision.clip].append(decision.occurrences)
        pairs: list[tuple[int, int]] = []
        for clip, members in by_clip.items():
            seen = Counter(item for member in members for item in member)
            pairs += [(len(members) - seen[o], seen[o]) for o in scopes.get(clip, ())]
        alphas[stage] = alpha_of(pairs)
    return alphas


def _people(store: Store, decisions: Sequence[Decision], now: float) -> tuple[PersonProgress, ...]:
    scores = gold_scores(store, decisions)
    by_person: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        by_person[decision.person].append(decision)
    rows = []
    for person in people(store):
        own = by_person[person.name]
        looks = _looks(own)
        rows.append(
            PersonProgress(
                name=person.name,
                role=person.role,
                decisions=len(own),
                last_hour=sum(now - HOUR_S < decision.time_s <= now for decision in own),
                median_s=statistics.median(looks) if looks else None,
                gold=scores.get(person.name, GoldScore(0, 0)),
            )
        )
    return tuple(rows)


def _looks(decisions: Sequence[Decision]) -> list[float]:
    """Return how long people looked, in seconds."""
    times = (decision.duration_ms for decision in decisions)
    return [ms / 1000 for ms in times if ms is not None and 0 < ms <= LONGEST_LOOK_MS]


def _hours(decisions: Sequence[Decision], now: float) -> tuple[int, ...]:
    this_hour = int(now // HOUR_S)
    counts = Counter(int(decision.time_s // HOUR_S) for decision in decisions)
    return tuple(counts[this_hour - ago] for ago in reversed(range(HOURS_SHOWN)))
