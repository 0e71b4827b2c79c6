"""Keys and values of what a model has read, for prompts that begin in the same way.

    start = best_start(read, rows, video_token)
    start.tokens                # tokens of the new rows that need not be read again
    read = start.take()         # one row for each new one

Only exact prefixes are used: the same tokens, and up to the first video or with the same videos.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from vlm.chat import Encoded, Vision

Ids = Any  # a one-dimensional int64 array


@dataclass(frozen=True)
class ReadRows:
    """Rows that a model has read, with its keys and values.

    Attributes:
        tokens: the ids of each row.
        places: for each row, where its tokens lie in the cache, in order. What lies between them
            is padding, or was written behind the end of an answer; attention has to leave it out.
        visions: the videos of each row.
        cache: transformers' `DynamicCache` of all rows.
    """

    tokens: Sequence[Ids]
    places: Sequence[Ids]
    visions: Sequence[Vision]
    cache: Any

    @property
    def length(self) -> int:
        """How many places the cache has."""
        return int(self.cache.get_seq_length())


@dataclass(frozen=True)
class Start:
    """Where new rows go on from.

    Attributes:
        read: what was read.
        sources: for each new row, the row of `read` that it goes on from.
        counts: for each new row, how many of its tokens that row begins with.
    """

    read: ReadRows
    sources: Sequence[int]
    counts: Sequence[int]

    @property
    def tokens(self) -> int:
        """How many tokens of all new rows need not be read again."""
        return sum(self.counts)

    def take(self, *, copy: bool = False) -> ReadRows:
        """Return the rows to go on from, cut to what the new ones begin with, ending together.

        What lies between their tokens goes: it would be looked over at each step of an answer.

        Args:
            copy: leave `read` as it is; otherwise its cache is changed and must not be used again.
        """
        import torch

        cache = deepcopy(self.read.cache) if copy else self.read.cache
        pairs = list(zip(self.sources, self.counts, strict=True))
        length = max(self.counts)
        kept = np.zeros((len(pairs), length), dtype=np.int64)
        for row, (source, count) in enumerate(pairs):
            kept[row, length - count :] = self.read.places[source][:count]
        rows = torch.tensor(self.sources, device=cache.layers[0].device)
        where = torch.tensor(kept, device=rows.device)[:, None, :, None]
        for layer in cache.layers:
            layer.keys = _taken(layer.keys, rows, where)
            layer.values = _taken(layer.values, rows, where)
        tokens = [self.read.tokens[source][:count] for source, count in pairs]
        places = [np.arange(length - count, length) for count in self.counts]
        return ReadRows(tokens, places, [self.read.visions[n] for n in self.sources], cache)


def best_start(read: ReadRows, rows: Sequence[Encoded], video_token: int) -> Start:
    """Return, for each row, which of `read` shares the longest beginning with it.

    At least the last token of each row is left to be read, since it tells the next one.
    """
    sources, counts = [], []
    for row in rows:
        ids = np.array(row.input_ids)
        shared = [
            _common(ids, row.vision, tokens, vision, video_token)
            for tokens, vision in zip(read.tokens, read.visions, strict=True)
        ]
        sources.append(int(np.argmax(shared)))
        counts.append(max(shared))
    return Start(read, sources, counts)


def shared_length(rows: Sequence[Encoded], video_token: int) -> int:
    """Return how many tokens all rows begin with, before any video and any row's last token."""
    first = np.array(rows[0].input_ids)
    length = _before_video(first, video_token)
    for row in rows:
        length = min(length, common_length(first, np.array(row.input_ids)), len(row) - 1)
    return length


def common_length(one: Ids, other: Ids) -> int:
    """Return how many ids two rows begin with."""
    shorter = min(len(one), len(other))
    differ = np.flatnonzero(one[:shorter] != other[:shorter])
    return int(differ[0]) if len(differ) else shorter


def _common(new: Ids, vision: Vision, old: Ids, seen: Vision, video_token: int) -> int:
    length = min(common_length(new, old), len(new) - 1)
    return length if _same(vision, seen) else min(length, _before_video(new, video_token))


def _before_video(ids: Ids, video_token: int) -> int:
    places = np.flatnonzero(ids == video_token)
    return int(places[0]) if len(places) else len(ids)


def _same(one: Vision, other: Vision) -> bool:
    """Whether two rows show the same videos at the same times."""
    if one.tokens != other.tokens or one.second_per_grid_ts != other.second_per_grid_ts:
        return False
    return not one.tokens or all(
        _equal(getattr(one, name), getattr(other, name))
        for name in ("video_grid_thw", "pixel_values_videos", "features")
    )


def _equal(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    import torch

    return bool(torch.equal(one, other))


def _taken(states: Any, rows: Any, where: Any) -> Any:
    """Return keys or values (B, heads, L, width) of some rows (B,) at places (B, 1, L, 1)."""
    _, heads, _, width = states.shape
    return states[rows].gather(2, where.expand(-1, heads, -1, width))
