"""What is read of clips, from the cache where it is there: poses, pictures, envelopes.

    store = ClipStore(recipe, graph)
    times_s = store.times(sample)
    pose, frames = store.pose(sample), store.frames(sample, "View-1")
    trial = store.trial(sample)               # envelopes of the 18 muscles, in the file's unit

Everything is keyed by the bytes of the file and by how it is read.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from emg.inputs import frame_times, read_pose, read_view
from emg.normalise import Trial
from emg.recipe import POSE, Recipe
from emg.signal import clip_envelopes
from flex.cli import err
from flex.files import hash_text
from flex.graph import Graph
from flex.number_table import Floats
from flex.problems import InputError, Problem
from flex.video import Pixels
from learn.array_cache import ArrayCache, ClipHashes
from learn.sample import Sample

Item = TypeVar("Item")
Result = TypeVar("Result")


class ClipStore:
    """Reads clips for one recipe.

    Attributes:
        excluded: channels of sEMG that were left out so far, and why.
    """

    def __init__(self, recipe: Recipe, graph: Graph) -> None:
        self.recipe, self.graph = recipe, graph
        self.excluded: dict[str, Problem] = {}
        self._cache = ArrayCache(recipe.cache / "streams")
        self._hashes = ClipHashes()

    def key(self, sample: Sample, stream: str) -> str:
        """Return a hash of all that a stream of a clip depends on, before any backbone."""
        kind = POSE if stream == POSE else "view"
        parts = [self._hashes.of(sample.streams[stream]), self.recipe.transform(kind)]
        return hash_text(*parts, str(sample.record.duration_s))

    def semg_key(self, sample: Sample) -> str:
        """Return a hash of all that the envelopes of a clip depend on.

        Raises:
            InputError: a clip without sEMG.
        """
        if sample.clip.semg is None:
            raise InputError([Problem(sample.id, "has no sEMG file")])
        stated = sample.record.semg
        said = stated.model_dump_json() if stated else sample.record.action
        parts = [self._hashes.of(sample.clip.semg), self.recipe.transform("semg"), said]
        return hash_text(*parts, str(sample.record.duration_s))

    def times(self, sample: Sample) -> Floats:
        """Return when each frame is taken: (T,); see `emg.inputs.frame_times`."""
        return frame_times(sample, self.recipe)

    def pose(self, sample: Sample, *, mirrored: bool = False) -> NDArray[np.float32]:
        """Return the pose at each frame: (T, 21, 3); see `emg.inputs.read_pose`."""
        key = hash_text(self.key(sample, POSE), "mirrored" if mirrored else "plain")
        found: NDArray[np.float32] = self._cache.get(
            key, lambda: read_pose(sample, self.times(sample), mirrored=mirrored)
        )
        return found

    def frames(self, sample: Sample, view: str) -> Pixels:
        """Return the pictures of a view: (T, size, size, 3); see `emg.inputs.read_view`."""

        def make() -> Pixels:
            return read_view(sample, view, self.times(sample), self.recipe)

        if not self.recipe.keep_streams:
            return make()
        found: Pixels = self._cache.get(self.key(sample, view), make)
        return found

    def trial(self, sample: Sample) -> Trial:
        """Return the envelopes of a clip; channels that are left out are put on record.

        Raises:
            InputError: see `emg.signal.clip_envelopes`.
        """
        key = self.semg_key(sample)
        kept = self._cache.find(key)
        if kept is None:
            seen = clip_envelopes(sample.clip, self.graph, self.times(sample), self.recipe)
            values = np.where(seen.recorded, seen.values, np.nan)
            if seen.excluded:
                self.excluded |= {problem.place: problem for problem in seen.excluded}
            else:
                # A clip with excluded channels is read anew each time, so that it is told.
                self._cache.keep(key, values)
            kept = values
        recorded = np.isfinite(kept).all(axis=0)
        record = sample.record
        return Trial(
            clip=record.clip,
            subject=record.subject,
            action=record.action,
            part=sample.part,
            repetition=record.repetition,
            values=np.where(recorded, kept, 0.0),
            recorded=recorded,
        )

    def each(
        self, work: Callable[[Item], Result], items: Sequence[Item], title: str
    ) -> list[Result]:
        """Do something for every item with the recipe's threads and a progress bar.

        Raises:
            InputError: the problems of all items.
        """
        problems: list[Problem] = []

        def safely(item: Item) -> Any:
            try:
                return work(item)
            except InputError as error:
                problems.extend(error.problems)
                return None

        with ThreadPoolExecutor(self.recipe.workers) as pool:
            done = pool.map(safely, items)
            results = list(track(done, title, total=len(items), console=err, transient=True))
        if problems:
            raise InputError(problems)
        return results
