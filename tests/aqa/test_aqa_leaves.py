"""CoRe's leaves by hand: ties, edges, beyond the range, zero width; and against plain loops."""

import numpy as np
import pytest
import torch

from aqa.leaves import Leaves, quantile_edges
from aqa.tree import RegressionTree
from flex.problems import InputError


def of_edges(*edges: float) -> Leaves:
    leaves = Leaves(depth=int(np.log2(len(edges) - 1)) + 2)
    leaves.edges.copy_(torch.tensor(edges))
    return leaves


# Leaves: 0 is (−100, −30], 1 is (−30, 0), 2 is [0, 30), 3 is [30, 100].
@pytest.mark.parametrize(
    ("delta", "leaf", "position"),
    [
        (0, 2, 0.0),
        (15, 2, 0.5),
        (30, 3, 0.0),  # on an edge: the outer leaf
        (65, 3, 0.5),
        (100, 3, 1.0),  # as far as scores go
        (135, 3, 1.5),  # beyond
        (-15, 1, 0.5),
        (-30, 0, 1.0),
        (-65, 0, 0.5),
        (-100, 0, 0.0),
        (-135, 0, -0.5),
    ],
)
def test_labels_by_hand(delta: float, leaf: int, position: float) -> None:
    found, where = of_edges(0, 30, 100).label(torch.tensor([float(delta)]))
    assert found.item() == leaf
    assert where.item() == pytest.approx(position)


def test_edges_by_hand() -> None:
    # Gaps of 0, 10, 40: 10, 30, 40; the middle one parts the two upper leaves.
    assert quantile_edges([0, 10, 40], 2, 100).tolist() == [0, 30, 100]
    # Ties: gaps 0 0 0 10 10 10, ranks 1 2 3.
    assert quantile_edges([50, 50, 50, 60], 4, 100).tolist() == [0, 0, 0, 10, 100]
    assert quantile_edges([0, 120], 2, 100)[-1] == 120


def test_empty_leaves_hold_nothing_and_are_never_decoded() -> None:
    leaves = of_edges(0, 0, 0, 10, 100)
    assert leaves.reachable.tolist() == [True, True, False, False, False, False, True, True]
    found, where = leaves.label(torch.tensor([0.0, -1e-9, 5.0, -5.0]))
    assert found.tolist() == [6, 1, 6, 1]
    assert where.tolist() == pytest.approx([0, 1, 0.5, 0.5])
    certain = torch.full((1, 8), -9.0)
    certain[0, 4] = 0.0  # an empty leaf seems likeliest
    certain[0, 7] = -1.0
    assert leaves.decode(certain, torch.full((1, 8), 0.5)).item() == pytest.approx(55)


def test_an_outermost_leaf_without_width_counts_points() -> None:
    leaves = of_edges(0, 100, 100)
    found, where = leaves.label(torch.tensor([100.0, 103.0, -103.0, 99.0]))
    assert found.tolist() == [3, 3, 0, 2]
    assert where.tolist() == pytest.approx([0, 3, -3, 0.99])
    surely_last = torch.tensor([[-9.0, -9.0, -9.0, 0.0]])
    assert leaves.decode(surely_last, torch.full((1, 4), 3.0)).item() == pytest.approx(103)


def plain_label(edges: list[float], delta: float) -> tuple[int, float]:
    """One difference at a time, leaf by leaf, as the definition says."""
    half = len(edges) - 1
    for k in range(half):
        low, high = edges[k], edges[k + 1]
        outermost = k == half - 1
        inside = low <= abs(delta) and (abs(delta) < high or outermost)
        if inside and (high > low or outermost):
            width = high - low or 1.0
            if delta >= 0:
                return half + k, (delta - low) / width
            return half - 1 - k, (delta + high) / width
    raise AssertionError(delta)


def test_labels_agree_with_plain_loops_and_decode_back() -> None:
    random = np.random.default_rng(0)
    for scores in (
        random.uniform(0, 100, 60),
        np.round(random.uniform(0, 100, 60) / 5) * 5,  # many ties
        np.repeat([20.0, 80.0], 20),
    ):
        leaves = Leaves(depth=5)
        leaves.fit(scores)
        edges = leaves.edges.tolist()
        deltas = np.concatenate(
            [np.subtract.outer(scores, scores).ravel(), edges, np.negative(edges), [170, -170]]
        )
        found, where = leaves.label(torch.from_numpy(deltas))
        plain = [plain_label(edges, float(delta)) for delta in deltas]
        assert found.tolist() == [leaf for leaf, _ in plain]
        np.testing.assert_allclose(where, [position for _, position in plain], atol=1e-6)
        certain = torch.nn.functional.one_hot(found, leaves.count).float().log()
        back = leaves.decode(certain, where[:, None].expand(-1, leaves.count))
        np.testing.assert_allclose(back, deltas, atol=1e-4)


def test_the_leaves_hold_equally_many_pairs() -> None:
    scores = np.random.default_rng(1).uniform(0, 100, 200)
    leaves = Leaves(depth=5)
    leaves.fit(scores)
    one, other = np.triu_indices(len(scores), k=1)
    found, _ = leaves.label(torch.from_numpy(scores[one] - scores[other]).abs())
    counts = np.bincount(found, minlength=16)[8:]
    assert counts.max() - counts.min() <= 2


def test_the_mean_over_leaves_by_hand() -> None:
    leaves = of_edges(0, 30, 100)
    shares = torch.tensor([[0.0, 0.0, 0.25, 0.75]]).log()
    positions = torch.tensor([[0.0, 0.0, 0.5, 0.0]])
    # 0.25 × 15 + 0.75 × 30
    assert leaves.decode(shares, positions, "expected").item() == pytest.approx(26.25)
    assert leaves.decode(shares, positions, "best").item() == pytest.approx(30)


def test_scores_that_give_no_pairs_are_refused() -> None:
    with pytest.raises(InputError, match="two or more finite training scores"):
        Leaves().fit([50.0])
    with pytest.raises(InputError, match="two or more finite training scores"):
        Leaves().fit([50.0, float("nan")])


def test_the_tree_agrees_with_a_walk_from_node_to_node() -> None:
    torch.manual_seed(0)
    tree = RegressionTree(7, hidden=5, depth=4).eval()
    pairs = torch.randn(3, 7)
    out = tree(pairs)
    assert out.log_probs.shape == out.positions.shape == (3, 8)
    torch.testing.assert_close(out.log_probs.exp().sum(dim=1), torch.ones(3))
    for row, pair in enumerate(pairs):
        for leaf in range(8):
            x, node, log_prob = torch.relu(tree.first(pair)), 0, 0.0
            for level in range(3):
                way = (leaf >> (2 - level)) & 1
                choose, grow = tree.choose[level], tree.grow[level]
                log_prob += torch.log_softmax(choose.weight[node] @ x + choose.bias[node], 0)[way]
                grown = torch.relu(grow.weight[node] @ x + grow.bias[node])
                x, node = grown[5 * way : 5 * way + 5], 2 * node + way
            position = tree.place.weight[leaf, 0] @ x + tree.place.bias[leaf, 0]
            torch.testing.assert_close(out.log_probs[row, leaf], log_prob)
            torch.testing.assert_close(out.positions[row, leaf], position)
