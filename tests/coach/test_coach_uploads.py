"""Uploads: what is taken, how it is seen, and the friendly word for each clip that is refused."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from coach_clips import write_film, write_sound

from coach import uploads
from coach.limits import Limits
from coach.refusals import REFUSALS_FILE, UploadError, shown_name
from coach.uploads import Upload, accept
from flex import video
from flex.video import Sampler
from vlm.cache import FrameCache

SMALL = Sampler(frames=8, pixels=56 * 56)
USUAL = Limits()


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., Upload]:
    cache = FrameCache(tmp_path / "frames")

    def take(path: Path, limits: Limits = USUAL, sampler: Sampler = SMALL) -> Upload:
        return accept(path, limits, cache, sampler)

    return take


def refusal(take: Callable[..., Upload], path: Path, limits: Limits = USUAL) -> UploadError:
    with pytest.raises(UploadError) as caught:
        take(path, limits)
    sentence = caught.value.sentence
    assert sentence.endswith(".")
    assert "{" not in sentence
    assert ";" in sentence, "what is wrong; what to do"
    return caught.value


def test_a_good_clip_is_taken_with_its_frames(take: Callable[..., Upload], tmp_path: Path) -> None:
    upload = take(write_film(tmp_path / "squat.mp4"))
    assert upload.name == "squat.mp4"
    assert upload.info[:] == (24, 24.0, 96, 128)
    assert upload.frames.pixels.shape == (8, 56, 28, 3)
    by_rate = [index / 24 for index in upload.frames.indices]
    assert upload.frames.times_s == pytest.approx(by_rate)
    assert upload.duration_s == pytest.approx(1.0)
    assert len(upload.sha) == 64


def test_the_second_turn_decodes_nothing(
    take: Callable[..., Upload], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_film(tmp_path / "clip.mp4")
    first = take(path)

    def decode(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(video, "read_pictures", decode)
    second = take(path)
    np.testing.assert_array_equal(first.frames.pixels, second.frames.pixels)


def test_the_name_does_not_decide(take: Callable[..., Upload], tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4")
    assert take(film.rename(tmp_path / "notes.txt")).info.frames == 24


@pytest.mark.parametrize("ending", ["webm", "mkv", "mov", "avi"])
def test_other_containers_are_taken(
    take: Callable[..., Upload], tmp_path: Path, ending: str
) -> None:
    codec = "libvpx" if ending == "webm" else "mpeg4" if ending == "avi" else "libx264"
    assert take(write_film(tmp_path / f"clip.{ending}", codec=codec)).info.frames == 24


@pytest.mark.parametrize("turn", [90, 180, -90])
def test_a_phone_clip_comes_upright(take: Callable[..., Upload], tmp_path: Path, turn: int) -> None:
    upload = take(write_film(tmp_path / "phone.mp4", turn=turn))
    assert upload.info[2:] == ((96, 128) if turn == 180 else (128, 96))
    high, wide = upload.frames.pixels.shape[1:3]
    assert (high > wide) == (turn == 180)
    # The square moves down as stored, so that it starts at the top, turned.
    lit = np.argwhere(upload.frames.pixels[0].mean(axis=2) > 170).mean(axis=0) / (high, wide)
    expected = {90: (None, 0.2), 180: (0.8, None), -90: (None, 0.8)}[turn]
    for found, wanted in zip(lit, expected, strict=True):
        assert wanted is None or abs(found - wanted) < 0.2


def test_times_follow_a_variable_frame_rate(take: Callable[..., Upload], tmp_path: Path) -> None:
    at = [*range(12), *range(12, 60, 4)]
    upload = take(write_film(tmp_path / "uneven.mp4", fps=24, at=at))
    expected = [at[i] / 24 for i in upload.frames.indices]
    assert upload.frames.times_s == pytest.approx(expected, abs=0.01)
    assert upload.duration_s > expected[-1]


def test_a_sampler_by_phases_takes_uniform_frames(
    take: Callable[..., Upload], tmp_path: Path
) -> None:
    by_phases = SMALL.model_copy(update={"kind": "phases"})
    assert len(take(write_film(tmp_path / "a.mp4"), sampler=by_phases).frames.indices) == 8


def test_a_text_named_mp4(take: Callable[..., Upload], tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_text("this is no film\n" * 50)
    assert refusal(take, path).kind == "not_video"


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile 'secret.mp4'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nsecret.mp4\n#EXT-X-ENDLIST\n",
        "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
    ],
)
def test_a_play_list_cannot_read_other_files(
    take: Callable[..., Upload], tmp_path: Path, text: str
) -> None:
    write_film(tmp_path / "secret.mp4")
    path = tmp_path / "film.mp4"
    path.write_text(text)
    assert refusal(take, path).kind == "not_video"


def test_zero_bytes_a_folder_and_nothing(take: Callable[..., Upload], tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"")
    assert refusal(take, path).kind == "empty"
    assert refusal(take, tmp_path).kind == "missing"
    assert refusal(take, tmp_path / "gone.mp4").kind == "missing"


def test_one_frame(take: Callable[..., Upload], tmp_path: Path) -> None:
    found = refusal(take, write_film(tmp_path / "one.mp4", frames=1))
    assert found.kind == "too_few"
    assert "only 1 frame," in found.sentence


def test_a_picture_is_no_film(take: Callable[..., Upload], tmp_path: Path) -> None:
    path = write_film(tmp_path / "shot.png", frames=1, codec="png", pix_fmt="rgb24")
    assert refusal(take, path.rename(tmp_path / "shot.mp4")).kind == "not_video"


def test_8k(take: Callable[..., Upload], tmp_path: Path) -> None:
    path = write_film(tmp_path / "8k.mp4", frames=2, size=(7680, 4320))
    found = refusal(take, path)
    assert found.kind == "too_large"
    assert "7680 × 4320" in found.sentence


@pytest.mark.parametrize("ending", ["mp4", "webm"])
def test_two_hours_are_refused_at_once(
    take: Callable[..., Upload], tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = "libvpx" if ending == "webm" else "libx264"
    path = write_film(
        tmp_path / f"long.{ending}", frames=72, size=(64, 64), fps=Fraction(1, 100), codec=codec
    )
    monkeypatch.setattr(uploads, "_check_packets", None)  # the header says enough
    found = refusal(take, path)
    assert found.kind == "too_long"
    assert "lasts 2 h, and at most 2 min" in found.sentence


def test_a_long_film_whose_header_gives_no_length(
    take: Callable[..., Upload], tmp_path: Path
) -> None:
    path = write_film(
        tmp_path / "live.mp4", frames=200, size=(64, 64), fps=Fraction(1), fragments=True
    )
    assert refusal(take, path).kind == "too_long"


def test_no_pictures(take: Callable[..., Upload], tmp_path: Path) -> None:
    assert refusal(take, write_sound(tmp_path / "song.mp4")).kind == "no_pictures"


def test_too_small_too_heavy_and_an_unwanted_codec(
    take: Callable[..., Upload], tmp_path: Path
) -> None:
    assert refusal(take, write_film(tmp_path / "tiny.mp4", size=(32, 32))).kind == "too_small"
    film = write_film(tmp_path / "film.mp4")
    assert refusal(take, film, Limits(most_bytes=100)).kind == "too_heavy"
    odd = write_film(tmp_path / "odd.mkv", codec="ffv1")
    assert "stored as ffv1" in refusal(take, odd).sentence


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_truncated(take: Callable[..., Upload], tmp_path: Path, share: float) -> None:
    data = write_film(tmp_path / "whole.mp4").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: int(len(data) * share)])
    assert refusal(take, path).kind == "cut_off"


def test_damaged_bytes_never_crash(take: Callable[..., Upload], tmp_path: Path) -> None:
    data = write_film(tmp_path / "whole.mp4").read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for number in range(40):
        spoilt = bytearray(data)
        for place in random.integers(0, len(data), 30):
            spoilt[place] = int(random.integers(0, 256))
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(spoilt)
        try:
            take(path)
        except UploadError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("/", "the clip"),
        ("...", "the clip"),
        ("a\x00b\nc.mp4", "a b c.mp4"),
        ("film\u202e4pm.exe", "film 4pm.exe"),
        ("Kniebeuge größer.mp4", "Kniebeuge größer.mp4"),
    ],
)
def test_names_are_cleaned_for_show(name: str, expected: str) -> None:
    assert shown_name(name) == expected
    assert len(shown_name(name * 50)) <= 60


def test_every_refusal_is_used() -> None:
    source = Path(uploads.__file__).read_text()
    kinds = [
        line.split(":")[0] for line in REFUSALS_FILE.read_text().splitlines() if line[0] != "#"
    ]
    assert [kind for kind in kinds if f'"{kind}"' not in source] == []
