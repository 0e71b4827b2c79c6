"""The graph head: columns, exact masks, batches, losses by hand, learning, verdicts by Eq. 1."""

import numpy as np
import pytest
import torch

from aqa.error_columns import ErrorColumns
from aqa.error_loss import ErrorLoss, error_loss, graph_loss, pos_weights
from aqa.graph_head import ErrorLogits, GraphHead, HeadSettings, base_rates
from aqa.layout import Layout
from aqa.streams import Streams
from aqa.verdicts import expected_scores, verdicts
from flex.graph import Occurrence
from flex.graph_file import load_graph
from flex.problems import InputError
from flex.sample import Annotation, ErrorLabel
from flex.scoring import score

GRAPH = load_graph()
COLUMNS = ErrorColumns(GRAPH)
LAYOUT = Layout(views=("a", "b"), view_width=6, pose=True, pose_width=4, semg="peak_share")
# Figure 11: 37 of 161.
FIGURE_11 = ["AK01:ET001", "AK02:ET006", "AK04:ET005", "AK04:ET008", "AK05:ET018", "AK05:ET003"]


def batch(count: int, seed: int = 0, layout: Layout = LAYOUT) -> Streams:
    random = torch.Generator().manual_seed(seed)
    return Streams(
        {name: torch.randn(count, w, generator=random) for name, w in layout.widths.items()}
    )


def made(layout: Layout = LAYOUT) -> GraphHead:
    """Return a head whose zeros are shaken, so that nothing is equal by chance."""
    torch.manual_seed(0)
    head = GraphHead(layout, COLUMNS, HeadSettings(hidden=16))
    head.eval()
    for weight in head.parameters():
        weight.data += 0.3 * torch.randn_like(weight)
    return head


def record(action: str, *errors: str, labelled: tuple[str, ...] | None = None) -> Annotation:
    pairs = [Occurrence.parse(error) for error in errors]
    return Annotation(
        clip="x",
        action=action,
        errors=tuple(ErrorLabel(key_step=o.key_step, error_type=o.error_type) for o in pairs),
        labelled=labelled,
    )


def test_the_columns_are_the_papers_edges() -> None:
    assert len(COLUMNS) == 278
    assert COLUMNS.known.sum() == 416
    assert COLUMNS.totals[0] == 161
    assert COLUMNS.weights[COLUMNS.known[0]].sum() == 161
    assert COLUMNS.rows(["A03", "Squat"]).tolist() == [2, 15]


def test_labels_and_what_was_looked_for() -> None:
    labels, known = COLUMNS.labels(
        [record("A01", *FIGURE_11), record("A01", FIGURE_11[0], labelled=tuple(FIGURE_11[:2]))]
    )
    assert labels.sum(axis=1).tolist() == [6, 1]
    assert (labels @ COLUMNS.weights)[0] == 37
    assert known[0].tolist() == COLUMNS.known[0].tolist()
    assert np.flatnonzero(known[1]).tolist() == sorted(
        COLUMNS.of(map(Occurrence.parse, FIGURE_11[:2]))
    )
    with pytest.raises(InputError, match="not an error of A16"):
        COLUMNS.labels([record("A16", "AK02:ET006")])


def test_what_nothing_recorded_can_show() -> None:
    breathing = [o.error_type in ("ET014", "ET017") for o in COLUMNS.occurrences]
    assert COLUMNS.unseen(["video", "pose"]).tolist() == breathing
    assert not COLUMNS.unseen(["video", "pose", "breathing"]).any()
    hidden = COLUMNS.unseen(["video", "breathing"], ["ET056"])
    assert {COLUMNS.occurrences[n].error_type for n in np.flatnonzero(hidden)} == {"ET056"}
    # A pose shows what the camera hides.
    assert not COLUMNS.unseen(["video", "pose", "breathing"], ["ET056"]).any()


def test_one_clip_equals_four() -> None:
    head, actions = made(), torch.tensor([0, 4, 15, 19])
    features = batch(4)
    together = head(features, actions)
    assert together.fused.shape == (4, 278)
    assert together.alone.shape == (4, 4, 278)
    for n in range(4):
        one = head(features.rows(slice(n, n + 1)), actions[n : n + 1])
        torch.testing.assert_close(together.fused[n : n + 1], one.fused)
        torch.testing.assert_close(together.alone[n : n + 1], one.alone)


@pytest.mark.parametrize("gone", list(LAYOUT.widths))
def test_a_masked_stream_equals_one_that_is_not_there(gone: str) -> None:
    head, actions, features = made(), torch.tensor([0, 4, 15, 19]), batch(4)
    values = {name: value for name, value in features.values.items() if name != gone}
    absent = head(Streams(values), actions).fused
    broken = {**features.values, gone: torch.full_like(features.values[gone], float("nan"))}
    nowhere = torch.zeros(4, dtype=torch.bool)
    assert torch.equal(head(Streams(broken, {gone: nowhere}), actions).fused, absent)
    dropped = torch.tensor([[name != gone for name in LAYOUT.widths]]).expand(4, -1)
    assert torch.equal(head(features, actions, dropped).fused, absent)
    assert not torch.allclose(head(features, actions).fused, absent)


def test_a_missing_stream_equals_a_head_without_it() -> None:
    head, smaller = made(), made(Layout(views=("a", "b"), view_width=6, pose=True, pose_width=4))
    state = {k: v for k, v in head.state_dict().items() if not k.startswith("trunks.semg")}
    for name in ("stream", "trust", "gain"):
        state[name] = state[name][:3]
    for name in ("mean", "deviation"):
        state[name] = state[name][:-2]
    smaller.load_state_dict(state)
    features, actions = batch(3), torch.tensor([0, 1, 2])
    values = {name: value for name, value in features.values.items() if name != "semg"}
    torch.testing.assert_close(
        head(Streams(values), actions).fused, smaller(features, actions).fused
    )


def test_a_clip_without_any_stream_gets_the_prior() -> None:
    head = made()
    nowhere = {name: torch.zeros(2, dtype=torch.bool) for name in LAYOUT.widths}
    out = head(Streams(batch(2).values, nowhere), torch.tensor([3, 7]))
    assert torch.equal(out.fused, head.prior[[3, 7]])


def test_gradients_reach_every_weight() -> None:
    head = made().train()
    actions = torch.arange(20).repeat(3)
    out = head(batch(60), actions)
    known = torch.from_numpy(COLUMNS.known)[actions]
    labels = (torch.rand(60, 278, generator=torch.Generator().manual_seed(1)) < 0.2).float()
    graph_loss(out, labels, known, ErrorLoss(), torch.ones(278)).backward()
    for name, weight in head.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.abs().sum() > 0, name


def test_scales_and_base_rates_come_from_what_is_there() -> None:
    head = made()
    features = batch(6)
    pose = torch.arange(24.0).reshape(6, 4)
    pose[4:] = 1e6  # absent
    has_pose = torch.tensor([True] * 4 + [False] * 2)
    actions = torch.tensor([0] * 6)
    labels, known = torch.zeros(6, 278), torch.from_numpy(COLUMNS.known)[actions]
    labels[:3, COLUMNS.of([Occurrence.parse("AK01:ET001")])] = 1
    head.fit(Streams({**features.values, "pose": pose}, {"pose": has_pose}), labels, known, actions)
    assert head.mean[12:16].tolist() == [6, 7, 8, 9]
    torch.testing.assert_close(head.deviation[12:16], pose[:4].std(dim=0, correction=0))
    column = COLUMNS.of([Occurrence.parse("AK01:ET001")])[0]
    # Over all actions 3.5 of 7; the action's own 3 of 6, with four more clips at that rate.
    assert head.base_rate[0, column].item() == pytest.approx(0.5)
    assert head.prior[0, column].item() == pytest.approx(0, abs=1e-6)
    assert base_rates(labels, known, actions, 20).min() > 0


def test_the_weighted_loss_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0, 5.0], [0.0, 0.0, 5.0]])
    labels = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    known = torch.tensor([[True, True, False], [True, True, False]])
    weight = pos_weights(labels, known, heaviest=10)
    assert weight.tolist() == [1, 1, 1]
    rare = torch.cat([labels, torch.zeros(6, 3)]), torch.cat([known, torch.ones(6, 3).bool()])
    assert pos_weights(*rare, heaviest=10).tolist() == [7, 1, 1]
    assert pos_weights(*rare, heaviest=3).tolist() == [3, 1, 1]
    weight = torch.tensor([3.0, 1.0, 1.0])
    # Four claims at 0.5; the positive weighs three.
    loss = error_loss(logits, labels, known, ErrorLoss(), weight)
    assert loss.item() == pytest.approx((3 + 1 + 1 + 1) / 4 * np.log(2))
    plain = error_loss(logits, labels, known, ErrorLoss(kind="plain"), weight)
    assert plain.item() == pytest.approx(np.log(2))
    assert error_loss(logits, labels, known & False, ErrorLoss(), weight).item() == 0


def test_the_asymmetric_loss_by_hand() -> None:
    settings = ErrorLoss(kind="asymmetric", focus_negative=2, focus_positive=1, margin=0.1)
    logits = torch.tensor([[0.0, 0.0, -3.0]])
    labels = torch.tensor([[1.0, 0.0, 0.0]])
    # Positive: 0.5 · ln 2. Negative at 0.5 − 0.1: 0.16 · −ln 0.6. One below the margin: nothing.
    expected = (0.5 * np.log(2) + 0.16 * -np.log(0.6)) / 3
    loss = error_loss(logits, labels, torch.ones(1, 3).bool(), settings, torch.ones(3))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_absent_streams_have_no_loss_of_their_own() -> None:
    alone = torch.tensor([[[2.0], [float("nan")]]])
    out = ErrorLogits(
        torch.zeros(1, 1), alone, torch.tensor([[True, False]]), torch.ones(1, 1).bool()
    )
    loss = graph_loss(out, torch.ones(1, 1), out.known, ErrorLoss(alone=0.5), torch.ones(1))
    assert loss.item() == pytest.approx(np.log(2) + 0.5 * np.log1p(np.exp(-2)), rel=1e-5)


def test_it_learns_which_errors_are_there_from_whatever_is_there() -> None:
    random = torch.Generator().manual_seed(0)
    layout = Layout(views=("a",), view_width=8, pose=True, pose_width=8)
    torch.manual_seed(0)
    head = GraphHead(layout, COLUMNS, HeadSettings(hidden=32, dropout=0.0))
    cause = torch.randn(400, 8, generator=random)
    actions = torch.randint(20, (400,), generator=random)
    known = torch.from_numpy(COLUMNS.known)[actions]
    types = torch.from_numpy(COLUMNS.types)
    labels = (cause[:, types % 8] > 0.8).float() * known
    values = {"a": cause, "pose": -cause}
    head.fit(Streams(values).rows(slice(300)), labels[:300], known[:300], actions[:300])
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-2)
    for step in range(60):
        present = torch.tensor([[step % 3 != 0, step % 3 != 1]]).expand(300, -1)
        out = head(Streams(values).rows(slice(300)), actions[:300], present)
        loss = graph_loss(out, labels[:300], known[:300], ErrorLoss(kind="plain"), torch.ones(278))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    test = slice(300, 400)
    there, truth = known[test], labels[test][known[test]]
    for streams in (values, {"a": cause}, {"pose": -cause}):
        with torch.no_grad():
            out = head.eval()(Streams(streams).rows(test), actions[test])
        right = ((out.fused > 0)[there] == truth.bool()).float().mean().item()
        assert right > 1 - truth.mean().item() + 0.05


def test_the_expected_score_is_eq_1_where_all_is_certain() -> None:
    labels, _ = COLUMNS.labels([record("A01", *FIGURE_11), record("A16")])
    rows = COLUMNS.rows(["A01", "A16"])
    assert expected_scores(COLUMNS, rows, labels).tolist() == pytest.approx([77.018634, 100])
    found = made().expected_score(torch.from_numpy(labels), torch.from_numpy(rows))
    assert found.tolist() == pytest.approx([77.018634, 100])


def test_verdicts_by_hand() -> None:
    labels, _ = COLUMNS.labels([record("A01", *FIGURE_11)] * 2)
    probabilities = np.where(labels > 0, 0.8, 0.1)
    column = COLUMNS.of([Occurrence.parse("AK04:ET008")])[0]
    unseen = np.zeros((2, 278), dtype=bool)
    unseen[1, column] = True
    base = np.full((20, 278), 0.3)
    sure, blind = verdicts(
        COLUMNS, ["A01", "A01"], probabilities, threshold=0.5, unseen=unseen, base_rate=base
    )
    assert [str(error) for error in sure.errors] == [
        str(o) for o in GRAPH.in_order("A01", map(Occurrence.parse, FIGURE_11))
    ]
    assert sure.score == 77.02
    assert sure.expected_score == pytest.approx(100 * (1 - (0.8 * 37 + 0.1 * 124) / 161))
    assert sure.abstained == ()
    assert [str(o) for o in blind.abstained] == ["AK04:ET008"]
    assert "AK04:ET008" not in map(str, [*blind.errors, *blind.probabilities])
    weight = GRAPH.weight(Occurrence.parse("AK04:ET008"))
    assert blind.score == score(GRAPH, "A01", blind.errors, scope=blind.probabilities)
    assert blind.expected_score - sure.expected_score == pytest.approx(100 * 0.5 * weight / 161)
    nothing = verdicts(COLUMNS, ["A01"], probabilities[:1], unseen=np.ones(278, dtype=bool))[0]
    assert nothing.score is None
    assert nothing.errors == ()


def test_thresholds_may_differ_by_error() -> None:
    limits = np.full(278, 0.9)
    limits[COLUMNS.of([Occurrence.parse("AK01:ET001")])] = 0.2
    found = verdicts(COLUMNS, ["A01"], np.full((1, 278), 0.5), threshold=limits)[0]
    assert [str(error) for error in found.errors] == ["AK01:ET001"]
