"""Where a head's features come from: a table that was computed once, or the backbones themselves.

source = cached_source(parts, store, encoder, ranks, device)    # Cached
source = Live(parts, store, encoder, device)                    # gradients reach the backbones
source.pick("train", index, flips)                              # Streams of (B, width)
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from aqa.clip_store import ClipStore
from aqa.encoders import ClipEncoder
from aqa.feature_store import cached_features, mirrored_streams
from aqa.streams import Streams
from flex.splits import Part
from learn.ranks import Ranks
from learn.sample import Sample

_AT_ONCE = 4
Parts = Mapping[Part, Sequence[Sample]]
Flips = Mapping[str, Tensor]


class Source(Protocol):
    """Features of the clips of each part."""

    def pick(self, part: Part, index: Tensor, flips: Flips) -> Streams:
        """Return features of some clips: (B,) numbers within the part; flips: stream → (B,)."""

    def whole(self, part: Part) -> Streams:
        """Return features of all clips of a part, not mirrored and without gradients."""


class Cached:
    """Tables of features, as they are and mirrored."""

    def __init__(
        self, plain: Mapping[Part, Streams], mirrored: Streams | None, device: torch.device
    ) -> None:
        """Take the features of each part, and of the mirrored training clips."""
        self._plain = {part: streams.to(device) for part, streams in plain.items()}
        self._mirrored = None if mirrored is None else mirrored.to(device)
        self._device = device

    def pick(self, part: Part, index: Tensor, flips: Flips) -> Streams:
        """Return rows; see `Source`."""
        index = index.to(self._device)
        plain = self._plain[part].rows(index)
        if self._mirrored is None or part != "train":
            return plain
        mirrored = self._mirrored.rows(index)
        values = {
            name: torch.where(flips[name].to(self._device)[:, None], mirrored.values[name], value)
            if name in flips
            else value
            for name, value in plain.values.items()
        }
        return Streams(values, plain.present)

    def whole(self, part: Part) -> Streams:
        """Return the table of a part."""
        return self._plain[part]


def cached_source(
    parts: Parts, store: ClipStore, encoder: ClipEncoder, ranks: Ranks, device: torch.device
) -> Cached:
    """Return the features of all parts that have clips, computed where they are not cached yet.

    Raises:
        InputError: every file that cannot be used.
    """

    def make(part: Part, *, mirrored: bool = False) -> Streams:
        return cached_features(
            parts[part], store, encoder, mirrored=mirrored, ranks=ranks, device=device
        )

    plain = {part: make(part) for part in parts if parts[part]}
    flipped = make("train", mirrored=True) if mirrored_streams(store) else None
    return Cached(plain, flipped, device)


class Live:
    """Features that are computed when asked for, by backbones that learn."""

    def __init__(
        self, parts: Parts, store: ClipStore, encoder: ClipEncoder, device: torch.device
    ) -> None:
        """Take the clips and the backbones; the backbones are trained by whoever picks."""
        self._parts, self._store, self._encoder, self._device = parts, store, encoder, device

    def pick(self, part: Part, index: Tensor, flips: Flips) -> Streams:
        """Read and encode some clips."""
        samples = [self._parts[part][n] for n in index.tolist()]
        return self._encode(samples, flips)

    def whole(self, part: Part) -> Streams:
        """Read and encode all clips of a part, a few at a time."""
        samples = self._parts[part]
        was = self._encoder.training
        self._encoder.eval()
        with torch.no_grad():
            found = [
                self._encode(samples[at : at + _AT_ONCE], {})
                for at in range(0, len(samples), _AT_ONCE)
            ]
        self._encoder.train(was)
        return joined_rows(found)

    def _encode(self, samples: Sequence[Sample], flips: Flips) -> Streams:
        raw = self._store.batch(samples, list(self._store.recipe.layout.widths), flips)
        features: Streams = self._encoder(raw.to(self._device))
        return features


def joined_rows(parts: Sequence[Streams]) -> Streams:
    """Return batches one below the other; a stream that one of them lacks is absent there."""
    widths = {name: value.shape[1] for part in parts for name, value in part.values.items()}
    return Streams(
        {
            name: torch.cat([p.features(name, width) for p in parts])
            for name, width in widths.items()
        },
        {name: torch.cat([p.has(name) for p in parts]) for name in widths},
    )


def draw_flips(kind: str, streams: Sequence[str], clips: int, random: torch.Generator) -> Flips:
    """Draw which clips are mirrored: stream → (clips,) bool.

    Args:
        kind: "together": one draw a clip for all streams; "independent": one for each; "none".
        streams: those that a flip mirrors.
        clips: how many.
        random: where chance comes from.
    """
    if kind == "together":
        return dict.fromkeys(streams, torch.rand(clips, generator=random) < 0.5)
    return {name: torch.rand(clips, generator=random) < 0.5 for name in streams}
