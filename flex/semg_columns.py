"""Which muscles FLEX records, and what the columns of a released EMG.csv are: it has no header.

    channel_names(graph, "A03")
    # ('left anterior deltoid', 'left medial deltoid', 'right anterior deltoid', ...)
    values, recorded = by_muscle(envelopes, channels)      # (T, 18), (18,)

The paper's Table 3 lists left and right in turn, the action's main muscle first. The files go
side by side instead, [left a, left b, right a, right b], and a and b are fixed sensors on the body
whatever the action: b carries the main muscle in A03, A06, A15 and A20 (read from the indices
that the authors' loader uses). A name is therefore never taken from a position in Table 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flex.graph import Graph
from flex.number_table import Floats
from flex.problems import InputError, Problem, nearest

SIDES = ("left", "right")
# Muscle → part of the body, in the order in which Table 3 comes to them.
GROUPS = {
    "anterior deltoid": "shoulders",
    "medial deltoid": "shoulders",
    "biceps brachii": "arms",
    "triceps brachii": "arms",
    "posterior deltoid": "shoulders",
    "pectoralis major": "chest",
    "biceps femoris": "legs",
    "vastus lateralis": "legs",
    "latissimus dorsi": "back",
}
ONE_COLUMN_A_SIDE = frozenset({"A07", "A17", "A18", "A19"})
MAIN_MUSCLE_SECOND = frozenset({"A03", "A06", "A15", "A20"})


@dataclass(frozen=True)
class Muscle:
    """One muscle of one side.

    Attributes:
        bare: its name without the side, such as "anterior deltoid".
        side: "left" or "right".
        group: the part of the body, one of the values of `GROUPS`.
    """

    bare: str
    side: str
    group: str

    @property
    def name(self) -> str:
        """The name with the side, as channels are called."""
        return f"{self.side} {self.bare}"


# The 18 muscles of Table 3: left and right of each in turn.
MUSCLES = tuple(Muscle(bare, side, group) for bare, group in GROUPS.items() for side in SIDES)
MUSCLE_NAMES = tuple(muscle.name for muscle in MUSCLES)
MUSCLE_INDEX = {name: index for index, name in enumerate(MUSCLE_NAMES)}
# MIRRORED[m] is the same muscle of the other side; a flipped picture needs it.
MIRRORED = tuple(index ^ 1 for index in range(len(MUSCLES)))


def muscle_of(channel: str) -> int:
    """Return the index in `MUSCLES` of a channel; two of one muscle are numbered.

    Raises:
        InputError: none of the 18 muscles is called so.
    """
    name = channel.strip().lower().rstrip("0123456789 ")
    if name not in MUSCLE_INDEX:
        message = f"is none of the 18 muscles of Table 3{nearest(name, MUSCLE_NAMES)}"
        raise InputError([Problem(f"channel {channel!r}", message)])
    return MUSCLE_INDEX[name]


def by_muscle(
    values: Floats,
    channels: Sequence[str],
    usable: Sequence[bool] | NDArray[np.bool_] | None = None,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return what channels hold, muscle by muscle; channels of one muscle count by their mean.

    Args:
        values: (T, channels), such as envelopes; never raw signals, whose phases cancel out.
        channels: a name for each column.
        usable: (channels,) false for a channel to leave out; all count if it is not given.

    Returns:
        values: (T, 18) in the order of `MUSCLES`, 0 where nothing was recorded.
        recorded: (18,) whether any channel tells of the muscle.

    Raises:
        InputError: a number of names that is not that of the columns, or a name that is no muscle.
    """
    kept = np.ones(len(channels), dtype=np.bool_) if usable is None else np.asarray(usable)
    if not values.shape[1] == len(channels) == len(kept):
        message = f"{values.shape[1]} columns, {len(channels)} names, {len(kept)} marks of use"
        raise InputError([Problem("sEMG channels", f"do not fit each other: {message}")])
    where = np.array([muscle_of(channel) for channel in channels])
    found = np.zeros((len(values), len(MUSCLES)))
    recorded = np.zeros(len(MUSCLES), dtype=np.bool_)
    for muscle in np.unique(where[kept]):
        columns = np.flatnonzero((where == muscle) & kept)
        found[:, muscle] = values[:, columns].mean(axis=1)
        recorded[muscle] = True
    return found, recorded


def column_count(action: str) -> int:
    """Return how many columns the released EMG.csv of an action has."""
    return 2 if action in ONE_COLUMN_A_SIDE else 4


def channel_names(graph: Graph, action: str) -> tuple[str, ...]:
    """Return the names of the columns in the released order; two of one muscle are numbered.

    Raises:
        InputError: the graph does not say which muscles were recorded, or they do not fit the
            columns; name the channels in the record's `semg.channels` instead.
    """
    muscles = _muscles(graph, action)
    per_side = column_count(action) // len(SIDES)
    if len(muscles) == 1 and per_side > 1:
        muscles = [f"{muscles[0]} {number}" for number in range(1, per_side + 1)]
    if len(muscles) != per_side:
        found = ", ".join(muscles) or "none"
        message = f"{per_side} recorded muscles a side are expected in the graph, found {found}"
        raise InputError([Problem(action, f"{message}; or state semg.channels in the record")])
    if action in MAIN_MUSCLE_SECOND:
        muscles.reverse()
    return tuple(f"{side} {muscle}" for side in SIDES for muscle in muscles)


def _muscles(graph: Graph, action: str) -> list[str]:
    names = (name.strip().lower() for name in graph.action(action).recorded_muscles)
    bare = (name.removeprefix("left ").removeprefix("right ") for name in names)
    return list(dict.fromkeys(bare))
