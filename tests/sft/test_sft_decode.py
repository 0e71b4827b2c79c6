"""Clips are decoded by many processes: the bytes of one, nothing twice, what is broken is named."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small import Small, write_clip

from flex.problems import InputError
from flex.video import Sampler
from sft.data import clips_of, fill, prepare
from sft.decode import Film, decode
from sft.start import jobs_of
from vlm.cache import FrameCache
from vlm.model import load_coach

SAMPLER = Sampler(frames=4, pixels=56 * 56)
LONG_AGO = (10**18, 10**18)


def films(folder: Path, count: int) -> list[Film]:
    found = []
    for number in range(count):
        path = folder / f"{number:03d}.mp4"
        write_clip(path, number, frames=6)
        os.utime(path, ns=LONG_AGO)
        found.append(Film(f"clip {number}", path))
    return found


def content(cache: Path) -> dict[str, bytes]:
    """Return the entries and kept hashes of a cache."""
    kept = (*cache.rglob("*.npz"), *cache.rglob("*.json"))
    return {str(path.relative_to(cache)): path.read_bytes() for path in kept}


def one_by_one(clips: list[Film], cache: Path) -> Path:
    for film in clips:
        FrameCache(cache).get(film.path, SAMPLER)
    return cache


@pytest.mark.slow
def test_m9_two_processes_write_the_bytes_of_one(tmp_path: Path) -> None:
    clips = films(tmp_path / "clips", 10)
    (tmp_path / "clips/broken.mp4").write_bytes(b"no film")
    broken = Film("clip broken", tmp_path / "clips/broken.mp4")
    log = tmp_path / "log"
    refused = decode([*clips, broken], SAMPLER, tmp_path / "two", log, jobs=2)
    assert list(refused) == ["clip broken"]
    assert "broken.mp4: cannot be decoded" in refused["clip broken"]
    alone = content(one_by_one(clips, tmp_path / "one"))
    found = content(tmp_path / "two")
    assert {name: found[name] for name in alone} == alone
    assert sum(name.endswith(".npz") for name in found) == len(clips)


def test_m9_a_filled_cache_starts_no_process_and_reads_no_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = films(tmp_path / "clips", 10)
    cache = one_by_one(clips, tmp_path / "cache")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("started anew")

    monkeypatch.setattr("sft.decode.run_all", refuse)
    monkeypatch.setattr("vlm.clip_hashes.hash_file", refuse)
    assert decode(clips, SAMPLER, cache, tmp_path / "log", jobs=2) == {}
    with pytest.raises(AssertionError, match="started anew"):
        decode(clips, Sampler(frames=2), cache, tmp_path / "log", jobs=2)
    assert decode(clips, Sampler(frames=2), cache, tmp_path / "log", jobs=1) == {}


@pytest.mark.slow
def test_m9_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    clips = films(tmp_path / "clips", 60)
    cache = tmp_path / "cache"
    script = (
        "from pathlib import Path\n"
        "from sft.decode import Film, decode\n"
        "from flex.video import Sampler\n"
        "if __name__ == '__main__':\n"
        f"    clips = sorted(Path({str(tmp_path / 'clips')!r}).glob('*.mp4'))\n"
        "    films = [Film(f'clip {int(path.stem)}', path) for path in clips]\n"
        f"    cache, log = Path({str(cache)!r}), Path({str(tmp_path / 'log')!r})\n"
        "    decode(films, Sampler(frames=4, pixels=56 * 56), cache, log, jobs=2)\n"
    )
    main = tmp_path / "main.py"
    main.write_text(script, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    running = subprocess.Popen([sys.executable, main], env=environment)
    while not list(cache.glob("[0-9a-f]*/*.npz")):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = {path: path.stat().st_mtime_ns for path in cache.glob("[0-9a-f]*/*.npz")}
    assert 0 < len(before) < len(clips)
    subprocess.run([sys.executable, main], env=environment, check=True)
    assert content(cache) == content(one_by_one(clips, tmp_path / "one"))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not list(cache.glob(".making-*"))


def test_m9_a_clip_that_a_worker_refused_is_not_decoded_here(small: Small) -> None:
    recipe = small.recipe()
    coach = load_coach(recipe.model, sampler=recipe.sampler, device="cpu")
    coach.model.requires_grad_(False)
    clips = clips_of(recipe, small.data, small.dialogues)
    refused = {clips[0].name: "cannot be decoded: the worker died (signal 11)"}
    with pytest.raises(InputError, match=r"A01/000 View-1: cannot be decoded: the worker died"):
        prepare(recipe, coach, clips, refused=refused)
    allowed = recipe.model_copy(update={"allow_broken": True})
    prepared = prepare(allowed, coach, clips, refused=refused)
    assert [clip.name for clip in prepared.dataset.clips] == [clip.name for clip in clips[1:]]


def test_few_clips_are_left_to_the_process_that_trains(small: Small, tmp_path: Path) -> None:
    recipe = small.recipe(frame_cache=tmp_path / "frames")
    clips = clips_of(recipe, small.data, small.dialogues)
    assert fill(recipe, clips, tmp_path / "log", jobs=2) == {}
    assert not (tmp_path / "log").exists()


def test_ranks_of_one_machine_share_its_processors(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sft.start.processors", lambda: 9)
    assert jobs_of(small.recipe()) == 9
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert jobs_of(small.recipe()) == 2
    assert jobs_of(small.recipe(jobs=3)) == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "16")
    assert jobs_of(small.recipe()) == 1
