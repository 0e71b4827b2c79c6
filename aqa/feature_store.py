"""Backbone features of clips, computed once: keyed by clip bytes, transform, mirror and weights.

    features = cached_features(samples, store, encoder, mirrored=False)      # Streams of (N, width)

Heads of all actions then train in minutes. Each rank computes its share; all read the whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from rich.progress import track
from torch import Tensor

from aqa.clip_store import ClipStore
from aqa.encoders import ClipEncoder
from aqa.streams import Streams
from flex.cli import err
from flex.files import hash_text
from flex.problems import InputError, Problem
from learn.array_cache import ArrayCache
from learn.module_hash import module_hash
from learn.ranks import Ranks
from learn.sample import Sample

_AT_ONCE = 4


def cached_features(
    samples: Sequence[Sample],
    store: ClipStore,
    encoder: ClipEncoder,
    *,
    mirrored: bool = False,
    ranks: Ranks | None = None,
    device: torch.device | None = None,
) -> Streams:
    """Return the features of every stream of some clips, on the CPU.

    Args:
        samples: N clips.
        store: reads them.
        encoder: the backbones; used in evaluation mode.
        mirrored: of the mirrored clips; which streams mirror is the recipe's `flip`.
        ranks: the processes that share the work.
        device: where the backbones compute.

    Raises:
        InputError: every file that cannot be used.
    """
    ranks, device = ranks or Ranks(), device or torch.device("cpu")
    cache = ArrayCache(store.recipe.cache / "features")
    encoder = encoder.to(device).eval()
    values: dict[str, Tensor] = {}
    present: dict[str, Tensor] = {}
    problems: list[Problem] = []
    for stream, width in store.recipe.layout.widths.items():
        flip = mirrored and stream in mirrored_streams(store)
        keys = feature_keys(samples, store, encoder, stream, flip)
        batches = missing_batches(samples, keys, cache, stream, flip, ranks)
        title = f"features of {stream}{' (mirrored)' if flip else ''}"
        for batch in track(batches, title, console=err, transient=True, disable=not ranks.main):
            try:
                batch.encode(store, encoder, device, cache)
            except InputError as error:
                problems += error.problems
        ranks.wait()
        if problems:
            continue
        has = torch.zeros(len(samples), dtype=torch.bool)
        table = torch.zeros(len(samples), width)
        for row, key in keys.items():
            array = cache.find(key)
            if array is None:
                message = f"its {stream} was another process's to compute, which says what is wrong"
                raise InputError([Problem(samples[row].id, message)])
            table[row] = torch.from_numpy(array.copy())
            has[row] = True
        values[stream], present[stream] = table, has
    if problems:
        raise InputError(problems)
    return Streams(values, present)


def mirrored_streams(store: ClipStore) -> tuple[str, ...]:
    """Return the streams that a flip mirrors: all, or the views only (released code)."""
    layout = store.recipe.layout
    if store.recipe.flip == "none":
        return ()
    return layout.views if store.recipe.flip == "independent" else tuple(layout.widths)


def weights_hash(encoder: ClipEncoder, stream: str) -> str:
    """Return a hash of the weights that a stream goes through; empty for one without a backbone."""
    kind = encoder.layout.kind(stream)
    backbone = {"view": encoder.video, "pose": encoder.pose, "semg": encoder.semg}[kind]
    return module_hash(backbone) if backbone is not None else ""


@dataclass(frozen=True)
class FeatureBatch:
    """Clips that go through a backbone together.

    Attributes:
        flip: whether they are mirrored.
        keys: the entries that their features belong into.
    """

    stream: str
    flip: bool
    samples: tuple[Sample, ...]
    keys: tuple[str, ...]

    def encode(
        self, store: ClipStore, encoder: ClipEncoder, device: torch.device, cache: ArrayCache
    ) -> None:
        """Compute the features and keep them.

        Raises:
            InputError: every file that cannot be used.
        """
        found = _encode(self.samples, self.stream, self.flip, store, encoder, device)
        for key, feature in zip(self.keys, found, strict=True):
            cache.keep(key, feature.numpy())


def feature_keys(
    samples: Sequence[Sample], store: ClipStore, encoder: ClipEncoder, stream: str, flip: bool
) -> dict[int, str]:
    """Return the cache's key of each clip that has a stream, by its row."""
    weights = weights_hash(encoder, stream)
    windows = f"{store.recipe.starts} {store.recipe.pixels}"
    return {
        row: hash_text(store.key(sample, stream), str(flip), weights, windows)
        for row, sample in enumerate(samples)
        if stream in sample.streams
    }


def missing_batches(
    samples: Sequence[Sample],
    keys: Mapping[int, str],
    cache: ArrayCache,
    stream: str,
    flip: bool,
    ranks: Ranks,
) -> list[FeatureBatch]:
    """Return this rank's share of the clips that the cache lacks, a few at a time."""
    # Shares are cut before anybody looks: what is there changes while others write.
    todo = [row for row in ranks.share(list(keys)) if cache.find(keys[row]) is None]
    return [
        FeatureBatch(
            stream, flip, tuple(samples[row] for row in rows), tuple(keys[row] for row in rows)
        )
        for rows in (todo[at : at + _AT_ONCE] for at in range(0, len(todo), _AT_ONCE))
    ]


def _encode(
    samples: Sequence[Sample],
    stream: str,
    flip: bool,
    store: ClipStore,
    encoder: ClipEncoder,
    device: torch.device,
) -> Tensor:
    flags = {stream: torch.full((len(samples),), flip)}
    raw = store.batch(samples, [stream], flags).to(device)
    with torch.inference_mode():
        return encoder(raw).values[stream].float().cpu()
