"""The 18 muscles of Table 3, and channels told apart by them."""

import numpy as np
import pytest

from flex.graph import Graph
from flex.problems import InputError
from flex.semg_columns import (
    GROUPS,
    MIRRORED,
    MUSCLE_NAMES,
    MUSCLES,
    by_muscle,
    channel_names,
    muscle_of,
)


def test_the_graph_records_these_muscles_and_no_others(graph: Graph) -> None:
    recorded = {
        name.lower() for action in graph.actions for name in graph.action(action).recorded_muscles
    }
    assert recorded == set(MUSCLE_NAMES)
    assert len(MUSCLE_NAMES) == 18


def test_every_released_column_is_one_of_them(graph: Graph) -> None:
    for action in graph.actions:
        for name in channel_names(graph, action):
            side, _, rest = name.partition(" ")
            found = MUSCLES[muscle_of(name)]
            assert found.side == side
            assert rest.rstrip(" 12") == found.bare


def test_partners_are_the_same_muscle_of_the_other_side() -> None:
    for muscle, partner in zip(MUSCLES, MIRRORED, strict=True):
        other = MUSCLES[partner]
        assert (other.bare, other.group) == (muscle.bare, muscle.group)
        assert other.side != muscle.side
    assert set(GROUPS.values()) == {"shoulders", "arms", "chest", "legs", "back"}


def test_two_electrodes_of_a_muscle_count_by_their_mean() -> None:
    names = ("left pectoralis major 1", "left pectoralis major 2", "right pectoralis major 1")
    values = np.array([[1.0, 3.0, 5.0], [2.0, 6.0, 7.0]])
    found, recorded = by_muscle(values, names)
    left, right = (MUSCLE_NAMES.index(f"{side} pectoralis major") for side in ("left", "right"))
    assert found[:, left].tolist() == [2.0, 4.0]
    assert found[:, right].tolist() == [5.0, 7.0]
    assert np.flatnonzero(recorded).tolist() == sorted([left, right])
    assert found.sum() == 18.0


def test_a_channel_left_out_does_not_count() -> None:
    names = ("left pectoralis major 1", "left pectoralis major 2", "right biceps femoris")
    values = np.array([[1.0, 3.0, 5.0]])
    found, recorded = by_muscle(values, names, [False, True, False])
    assert found[0, muscle_of("left pectoralis major")] == 3.0
    assert recorded.sum() == 1
    assert found.sum() == 3.0


def test_a_channel_that_is_no_muscle_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean left biceps brachii"):
        muscle_of("left biceps brachi")


def test_a_wrong_number_of_names_is_told() -> None:
    with pytest.raises(InputError, match="4 columns, 2 names"):
        by_muscle(np.ones((3, 4)), ("left biceps brachii", "right biceps brachii"))
