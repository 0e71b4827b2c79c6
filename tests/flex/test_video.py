"""The frame sampler: which frames, how large, and what happens to clips that are broken."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from pydantic import ValidationError

from flex import video_reader
from flex.problems import InputError
from flex.sample import PhaseSpan
from flex.video import Sampler, choose, probe, resized, sample
from flex.video_reader import VideoInfo

WriteVideo = Callable[..., Path]


@pytest.fixture
def write_shades(tmp_path: Path) -> WriteVideo:
    """Write a video whose frame i is grey of shade 2 × i."""

    def write(frames: int = 100, key_every: int = 12, size: tuple[int, int] = (64, 64)) -> Path:
        path = tmp_path / f"{frames}_{key_every}.mp4"
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream(
                "libx264", rate=Fraction(30), options={"sc_threshold": "0", "crf": "4"}
            )
            stream.width, stream.height = size
            stream.pix_fmt, stream.gop_size = "yuv420p", key_every
            for index in range(frames):
                pixels = np.full((size[1], size[0], 3), 2 * index, np.uint8)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


def shades(pixels: Any) -> list[int]:
    return [round(float(frame.mean()) / 2) for frame in pixels]


def test_uniform_takes_the_middle_of_each_part(write_shades: WriteVideo) -> None:
    frames = sample(write_shades(100), Sampler(frames=10))
    assert frames.indices == (5, 15, 25, 35, 45, 55, 65, 75, 85, 95)
    assert np.abs(np.array(shades(frames.pixels)) - frames.indices).max() <= 1
    assert frames.times_s[0] == pytest.approx(5 / 30)
    assert (frames.fps, frames.total) == (30.0, 100)


@pytest.mark.parametrize("key_every", [1, 5, 30, 1000])
def test_seeking_and_decoding_through_give_the_same_pixels(
    write_shades: WriteVideo, key_every: int
) -> None:
    path = write_shades(120, key_every)
    every = video_reader.read_pictures(path, range(120), (28, 28))
    few = video_reader.read_pictures(path, [0, 3, 41, 42, 97, 119], (28, 28))
    for index, picture in zip([0, 3, 41, 42, 97, 119], few, strict=True):
        np.testing.assert_array_equal(picture, every[index])


def test_a_seek_happens_only_past_a_key_frame(write_shades: WriteVideo) -> None:
    path = write_shades(120, 30)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = video_reader._list_packets(path, container, stream)
    assert len(packets.keys) == 4
    sought: list[int] = []

    class Counting:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def seek(self, at: int, **options: Any) -> None:
            sought.append(at)
            self.inner.seek(at, **options)

        def decode(self, stream: Any) -> Any:
            return self.inner.decode(stream)

    with av.open(str(path)) as container:
        found = video_reader._decode(
            Counting(container), container.streams.video[0], packets, [2, 20, 95, 100]
        )
        assert [index for index, _ in found] == [2, 20, 95, 100]
    assert sought == [packets.shown_at[90]]


def test_a_short_clip_repeats_frames(write_shades: WriteVideo) -> None:
    frames = sample(write_shades(3), Sampler(frames=8))
    assert frames.indices == (0, 0, 0, 1, 1, 2, 2, 2)
    assert len(frames.pixels) == 8


def test_phases_get_equal_shares() -> None:
    spans = [
        PhaseSpan(phase="preparation", start_s=0, end_s=0.2),
        PhaseSpan(phase="concentric", start_s=0.2, end_s=1.0),
        PhaseSpan(phase="eccentric", start_s=1.0, end_s=3.0),
    ]
    chosen = choose(VideoInfo(90, 30.0, 64, 64), Sampler(kind="phases", frames=8), spans)
    assert chosen == [1, 3, 5, 10, 18, 26, 45, 75]


def test_phases_that_are_missing_are_an_error(write_shades: WriteVideo) -> None:
    path = write_shades(10)
    with pytest.raises(InputError, match="has no phases"):
        sample(path, Sampler(kind="phases"))


@pytest.mark.parametrize(
    ("size", "pixels", "expected"),
    [
        ((224, 224), 112 * 112, (112, 112)),
        ((1920, 1080), 112 * 112, (140, 84)),
        ((1080, 1920), 112 * 112, (84, 140)),
        ((112, 112), 112 * 112, (112, 112)),
        ((64, 64), 112 * 112, (56, 56)),
        ((4000, 20), 112 * 112, (448, 28)),
        ((20, 20), 28 * 28, (28, 28)),
        ((640, 480), 224 * 224, (252, 168)),
    ],
)
def test_sizes_are_steps_of_28_within_the_pixels(
    size: tuple[int, int], pixels: int, expected: tuple[int, int]
) -> None:
    assert resized(*size, pixels) == expected
    assert expected[0] * expected[1] <= pixels


def test_a_folder_of_frames_gives_what_its_pictures_show(tmp_path: Path) -> None:
    folder = tmp_path / "View-1"
    folder.mkdir()
    for index in range(20):
        pixels = np.full((64, 64, 3), 10 * index, np.uint8)
        codec: Any = av.CodecContext.create("mjpeg", "w")
        codec.width = codec.height = 64
        codec.pix_fmt, codec.time_base = "yuvj420p", Fraction(1, 25)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuvj420p")
        data = b"".join(bytes(p) for p in [*codec.encode(frame), *codec.encode(None)])
        (folder / f"img_{index + 1:05d}.JPG").write_bytes(data)
    by_hand = Sampler(frames=4, folder_fps=10)
    frames = sample(folder, by_hand)
    assert frames.indices == (2, 7, 12, 17)
    assert frames.times_s == (0.2, 0.7, 1.2, 1.7)
    assert [round(float(frame.mean()) / 10) for frame in frames.pixels] == [2, 7, 12, 17]
    (folder / "img_00008.JPG").write_bytes(b"\xff\xd8 not a picture")
    with pytest.raises(InputError, match=r"img_00008\.JPG: "):
        sample(folder, by_hand)


def test_trap_10_a_broken_clip_is_named_not_replaced(
    write_shades: WriteVideo, tmp_path: Path
) -> None:
    whole = write_shades(100).read_bytes()
    cases = {"empty.mp4": b"", "text.mp4": b"no video" * 99, "cut.mp4": whole[: len(whole) // 2]}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            sample(tmp_path / name, Sampler())
    with pytest.raises(InputError, match=r"gone\.mp4: is missing"):
        sample(tmp_path / "gone.mp4", Sampler())
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match="holds no JPEG frames"):
        probe(tmp_path / "nothing")


def test_a_fragment_that_breaks_off_is_named(tmp_path: Path, write_shades: WriteVideo) -> None:
    """With the index in front, half a file opens well and only then turns out short."""
    path = tmp_path / "front.mp4"
    with (
        av.open(str(write_shades(100, 10))) as source,
        av.open(str(path), "w", options={"movflags": "faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    with pytest.raises(InputError, match=r"front\.mp4"):
        sample(path, Sampler())


@pytest.mark.parametrize("angle", [90, -90, 180])
def test_a_phone_video_is_turned_upright(tmp_path: Path, angle: int) -> None:
    path = tmp_path / "phone.mp4"
    pixels = np.zeros((56, 112, 3), np.uint8)
    pixels[:28, :56] = 255  # the upper left
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = 112, 56, "yuv420p"
        stream.set_display_rotation(angle)
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    expected = np.rot90(pixels, angle // 90 % 4)
    assert probe(path)[2:] == (expected.shape[1], expected.shape[0])
    shown = sample(path, Sampler(frames=2)).pixels[0]
    assert shown.shape == expected.shape
    assert np.abs(shown.astype(int) - expected).mean() < 10


def test_settings_are_checked_and_hashed() -> None:
    with pytest.raises(ValidationError, match="even number"):
        Sampler(frames=7)
    with pytest.raises(ValidationError, match="frame_rate"):
        Sampler.model_validate({"frame_rate": 2})
    kinds = {Sampler(), Sampler(frames=8), Sampler(kind="phases"), Sampler(pixels=784)}
    assert len({sampler.fingerprint() for sampler in kinds}) == 4
    assert Sampler().fingerprint() == Sampler(frames=16).fingerprint()


def test_a_clip_trimmed_by_an_edit_list_is_whole(write_shades: WriteVideo, tmp_path: Path) -> None:
    path = tmp_path / "trimmed.mp4"
    with av.open(str(write_shades(40)), metadata_errors="replace") as source:
        stream = source.streams.video[0]
        with av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as container:
            copy = container.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.dts is not None and packet.pts is not None and packet.duration:
                    packet.pts -= 10 * packet.duration
                    packet.dts -= 10 * packet.duration
                    packet.stream = copy
                    container.mux(packet)
    assert probe(path).frames == 30
    frames = sample(path, Sampler(frames=10))
    assert shades(frames.pixels) == pytest.approx([11 + 3 * n for n in range(10)], abs=1)


def test_a_title_in_another_encoding_does_not_matter(write_shades: WriteVideo) -> None:
    path = write_shades(20)
    text = path.read_bytes()
    assert b"Lavf" in text
    path.write_bytes(text.replace(b"Lavf", b"\xff\xfe\xfd\xfc"))
    assert probe(path).frames == 20
