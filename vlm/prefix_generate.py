"""Answers batches of conversations and reads only what is new to the model.

    generator = PrefixGenerator(coach)
    generator.generate(first_questions)     # a long system message is read once for all of them
    generator.generate(second_questions)    # goes on from the keys and values of the first answers

Kept are the beginning that a batch shares, such as the rules in its system message, for all later
batches, and the last batch, for the next turn of its dialogues. Prompts and positions are those of
a model that reads everything again.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from vlm.chat import Encoded, Vision, encode_prompt
from vlm.collate import Collator
from vlm.features import with_encoder_outputs
from vlm.generate import GREEDY, Conversation, Decoding, Reply, generation_config
from vlm.model import Coach
from vlm.prefix_cache import Ids, ReadRows, best_start, common_length, shared_length

# Fewer tokens a row are read again sooner than they are looked up.
LEAST_SHARED = 64


class PrefixGenerator:
    """Generates with one model whose weights stay as they are."""

    def __init__(self, coach: Coach) -> None:
        self._coach = coach
        self._video_token = coach.processor.video_token_id
        self._shared: ReadRows | None = None
        self._last: ReadRows | None = None

    def forget(self) -> None:
        """Drop the keys and values that are kept."""
        self._shared = self._last = None

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding = GREEDY
    ) -> list[Reply]:
        """Return one reply a conversation, in order, all in one batch.

        Raises:
            InputError: a conversation has no user message or an unknown role.
        """
        import torch

        if not conversations:
            return []
        rows = [
            encode_prompt(self._coach.processor, one.videos, one.messages) for one in conversations
        ]
        torch.manual_seed(decoding.seed)
        with torch.inference_mode():
            return self._answer(rows, self._read_before(rows), decoding)

    def _read_before(self, rows: Sequence[Encoded]) -> ReadRows:
        """Return what has been read of each row, or of what all rows begin with."""
        shared = shared_length(rows, self._video_token)
        last, self._last = self._last, None  # its cache is changed or dropped from here on
        if last is not None:
            start = best_start(last, rows, self._video_token)
            if start.tokens >= len(rows) * max(shared, LEAST_SHARED):
                return start.take()
            del last, start
        if shared >= LEAST_SHARED:
            beginning = self._read_shared(np.array(rows[0].input_ids[:shared]))
            return best_start(beginning, rows, self._video_token).take(copy=True)
        nothing = np.array([], dtype=np.int64)
        return ReadRows([nothing] * len(rows), [nothing] * len(rows), [], self._new_cache())

    def _read_shared(self, ids: Ids) -> ReadRows:
        import torch

        known = self._shared
        if known is not None:
            (before,) = known.tokens
            both = common_length(before, ids)
            if both == len(before) and len(ids) - both < LEAST_SHARED:
                return known
        cache, places = self._new_cache(), np.arange(len(ids))
        positions = torch.tensor(places, device=self._coach.device).expand(3, 1, -1)
        tokens = torch.tensor(ids[None], device=self._coach.device)
        # By place: what the cache is called depends on the version.
        self._coach.plain(tokens, None, positions, cache, use_cache=True, logits_to_keep=1)
        self._shared = ReadRows([ids], [places], [Vision()], cache)
        return self._shared

    def _new_cache(self) -> Any:
        from transformers import DynamicCache

        return DynamicCache(config=self._coach.plain.config)

    def _answer(self, rows: Sequence[Encoded], read: ReadRows, decoding: Decoding) -> list[Reply]:
        """Read the rest of each row, padded on the left of it, and write."""
        coach, before = self._coach, read.length
        rest = [len(row) - len(tokens) for row, tokens in zip(rows, read.tokens, strict=True)]
        length = before + max(rest)
        places = [
            np.concatenate([own, np.arange(length - count, length)])
            for own, count in zip(read.places, rest, strict=True)
        ]
        unread = [
            row.vision
            for row, count in zip(rows, rest, strict=True)
            if self._video_token in row.input_ids[len(row) - count :]
        ]
        inputs = _inputs(coach, rows, places, length) | _seen(coach, unread)
        config = generation_config(coach, decoding)
        ids = coach.plain.generate(
            **inputs, generation_config=config, **{_cache_name(coach): read.cache}
        )
        written = [_own(row, config.eos_token_id) for row in ids[:, length:].tolist()]
        self._last = _read_now(rows, places, written, length, read.cache)
        texts = coach.processor.tokenizer.batch_decode(written, skip_special_tokens=True)
        ended = [own[-1] in config.eos_token_id for own in written]
        return [Reply(text, cut=not end) for text, end in zip(texts, ended, strict=True)]


def _inputs(
    coach: Coach, rows: Sequence[Encoded], places: Sequence[Ids], length: int
) -> dict[str, Any]:
    """Return ids and mask (B, length) and positions (4, B, length) of rows at their places."""
    import torch

    pad = coach.processor.tokenizer.pad_token_id
    ids = torch.full((len(rows), length), pad)
    mask = torch.zeros_like(ids)
    # As transformers has it: the place in the text, then those in time, height and width.
    positions = torch.zeros((4, *ids.shape), dtype=torch.int64)
    for number, (row, own, seen) in enumerate(
        zip(rows, places, _positions(coach, rows), strict=True)
    ):
        where = torch.from_numpy(own)
        ids[number, where] = torch.tensor(row.input_ids)
        mask[number, where] = 1
        positions[0, number, where] = torch.arange(len(row))
        positions[1:, number, where] = seen
    made = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
    return {name: tensor.to(coach.device) for name, tensor in made.items()}


def _positions(coach: Coach, rows: Sequence[Encoded]) -> list[Any]:
    """Return the positions (3, tokens) of each row on its own, by the model's own rule."""
    import torch

    batch = Collator.of(coach.processor)(rows)
    if "video_grid_thw" not in batch:
        return [torch.arange(len(row)).expand(3, -1) for row in rows]
    given = ("mm_token_type_ids", "video_grid_thw", "second_per_grid_ts", "attention_mask")
    found, _ = coach.plain.model.get_rope_index(
        batch["input_ids"], **{name: batch[name] for name in given}
    )
    return [found[:, number, : len(row)] for number, row in enumerate(rows)]


def _seen(coach: Coach, visions: Sequence[Vision]) -> dict[str, Any]:
    """Return the features of videos as the model takes them; those that lack are computed."""
    import torch

    if not visions:
        return {}
    features = [None if v.features is None else v.features.to(coach.device) for v in visions]
    lacking = [vision for vision in visions if vision.features is None]
    if lacking:
        made = coach.plain.model.get_video_features(
            torch.cat([vision.pixel_values_videos for vision in lacking]).to(coach.device),
            torch.cat([vision.video_grid_thw for vision in lacking]).to(coach.device),
        )
        parts = torch.cat(made.pooler_output).split([sum(vision.tokens) for vision in lacking])
        computed = iter(parts)
        features = [next(computed) if one is None else one for one in features]
    tokens = [count for vision in visions for count in vision.tokens]
    return with_encoder_outputs({"video_features": torch.cat(features).split(tokens)})


def _own(ids: list[int], ends: Sequence[int]) -> list[int]:
    """Return an answer up to and with its end; what follows fills the batch."""
    end = next((number for number, token in enumerate(ids) if token in ends), len(ids))
    return ids[: end + 1]


def _read_now(
    rows: Sequence[Encoded],
    places: Sequence[Ids],
    written: Sequence[list[int]],
    length: int,
    cache: Any,
) -> ReadRows:
    """Return prompts and answers as read; the last token written has not been."""
    most = int(cache.get_seq_length()) - length
    read = [own[:most] for own in written]
    return ReadRows(
        [np.array([*row.input_ids, *own]) for row, own in zip(rows, read, strict=True)],
        [
            np.concatenate([own, np.arange(length, length + len(more))])
            for own, more in zip(places, read, strict=True)
        ],
        [row.vision for row in rows],
        cache,
    )


def _cache_name(coach: Coach) -> str:
    """Return what this version of transformers calls the cache."""
    parameters = inspect.signature(coach.plain.forward).parameters
    return "cache" if "cache" in parameters else "past_key_values"
