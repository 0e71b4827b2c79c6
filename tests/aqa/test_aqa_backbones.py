"""The backbones: shapes, one clip equals four, gradients, what a window is."""

import pytest
import torch
from torch import nn
from torch.nn.functional import max_pool3d

from aqa.encoders import ClipEncoder
from aqa.layout import Layout
from aqa.semg_encoder import EnvelopeEncoder
from aqa.streams import Streams
from flex.problems import InputError
from learn.i3d import I3D, SamePool, Size3, pad_same
from learn.pose_course import PoseCourse
from learn.small_cnn import SmallCnn
from learn.stgcn import STGCN

CASES = [
    (lambda: I3D(width=0.125), (3, 16, 40, 32), 128),
    (lambda: I3D(width=0.125, stem_stride=(2, 1, 1)), (3, 9, 24, 24), 128),
    (lambda: SmallCnn(features=48), (3, 16, 48, 32), 48),
    (lambda: STGCN(widths=(8, 8, 16)), (20, 25, 3), 16),
    (lambda: STGCN(widths=(8, 16), strategy="uniform"), (20, 25, 3), 16),
    (lambda: PoseCourse(features=24, dropout=0), (20, 25, 3), 24),
    (lambda: EnvelopeEncoder(features=12), (2, 103), 12),
]


@pytest.mark.parametrize(("make", "shape", "width"), CASES)
def test_one_clip_equals_four(make, shape, width) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    model = make().eval()
    clips = torch.rand(4, *shape)
    with torch.no_grad():
        together = model(clips)
        apart = torch.cat([model(clip[None]) for clip in clips])
    assert together.shape == (4, width) == (4, model.features)
    assert not torch.allclose(together[0], together[1], atol=1e-4)
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("make", "shape", "width"), CASES)
def test_gradients_reach_every_weight(make, shape, width) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    model = make().train()
    (model(torch.rand(2, *shape)) ** 2).sum().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_the_papers_widths() -> None:
    assert I3D().features == 1024
    assert STGCN().features == 256
    assert 3e5 <= sum(weight.numel() for weight in SmallCnn().parameters()) <= 1e6


def test_same_padding_is_tensorflows() -> None:
    # 5 frames, kernel 3, stride 2 give 3: one zero at each end. 4 give 2: one, at the end only.
    x, left = pad_same(torch.ones(1, 1, 5, 1, 1), (3, 1, 1), (2, 1, 1))
    assert (x.shape[2], left) == (5, (1, 0, 0))
    x, left = pad_same(torch.ones(1, 1, 4, 1, 1), (3, 1, 1), (2, 1, 1))
    assert x.flatten().tolist() == [1, 1, 1, 1, 0]
    assert left == (0, 0, 0)


@pytest.mark.parametrize("kernel", [(1, 3, 3), (3, 3, 3), (2, 2, 2)])
@pytest.mark.parametrize("stride", [(1, 1, 1), (1, 2, 2), (2, 2, 2)])
def test_a_pool_in_two_steps_is_the_pool_of_the_box(kernel: Size3, stride: Size3) -> None:
    torch.manual_seed(0)
    x = torch.rand(2, 3, 7, 8, 9)
    mine, theirs = (x.clone().requires_grad_() for _ in range(2))
    padded, left = pad_same(theirs, kernel, stride)
    whole = max_pool3d(padded, kernel, stride, left)
    pooled = SamePool(kernel, stride)(mine)
    assert torch.equal(pooled, whole)
    for result in (pooled, whole):
        result.square().sum().backward()
    torch.testing.assert_close(mine.grad, theirs.grad)


def test_the_order_of_time_matters() -> None:
    torch.manual_seed(0)
    model = SmallCnn().eval()
    clip = torch.rand(1, 3, 16, 32, 32)
    with torch.no_grad():
        assert not torch.allclose(model(clip), model(clip.roll(5, dims=2)), atol=1e-4)


class Recorder(nn.Module):  # type: ignore[misc]
    """A backbone that notes how many segments it saw, and gives their mean pixel."""

    features = 2

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []
        self.norm = nn.BatchNorm1d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(x))
        return x.flatten(1).mean(dim=1, keepdim=True).expand(-1, 2)


def test_windows_are_averaged_and_absent_clips_not_seen() -> None:
    video = Recorder()
    layout = Layout(views=("a", "b"), view_width=2)
    encoder = ClipEncoder(layout, video=video, starts=(0, 4), segments_at_once=3)
    frames = torch.full((3, 3, 20, 4, 4), 255, dtype=torch.uint8)
    frames[0, :, :4] = 0  # only in the first window: a quarter of it
    frames[2] = 77
    out = encoder(Streams({"a": frames}, {"a": torch.tensor([True, True, False])}))
    assert video.seen == [3, 1]  # two clips with two windows each
    # Symmetric pixels: white is 1, black −1. The mean of (0.5, 1) and 1.
    assert out.values["a"][:, 0].tolist() == pytest.approx([0.75, 1.0, 0.0])
    assert out.has("a").tolist() == [True, True, False]
    assert not out.has("b").any()


def test_frozen_statistics_stay_in_training() -> None:
    frozen = ClipEncoder(Layout(view_width=2), video=Recorder()).train()
    free = ClipEncoder(Layout(view_width=2), video=Recorder(), frozen_statistics=False).train()
    assert frozen.video is not None
    assert free.video is not None
    assert not frozen.video.norm.training
    assert free.video.norm.training


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(InputError, match="no backbone for it"):
        ClipEncoder(Layout(pose=True, view_width=2), video=Recorder())
    with pytest.raises(InputError, match="gives 2 features, the layout has 1024"):
        ClipEncoder(Layout(), video=Recorder())
    encoder = ClipEncoder(Layout(view_width=2), video=Recorder())
    with pytest.raises(InputError, match="need 102 frames, found 50"):
        encoder(Streams({"View-1": torch.zeros(1, 3, 50, 4, 4)}))
    with pytest.raises(InputError, match="none of View-1 is there"):
        encoder(Streams({"other": torch.zeros(1, 2)}))
