"""Batches for the base: clips with their notes, and pages of the manual, as tensors."""

import random
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flex.graph import Graph
from pretrain.films import FRAMES, GROUPS, SIZE, Shard, load_shard, shards_in
from pretrain.notes import Exchange, notes, page

MEAN = (0.48145466, 0.4578275, 0.40821073)  # of CLIP, as Qwen's processor takes them
STD = (0.26862954, 0.26130258, 0.27577711)
_PATCH, _MERGE = 14, 2
_NAME, _NAME_COUNTS = 6, 5.0  # notes begin with the exercise, on which all else depends
GRID = SIZE // _PATCH
TOKENS = GROUPS * (GRID // _MERGE) ** 2


@dataclass
class Batch:
    """One step's clips and pages.

    Attributes:
        inputs: what the model's forward takes.
        weights: (rows, L) how much each token counts: 0 outside answers, more where it matters.
        actions: (B,) numbers of the actions.
        poses: (B, 8, 21, 3) metres.
        errors: (B, E) 1 where the occurrence is in the clip.
        known: (B, E) 1 where the action has that occurrence.
    """

    inputs: dict[str, Any]
    weights: Any
    actions: Any
    poses: Any
    errors: Any
    known: Any


def patchify(films: Any) -> Any:
    """Return float films (B, 16, 112, 112, 3), 0–1, as Qwen's patches (B × 8 × 64, 1176)."""
    import torch

    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    places = GRID // _MERGE
    x = ((films - mean) / std).reshape(
        len(films), GROUPS, 2, places, _MERGE, _PATCH, places, _MERGE, _PATCH, 3
    )
    x = x.permute(0, 1, 3, 6, 4, 7, 9, 2, 5, 8)
    return x.reshape(len(films) * GROUPS * GRID * GRID, 3 * 2 * _PATCH * _PATCH)


class Teacher:
    """Makes batches from the shards of a folder, those that appear meanwhile included."""

    def __init__(self, graph: Graph, tokenizer: Any, folder: Path, seed: int) -> None:
        self._graph, self._tokenizer, self._folder = graph, tokenizer, folder
        self._draws = np.random.default_rng(seed)
        self._pages = random.Random(seed)
        self._shards: dict[Path, Shard] = {}
        self.occurrences = sorted({o for a in graph.actions for o in graph.occurrences(a)})
        self._actions = list(graph.actions)
        self._row = {o: n for n, o in enumerate(self.occurrences)}

    def batch(self, clips: int, pages: int) -> Batch:
        """Return so many clips and pages, drawn at random."""
        for path in shards_in(self._folder):
            if path not in self._shards:
                self._shards[path] = load_shard(path)
        drawn = [self._clip() for _ in range(clips)]
        exchanges = [notes(self._graph, record) for _, record, _ in drawn]
        exchanges += [page(self._graph, self._pages) for _ in range(pages)]
        seconds = [float(record.duration_s or 0) / GROUPS for _, record, _ in drawn]
        return self._collate([film for film, _, _ in drawn], exchanges, seconds, drawn)

    def _clip(self) -> tuple[npt.NDArray[np.uint8], Any, npt.NDArray[np.float32]]:
        shard = list(self._shards.values())[int(self._draws.integers(len(self._shards)))]
        row = int(self._draws.integers(len(shard.records)))
        return np.asarray(shard.films[row]), shard.records[row], shard.poses[row]

    def _collate(
        self, films: list[Any], exchanges: list[Exchange], seconds: list[float], drawn: list[Any]
    ) -> Batch:
        import torch

        rows = [self._encode(e, n < len(films)) for n, e in enumerate(exchanges)]
        width = max(len(ids) for ids, _ in rows)
        ids = torch.full((len(rows), width), self._tokenizer.pad_token_id)
        weights, mask = torch.zeros(ids.shape), torch.zeros_like(ids)
        for n, (tokens, answer) in enumerate(rows):
            ids[n, : len(tokens)] = torch.tensor(tokens)
            weights[n, answer : len(tokens)] = 1
            if n < len(films):
                weights[n, answer : answer + _NAME] = _NAME_COUNTS
            mask[n, : len(tokens)] = 1
        video = self._tokenizer.convert_tokens_to_ids("<|video_pad|>")
        inputs = {
            "input_ids": ids,
            "attention_mask": mask,
            "mm_token_type_ids": 2 * (ids == video).int(),
            "pixel_values_videos": patchify(self._vary(films)),
            "video_grid_thw": torch.tensor([[GROUPS, GRID, GRID]] * len(films)),
            "second_per_grid_ts": torch.tensor(seconds),
        }
        errors = torch.zeros(len(films), len(self.occurrences))
        known = torch.zeros_like(errors)
        for n, (_, record, _) in enumerate(drawn):
            errors[n, [self._row[o] for o in record.occurrences]] = 1
            known[n, [self._row[o] for o in self._graph.occurrences(record.action)]] = 1
        poses = torch.from_numpy(np.stack([pose for _, _, pose in drawn]))
        actions = torch.tensor([self._actions.index(record.action) for _, record, _ in drawn])
        return Batch(inputs, weights, actions, poses, errors, known)

    def _encode(self, exchange: Exchange, seen: bool) -> tuple[list[int], int]:
        vision = f"<|vision_start|>{'<|video_pad|>' * TOKENS}<|vision_end|>" if seen else ""
        before = (
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
            f"<|im_start|>user\n{vision}{exchange.question}<|im_end|>\n<|im_start|>assistant\n"
        )
        prompt = self._tokenizer(before)["input_ids"]
        answer = self._tokenizer(f"{exchange.answer}<|im_end|>")["input_ids"]
        return prompt + answer, len(prompt)

    def _vary(self, films: list[Any]) -> Any:
        """Return the films as floats, each in other light, moved a little, with grain."""
        import torch

        shape = (len(films), 1, 1, 1, 3)
        tint = np.exp(self._draws.normal(scale=0.12, size=shape))
        shift = self._draws.integers(-5, 6, size=(len(films), 2))
        moved = [_move(film, *place) for film, place in zip(films, shift.tolist(), strict=True)]
        x = torch.from_numpy(np.stack(moved)).float().mul_(torch.from_numpy(tint / 255).float())
        grain = torch.randn(1, FRAMES, SIZE, SIZE, 1)
        return x.add_(grain, alpha=0.015)


def _move(film: npt.NDArray[np.uint8], down: int, right: int) -> npt.NDArray[np.uint8]:
    """Return a film moved by pixels; its edge is repeated."""
    most = 5
    wide = np.pad(film, ((0, 0), (most, most), (most, most), (0, 0)), mode="edge")
    top, left = most - down, most - right
    return wide[:, top : top + SIZE, left : left + SIZE]


def prefetch(made: Iterator[Batch], ahead: int = 3) -> Iterator[Batch]:
    """Yield batches that a thread makes in advance."""
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(next, made) for _ in range(ahead))
        while True:
            waiting.append(pool.submit(next, made))
            yield waiting.popleft().result()


def batches(teacher: Teacher, clips: int, pages: int) -> Iterator[Batch]:
    """Yield batches for ever."""
    while True:
        yield teacher.batch(clips, pages)
