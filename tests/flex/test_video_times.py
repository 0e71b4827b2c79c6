"""When frames are shown: the clip's own clock, also where the frame rate varies."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from flex.problems import InputError
from flex.video import Frames, Sampler, sample, times_of
from flex.video_reader import picture_times

# A phone that films fast, then slowly in poor light, then fast again; in 1/30 s.
UNEVEN = (*range(12), *range(12, 60, 4), *range(60, 66))


def write(path: Path, at: Sequence[int], *, codec: str = "libx264", start: int = 0) -> Path:
    """Write frames that are shown at given times, in 1/30 s."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=Fraction(30))
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number, time in enumerate(at):
            pixels = np.full((64, 64, 3), 8 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = start + time, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("ending", "codec"), [("mp4", "libx264"), ("webm", "libvpx")])
def test_sampled_frames_know_their_true_times(tmp_path: Path, ending: str, codec: str) -> None:
    path = write(tmp_path / f"uneven.{ending}", UNEVEN, codec=codec)
    frames = sample(path, Sampler(frames=8))
    true = [UNEVEN[index] / 30 for index in frames.indices]
    assert frames.times_s == pytest.approx(true, abs=0.002)
    by_rate = [index / frames.fps for index in frames.indices]
    assert np.abs(np.subtract(true, by_rate)).max() > 0.2, "the mean rate would be far off"


def test_at_a_constant_rate_times_are_number_over_rate(tmp_path: Path) -> None:
    frames = sample(write(tmp_path / "even.mp4", range(30)), Sampler(frames=8))
    assert frames.times_s == pytest.approx([index / 30 for index in frames.indices])


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    path = write(tmp_path / "late.mkv", UNEVEN, start=90)
    assert picture_times(path, [0, 12, 13]) == pytest.approx([0, 0.4, 16 / 30], abs=0.002)
    assert times_of(path, (2, 2, 5)) == pytest.approx((2 / 30, 2 / 30, 5 / 30), abs=0.002)
    with pytest.raises(InputError, match=r"late\.mkv: has 30 frames, wanted number 30"):
        picture_times(path, [3, 30])


def test_a_bare_stream_without_times_goes_by_its_rate(tmp_path: Path) -> None:
    path = write(tmp_path / "bare.h264", range(20))
    with av.open(str(path)) as container:
        assert all(packet.pts is None for packet in container.demux(video=0) if packet.size)
        fps = float(container.streams.video[0].average_rate or 0)
    assert picture_times(path, [0, 10]) == pytest.approx([0, 10 / fps])


def test_a_folder_goes_by_its_rate(tmp_path: Path) -> None:
    assert times_of(tmp_path, (0, 15), 30) == (0, 0.5)


def test_frames_without_times_go_by_their_rate() -> None:
    pixels = np.zeros((2, 28, 28, 3), np.uint8)
    assert Frames(pixels, (0, 5), 10.0, 6).times_s == (0, 0.5)
    assert Frames(pixels, (0, 5), 10.0, 6, (0.0, 0.9)).times_s == (0, 0.9)
    with pytest.raises(ValueError, match="3 times for 2 frames"):
        Frames(pixels, (0, 5), 10.0, 6, (0.0, 0.9, 1.0))
