"""What the columns of a released EMG.csv are: the file has no header, so they are named here.

    channel_names(graph, "A03")
    # ('left anterior deltoid', 'left medial deltoid', 'right anterior deltoid', ...)

The paper's Table 3 lists left and right in turn, the action's main muscle first. The files go
side by side instead, [left a, left b, right a, right b], and a and b are fixed sensors on the body
whatever the action: b carries the main muscle in A03, A06, A15 and A20 (read from the indices
that the authors' loader uses). A name is therefore never taken from a position in Table 3.
"""

from flex.graph import Graph
from flex.problems import InputError, Problem

SIDES = ("left", "right")
ONE_COLUMN_A_SIDE = frozenset({"A07", "A17", "A18", "A19"})
MAIN_MUSCLE_SECOND = frozenset({"A03", "A06", "A15", "A20"})


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
