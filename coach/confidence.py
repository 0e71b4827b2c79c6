"""How sure the model is of the exercise: how likely it holds the naming of each that the graph has.

    confidence = confidence_of(graph, "A16", Rated({"A16": -6.1, "A15": -9.4}))
    confidence.named, confidence.doubt         # 0.96, ""

The likelihoods come from `vlm.likelihood`, one sentence an exercise. Shares of them are not
calibrated: 0.8 does not mean right in 8 of 10 clips. They also stay high for a clip that is unlike
all that the model knows, but then it is unsure of its own words, which are watched too. The
thresholds, and what they come from, are `confidence.yaml`.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from flex.graph import Graph

THRESHOLDS_FILE = Path(__file__).with_name("confidence.yaml")
# Why there is no confidence: the model has not learnt to coach, it is behind an endpoint, or rating
# the answers failed.
Unrated = Literal["", "untuned", "served", "failed"]
# untuned, failed: as above; a served model is not doubted, only unchecked. spread: no exercise has
# a large share. unlike: the model is unsure of its own words. unnamed: it names no exercise.
Doubt = Literal["", "untuned", "failed", "spread", "unlike", "unnamed"]


@dataclass(frozen=True)
class Rated:
    """How likely a model held the sentences that name each exercise.

    Attributes:
        log_likelihoods: exercise id → natural logarithm, of one sentence each.
        own: mean logarithm of the likelihood of a token of the model's own answer; `None` unless it
            is the most likely answer of the tuned tiny coach, of which the threshold was measured.
    """

    log_likelihoods: Mapping[str, float]
    own: float | None = None


@dataclass(frozen=True)
class Check:
    """What came of checking whether a clip shows an exercise that a model knows.

    Attributes:
        rated: how likely it held each exercise; `None` where that is not known.
        unrated: why not.
        answer: what it says when it is asked for the exercise, whether that was shown or not.
    """

    rated: Rated | None = None
    unrated: Unrated = ""
    answer: str = ""


UNTUNED = Check(unrated="untuned")


class Confidence(BaseModel):
    """Shares of the graph's exercises by the model's own likelihood, summing to 1.

    Attributes:
        named: share of the exercise that the model named, 0–1; `None` if it named none.
        likeliest: id of the exercise with the largest share.
        likeliest_name: its name.
        share: its share, 0–1.
        exercises: among how many.
        own: as in `Rated`.
        doubt: why it may be no exercise of the graph; empty unless so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    named: float | None
    likeliest: str
    likeliest_name: str
    share: float
    exercises: int
    own: float | None
    doubt: Doubt


def confidence_of(graph: Graph, named: str | None, rated: Rated) -> Confidence:
    """Return what likelihoods come to.

    Args:
        graph: gives the names.
        named: id of the exercise that the model named, if it did.
        rated: at least one exercise of the graph.
    """
    values = rated.log_likelihoods
    most = max(values.values())
    total = most + math.log(sum(math.exp(value - most) for value in values.values()))
    likeliest = max(values, key=lambda action: values[action])
    share = math.exp(values[likeliest] - total)
    return Confidence(
        named=math.exp(values[named] - total) if named and named in values else None,
        likeliest=likeliest,
        likeliest_name=graph.action(likeliest).name,
        share=share,
        exercises=len(values),
        own=rated.own,
        doubt=_doubt(share, rated.own),
    )


def doubt_of(confidence: Confidence | None, unrated: Unrated) -> Doubt:
    """Return why a clip's assessment is not shown, as far as a check tells; empty if it is."""
    if unrated in ("untuned", "failed"):
        return unrated
    return confidence.doubt if confidence else ""


def _doubt(share: float, own: float | None) -> Doubt:
    if own is not None and own < threshold("own"):
        return "unlike"
    return "spread" if share < threshold("share") else ""


@functools.cache
def threshold(name: Literal["share", "own"]) -> float:
    """Return the value below which there is doubt."""
    rows: dict[str, Any] = yaml.safe_load(THRESHOLDS_FILE.read_text(encoding="utf-8"))
    return float(rows[name]["value"])
