"""The frame cache keeps when frames are shown, and lists the times of entries that lack them."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flex.video import Sampler, sample
from vlm import cache as module
from vlm.cache import FrameCache

Strip = Callable[[Path], None]


@pytest.fixture
def refuse_decoding(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def refuse(*_: object) -> None:
        raise AssertionError("decoded again")

    return lambda: monkeypatch.setattr(module, "sample", refuse)


@pytest.fixture
def strip() -> Strip:
    """Make an entry what it was before times were kept."""

    def strip(entry: Path) -> None:
        with np.load(entry) as stored:
            kept = {name: stored[name] for name in ("pixels", "indices", "fps_total")}
        with entry.open("wb") as file:
            np.savez(file, **kept)

    return strip


def test_times_are_kept(
    clip: Path, small: Sampler, tmp_path: Path, refuse_decoding: Callable[[], None]
) -> None:
    cache = FrameCache(tmp_path / "cache")
    first = cache.get(clip, small)
    assert first.times_s == sample(clip, small).times_s
    refuse_decoding()
    assert cache.get(clip, small).times_s == first.times_s


def test_an_entry_without_times_gets_them_once_and_silently(
    clip: Path,
    small: Sampler,
    tmp_path: Path,
    refuse_decoding: Callable[[], None],
    strip: Strip,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = FrameCache(tmp_path / "cache")
    whole = cache.get(clip, small)
    strip(cache.entry(clip, small))
    refuse_decoding()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = cache.get(clip, small)
    np.testing.assert_array_equal(again.pixels, whole.pixels)
    assert again.times_s == whole.times_s
    monkeypatch.setattr(module, "times_of", None)  # listed once
    assert cache.get(clip, small).times_s == whole.times_s


def test_an_entry_with_too_few_times_is_made_again(
    clip: Path, small: Sampler, tmp_path: Path
) -> None:
    cache = FrameCache(tmp_path / "cache")
    whole = cache.get(clip, small)
    entry = cache.entry(clip, small)
    with np.load(entry) as stored:
        content = dict(stored)
    with entry.open("wb") as file:
        np.savez(file, **{**content, "times_s": content["times_s"][:-1]})
    with pytest.warns(UserWarning, match=entry.name):
        assert cache.get(clip, small).times_s == whole.times_s
