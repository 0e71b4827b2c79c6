"""Decodes clips into the frame cache on many processes, before anything is trained.

    refused = decode(films, recipe.sampler, cache, run / "clips", jobs=8)   # name → why not

Entries are those that one process would write, byte for byte. What is in the cache already is left
alone, so a run that was killed goes on with the clips that are missing. A clip on which the decoder
itself dies takes a worker down, not the training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from engine.run import run_all
from engine.where import Engine
from flex.files import hash_text
from flex.problems import InputError
from flex.sample import PhaseSpan
from flex.video import Sampler, sample
from vlm.cache import FrameCache, entry_name, write_frames
from vlm.clip_hashes import listing

# To start a process takes about as long as to decode so many small clips.
FEW = 8


class Film(NamedTuple):
    """A view of a clip: its name, where it lies, and its phases for samplers that use them."""

    name: str
    path: Path
    phases: Sequence[PhaseSpan] = ()


@dataclass(frozen=True)
class Decode:
    """The work: the frames of one clip as an entry of the cache; its hash is kept there too."""

    cache: Path
    sampler: Sampler

    def __call__(self, film: Film, folder: Path) -> None:
        """Write the entry into a folder, unless the cache has it."""
        name = entry_name(FrameCache(self.cache).key(film.path, self.sampler, film.phases))
        if not (self.cache / name).exists():
            write_frames(folder / name, sample(film.path, self.sampler, film.phases))


def decode(
    films: Sequence[Film],
    sampler: Sampler,
    cache: Path,
    log: Path,
    *,
    jobs: int,
    shown: bool = True,
) -> dict[str, str]:
    """Fill a frame cache; with one job or few films nothing is done, for `FrameCache.get` will.

    Args:
        films: what is wanted; those that are there are passed over without reading them.
        sampler: which frames.
        cache: folder of the frame cache.
        log: folder for what was done and what is refused; one for each process that calls this.
        jobs: how many processes.
        shown: whether there is a progress bar.

    Returns:
        Why a film cannot be decoded, by its name.
    """
    frames = FrameCache(cache)
    missing = [film for film in films if not _holds(frames, film, sampler)]
    if jobs < 2 or len(missing) < FEW:
        return {}
    outcome = run_all(
        [film._replace(path=film.path.absolute()) for film in missing],
        Decode(cache.absolute(), sampler),
        where=Engine(jobs=jobs, retry=True),
        out=cache,
        log=log,
        key=lambda film: film.name,
        stamp=lambda film: hash_text(sampler.fingerprint(), listing(film.path)),
        title="decoding clips",
        shown=shown,
    )
    return {row.key: row.reason for row in outcome.quarantined}


def _holds(frames: FrameCache, film: Film, sampler: Sampler) -> bool:
    try:
        return frames.holds(film.path, sampler, film.phases)
    except InputError:
        return False  # a worker says what is wrong with it
