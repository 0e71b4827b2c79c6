"""CoRe: widths of the paper, exact masks, batches, the loss by hand, voters, learning."""

import numpy as np
import pytest
import torch

from aqa.core import CoRe
from aqa.layout import Layout
from aqa.streams import Streams, column_mask, drop_streams
from aqa.voters import voters
from flex.problems import InputError

LAYOUT = Layout(views=("a", "b"), view_width=6, pose=True, pose_width=4, semg="peak_share")
SCORES = np.linspace(40, 90, 30)


def batch(count: int, seed: int = 0, layout: Layout = LAYOUT) -> Streams:
    random = torch.Generator().manual_seed(seed)
    return Streams(
        {name: torch.randn(count, w, generator=random) for name, w in layout.widths.items()}
    )


def fitted(layout: Layout = LAYOUT, **settings: str) -> CoRe:
    torch.manual_seed(0)
    core = CoRe(layout, hidden=16, **settings)  # type: ignore[arg-type]
    core.eval()
    core.fit(SCORES)
    return core


def test_the_widths_are_the_papers() -> None:
    views = ("View-1", "View-2")
    assert Layout().width == 1024
    assert Layout(views=views).width == 2048
    assert Layout(views=views, pose=True).width == 2304
    assert Layout(views=views, pose=True, semg="peak_share").width == 2306
    assert CoRe(Layout()).tree.first.in_features == 2049
    assert CoRe(Layout()).leaves.count == 16


def test_layouts_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="no stream is left"):
        Layout(views=())
    with pytest.raises(ValueError, match="views must differ"):
        Layout(views=("a", "a"))


def test_one_clip_equals_four() -> None:
    core = fitted()
    target, exemplars = batch(4), batch(12, seed=1)
    known = torch.linspace(45, 85, 12).reshape(4, 3)
    together = core.predict(target, exemplars, known)
    apart = [
        core.predict(
            target.rows(slice(n, n + 1)), exemplars.rows(slice(3 * n, 3 * n + 3)), known[n : n + 1]
        )
        for n in range(4)
    ]
    assert together.shape == (4,)
    torch.testing.assert_close(together, torch.cat(apart))


def test_standardised_features_have_no_unit() -> None:
    train, target, exemplars = batch(40, seed=2), batch(2), batch(2, seed=1)
    known = torch.tensor([[50.0], [60.0]])
    found = []
    for scale, offset in ((1.0, 0.0), (1000.0, 5.0)):

        def moved(clips: Streams, scale: float = scale, offset: float = offset) -> Streams:
            return Streams({name: scale * v + offset for name, v in clips.values.items()})

        core = fitted()
        core.standardise(moved(train))
        found.append(core.predict(moved(target), moved(exemplars), known))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-3)
    raw = fitted().predict(target, exemplars, known)
    assert not torch.allclose(found[0], raw, atol=1e-3)


def test_more_voters_are_averaged() -> None:
    core = fitted()
    target, exemplars = batch(1), batch(3, seed=1)
    known = torch.tensor([[50.0, 60.0, 70.0]])
    votes = [
        core.predict(target, exemplars.rows(slice(n, n + 1)), known[:, n : n + 1]) for n in range(3)
    ]
    torch.testing.assert_close(core.predict(target, exemplars, known), sum(votes) / 3)


@pytest.mark.parametrize("gone", ["b", "pose", "semg"])
@pytest.mark.parametrize("where", ["target", "exemplar"])
def test_a_masked_stream_equals_one_that_is_not_there(gone: str, where: str) -> None:
    core = fitted()
    exemplar, target = batch(4, seed=1), batch(4)
    known = torch.tensor([50.0, 60.0, 70.0, 80.0])

    def without(clips: Streams, how: str) -> Streams:
        values = dict(clips.values)
        if how == "absent":
            del values[gone]
            return Streams(values)
        values[gone] = torch.full_like(values[gone], float("nan"))
        return Streams(values, {gone: torch.zeros(4, dtype=torch.bool)})

    def run(how: str) -> torch.Tensor:
        pair = {"exemplar": exemplar, "target": target}
        pair[where] = without(pair[where], how)
        return core(pair["exemplar"], pair["target"], known).log_probs

    both = core(without(exemplar, "absent"), without(target, "absent"), known).log_probs
    masked = run("masked")
    assert torch.equal(masked, both)
    assert torch.equal(masked, run("absent"))
    assert not torch.allclose(masked, core(exemplar, target, known).log_probs)


def test_a_masked_stream_equals_a_model_without_it() -> None:
    core, layout = fitted(), Layout(views=("a", "b"), view_width=6, pose=True, pose_width=4)
    smaller = fitted(layout)
    state = core.tree.state_dict()
    # [exemplar, target, score]: the sEMG's columns are the last two of either clip.
    kept = [n for n in range(2 * LAYOUT.width + 1) if n % LAYOUT.width < layout.width or n == 36]
    state["first.weight"] = state["first.weight"][:, kept]
    smaller.tree.load_state_dict(state)
    gone = {"semg": torch.zeros(4, dtype=torch.bool)}
    exemplar, target = (Streams(batch(4, seed).values, gone) for seed in (1, 0))
    known = torch.tensor([50.0, 60.0, 70.0, 80.0])
    for mine, other in zip(
        core(exemplar, target, known), smaller(exemplar, target, known), strict=True
    ):
        torch.testing.assert_close(mine, other)


def test_the_loss_by_hand() -> None:
    core = fitted()
    one, other = batch(3), batch(3, seed=1)
    scores = torch.tensor([50.0, 60.0, 90.0]), torch.tensor([70.0, 60.0, 45.0])
    leaf = position = 0.0
    for exemplar, target, known, asked in (
        (one, other, *scores),
        (other, one, scores[1], scores[0]),
    ):
        out = core(exemplar, target, known)
        # The inner scale: 40–90 becomes 0–100.
        wanted, where = core.leaves.label((asked - known) * 2)
        for n in range(3):
            leaf -= out.log_probs[n, wanted[n]].item() / 3
            position += (out.positions[n, wanted[n]] - where[n]).item() ** 2 / 3
    loss = core.loss(one, other, *scores)
    assert loss.leaf.item() == pytest.approx(leaf, rel=1e-4)
    assert loss.position.item() == pytest.approx(position, rel=1e-4)
    assert loss.total.item() == pytest.approx(leaf + position, rel=1e-4)


def test_binary_cross_entropy_over_the_leaves_by_hand() -> None:
    core = fitted(leaf_loss="bce")
    one, other = batch(1), batch(1, seed=1)
    loss = core.loss(one, other, torch.tensor([50.0]), torch.tensor([70.0])).leaf.item()
    expected = 0.0
    for exemplar, target, known, delta in ((one, other, 50.0, 40.0), (other, one, 70.0, -40.0)):
        shares = core(exemplar, target, torch.tensor([known])).log_probs.exp()[0].double()
        wanted = core.leaves.label(torch.tensor([delta]))[0].item()
        truth = torch.zeros(16, dtype=torch.float64)
        truth[wanted] = 1
        expected += torch.nn.functional.binary_cross_entropy(shares, truth, reduction="sum").item()
    assert loss == pytest.approx(expected, rel=1e-4)


def test_the_exemplars_score_is_read_and_the_targets_is_not() -> None:
    core = fitted()
    one, other = batch(1), batch(1, seed=1)
    low, high = (core(one, other, torch.tensor([score])) for score in (50.0, 80.0))
    assert not torch.allclose(low.log_probs, high.log_probs)
    # 65 is half-way in 40–90, so the hint is 0.5.
    pair = torch.cat([*one.values.values(), *other.values.values(), torch.tensor([[0.5]])], dim=1)
    torch.testing.assert_close(core(one, other, torch.tensor([65.0])), core.tree(pair))


def test_gradients_reach_every_weight() -> None:
    core = fitted().train()
    known, asked = torch.linspace(40, 90, 60), torch.linspace(90, 40, 60)
    core.loss(batch(60), batch(60, seed=1), known, asked).total.backward()
    for name, weight in core.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_range_and_leaves_travel_with_the_weights() -> None:
    core, other = fitted(), CoRe(LAYOUT, hidden=16).eval()
    other.load_state_dict(core.state_dict())
    known = torch.tensor([[50.0]])
    mine = core.predict(batch(1), batch(1, seed=1), known)
    assert torch.equal(mine, other.predict(batch(1), batch(1, seed=1), known))
    assert other.score_range.tolist() == [40, 90]


def test_it_learns_to_tell_scores() -> None:
    torch.manual_seed(0)
    layout = Layout(views=("a",), view_width=3)
    core = CoRe(layout, hidden=16, depth=4)
    random = np.random.default_rng(0)
    features = torch.from_numpy(random.normal(size=(120, 3))).float()
    scores = 60 + 10 * features[:, 0]
    core.fit(scores[:80].numpy())
    optimizer = torch.optim.Adam(core.parameters(), lr=1e-2)
    for _ in range(80):
        rows = torch.from_numpy(random.integers(80, size=(2, 64)))
        one, other = (Streams({"a": features[row]}) for row in rows)
        loss = core.loss(one, other, scores[rows[0]], scores[rows[1]]).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    chosen = torch.from_numpy(random.integers(80, size=(40, 3)))
    exemplars = Streams({"a": features[chosen.flatten()]})
    with torch.no_grad():
        found = core.eval().predict(Streams({"a": features[80:]}), exemplars, scores[chosen])
    error = (found - scores[80:]).abs().mean().item()
    assert error < 0.4 * (scores[80:] - scores[:80].mean()).abs().mean().item()


def test_scores_without_a_range_are_refused() -> None:
    with pytest.raises(InputError, match="must span a range, found 50 to 50"):
        CoRe(LAYOUT).fit([50.0, 50.0])


def test_features_of_another_width_are_named() -> None:
    clips = Streams({**batch(2).values, "pose": torch.zeros(2, 5)})
    with pytest.raises(InputError, match=r"pose: expected features of \(B, 4\), found \(2, 5\)"):
        fitted()(clips, clips, torch.tensor([50.0, 60.0]))
    with pytest.raises(InputError, match="one size of batch"):
        Streams({"a": torch.zeros(2, 6), "b": torch.zeros(3, 6)})


def test_the_mask_covers_each_streams_columns() -> None:
    present = torch.tensor([[True, False, True, False]])
    assert (
        column_mask(LAYOUT, present)[0].tolist()
        == [True] * 6 + [False] * 6 + [True] * 4 + [False] * 2
    )


def test_streams_are_dropped_by_chance_but_never_all() -> None:
    present = torch.tensor([[True, True, True, False], [True, False, False, False]]).repeat(500, 1)
    kept = drop_streams(present, 0.5, torch.Generator().manual_seed(0))
    assert not (kept & ~present).any()
    assert kept.any(dim=1).all()
    assert kept[1::2, 0].all()
    assert 0.5 < kept[::2, :3].float().mean().item() < 0.65
    everything = drop_streams(present, 1.0, torch.Generator().manual_seed(0))
    assert (everything.sum(dim=1) == 1).all()


def test_voters_are_fixed_by_the_clips_id() -> None:
    pool = [f"A01/{n:03d}" for n in range(1, 60)]
    chosen = voters("A01/007", pool, 3)
    assert chosen == voters("A01/007", reversed(pool), 3) == voters("A01/007", pool + pool, 3)
    assert len(set(chosen)) == 3
    assert "A01/007" not in voters("A01/007", pool, 58)
    assert chosen == voters("A01/007", pool, 10)[:3]
    # A clip more in the pool leaves the others' order as it is.
    assert [v for v in voters("A01/007", [*pool, "A01/099"], 5) if v != "A01/099"][:3] == list(
        chosen
    )
    others = {voters(clip, pool, 3) for clip in pool}
    assert len(others) > 50
    assert chosen != voters("A01/007", pool, 3, seed=1)
    with pytest.raises(InputError, match="3 exemplars are to be drawn from 1 other clips"):
        voters("A01/007", ["A01/007", "A01/008"], 3)
