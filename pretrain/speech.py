"""Teaches the language model to read what the finished eyes see, and to talk about it.

The eyes do not change any more, so features are those of `pretrain.watch`. Reading means
that helpers find the errors in the states of the video's tokens, which costs far less than words.

Most of it is learnt from the gist of a clip, one token for each step of time: the mean of its
places, from which a pose can be read (`pretrain.eyes`). A clip costs 8 tokens then, not 128.
"""

import copy
import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from flex.graph import Graph
from flex.sample import Annotation
from pretrain.error_table import ErrorTable, missed
from pretrain.films import GROUPS
from pretrain.notes import ASIDE
from pretrain.patches import GRID, PLACES
from pretrain.talk import Turn, brief, talk

_WIDE = 512
_GRAIN, _UNSEEN = 0.15, 0.1  # of the features' deviation; share of the video's tokens
_MISHEARD = 0.1  # share of a question's tokens that are any other
_ECHO, _ECHOED = 0.5, 16  # share of talks that end with an echo; its tokens
_SORTED = 8  # batches whose talks are sorted by length together
_SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
_USER, _COACH, _END = "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>"
_PAD = "<|video_pad|>"
Make = Callable[[Graph, Annotation, random.Random], list[Turn]]
Written = tuple[list[int], dict[str, Any]]


class Speaker:
    """Draws clips, as features, and talks about them."""

    def __init__(
        self,
        graph: Graph,
        tokenizer: Any,
        features: Sequence[npt.NDArray[np.float16]],
        records: list[Annotation],
        seed: int,
    ) -> None:
        self._graph, self._tokenizer = graph, tokenizer
        self._features, self._records = features, records
        self.errors = ErrorTable(graph)
        self._draws = random.Random(seed)
        self._words = sorted(set(range(len(tokenizer))) - set(tokenizer.all_special_ids))

    def looks(self, count: int, places: int = PLACES) -> Iterator[dict[str, Any]]:
        """Yield batches whose clips are not spoken of; of one place for each step, the gist."""
        ids = self._ids(_video(places))
        silent = (ids, [0.0] * len(ids))
        while True:
            clips = self._pick(count)
            yield self._seen(clips, self._batch(clips, [silent] * count), places)

    def talks(self, count: int) -> Iterator[dict[str, Any]]:
        """Yield batches: ids, mask, types, weights (B, L), features, seconds, errors, known."""
        return (self._seen(*told, PLACES) for told in self.written_talks(count))

    def brief_talks(self, count: int) -> Iterator[dict[str, Any]]:
        """Yield batches of short talks about the gist of clips: many decisions for few tokens."""
        return (self._seen(*told, 1) for told in self.written_brief_talks(count))

    def written_talks(self, count: int) -> Iterator[Written]:
        """Yield the clips of a batch and the batch, without features."""
        return self._written(talk, count, PLACES)

    def written_brief_talks(self, count: int) -> Iterator[Written]:
        """Yield the clips of a batch of short talks and the batch, without features."""
        return self._written(brief, count, 1)

    def _written(self, make: Make, count: int, places: int) -> Iterator[Written]:
        """Yield batches; talks of like length share one, so that little of it is padding."""
        while True:
            picked = self._pick(_SORTED * count)
            talks = [make(self._graph, self._records[n], self._draws) for n in picked]
            rows = [self.encode(turns, places) for turns in talks]
            order = sorted(range(len(rows)), key=lambda n: len(rows[n][0]))
            batches = [order[at : at + count] for at in range(0, len(order), count)]
            self._draws.shuffle(batches)
            for batch in batches:
                clips = [picked[n] for n in batch]
                yield clips, self._batch(clips, [rows[n] for n in batch])

    def _pick(self, count: int) -> list[int]:
        return [self._draws.randrange(len(self._records)) for _ in range(count)]

    def _seen(self, picked: list[int], batch: dict[str, Any], places: int) -> dict[str, Any]:
        """Return a batch with the features of one look at each of the clips `picked`."""
        import torch

        looks = [self._draws.choice(self._features) for _ in picked]
        seen = np.stack([look[n] for look, n in zip(looks, picked, strict=True)])
        return batch | {"features": shown(torch.from_numpy(seen), places)}

    def _batch(
        self, picked: list[int], rows: list[tuple[list[int], list[float]]]
    ) -> dict[str, Any]:
        """Return a batch without features: `rows` are encoded talks about the clips `picked`."""
        import torch

        records = [self._records[n] for n in picked]
        width = max(len(ids) for ids, _ in rows)
        ids = torch.full((len(rows), width), self._tokenizer.pad_token_id)
        weights, mask = torch.zeros(ids.shape), torch.zeros_like(ids)
        for n, (tokens, counts) in enumerate(rows):
            ids[n, : len(tokens)] = torch.tensor(tokens)
            weights[n, : len(tokens)] = torch.tensor(counts)
            mask[n, : len(tokens)] = 1
        video = self._tokenizer.convert_tokens_to_ids(_PAD)
        errors, known = self.errors.of(records)
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "mm_token_type_ids": 2 * (ids == video).int(),
            "weights": weights,
            "seconds": torch.tensor([float(r.duration_s or 0) / GROUPS for r in records]),
            "errors": errors,
            "known": known,
        }

    def encode(self, turns: list[Turn], places: int = PLACES) -> tuple[list[int], list[float]]:
        """Return the ids of a talk and how much each counts: 0 outside answers.

        Some tokens of the questions are any others, so that no answer hangs on a single word. Some
        talks end with an echo of any tokens: what no answer here uses, a tuned one may need, and a
        token that is never said is unlearnt so far that an adapter cannot bring it back.
        """
        ids: list[int] = []
        weights: list[float] = []

        def add(tokens: list[int], weight: float = 0.0) -> None:
            ids.extend(tokens)
            weights.extend([weight] * len(tokens))

        for n, turn in enumerate(turns):
            add(self._ids(f"{_SYSTEM}{_USER}{_video(places)}" if n == 0 else f"\n{_USER}"))
            add(self._misheard(self._ids(turn.question)))
            add(self._ids(_COACH))
            for piece in turn.answer:
                add(self._ids(piece.text), piece.weight)
            add(self._ids(_END), turn.answer[-1].weight)
        if self._draws.random() < _ECHO:
            said = self._draws.choices(self._words, k=_ECHOED)
            for before, weight in ((f"\n{_USER}", 0.0), (_COACH, ASIDE)):
                add(self._ids(before))
                add(said, weight)
            add(self._ids(_END), ASIDE)
        return ids, weights

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text)["input_ids"])

    def _misheard(self, question: list[int]) -> list[int]:
        return [
            self._draws.choice(self._words) if self._draws.random() < _MISHEARD else token
            for token in question
        ]


def shown(features: Any, places: int) -> Any:
    """Return features (B, 128, hidden), of `places` a step of time, blurred: (B, T × places, …)."""
    from vlm.blur import blurred

    few = features.float().unflatten(1, (GROUPS, places, -1)).mean(dim=3).flatten(1, 2)
    return blurred(few, _GRAIN, _UNSEEN)


def _video(places: int) -> str:
    return f"<|vision_start|>{_PAD * (GROUPS * places)}<|vision_end|>"


def build_readers(hidden: int, occurrences: int) -> Any:
    """Return the helpers that find errors in the states of the language model.

    Half way up, "all" reads the mean of every step of time and "last" the last video token alone;
    one layer below the top, "words" reads every token that begins or goes on with an answer. So
    what is seen is known to the video's tokens early enough for the layers above to speak of it.
    """
    from torch import nn

    return nn.ModuleDict(
        {
            "all": nn.Sequential(
                nn.Flatten(1),
                nn.Linear(GROUPS * hidden, _WIDE),
                nn.GELU(),
                nn.Linear(_WIDE, occurrences),
            ),
            "last": nn.Linear(hidden, occurrences),
            "words": nn.Linear(hidden, occurrences),
        }
    )


def reading_losses(model: Any, readers: Any, batch: dict[str, Any]) -> dict[str, Any]:
    """Return the losses of the helpers that read the video's tokens; only half the layers run."""
    language_model = model.model.language_model
    shallow = copy.copy(language_model)
    shallow._modules = dict(language_model._modules)
    shallow.layers = language_model.layers[: len(language_model.layers) // 2]
    return _read(readers, _states(model, shallow, batch), batch)


def speech_losses(model: Any, readers: Any, batch: dict[str, Any]) -> dict[str, Any]:
    """Return the weighted mean loss of the answers' tokens, and the helpers' losses."""
    import torch
    from torch.nn.functional import cross_entropy

    language_model = model.model.language_model
    layers, weights = language_model.layers, batch["weights"][:, 1:]
    with _outputs(layers[len(layers) // 2 - 1], layers[-2]) as kept:
        states = _states(model, language_model, batch)
    half, below = (language_model.norm(state) for state in kept)
    learnt = weights > 0
    logits = model.lm_head(states[:, :-1][learnt])
    told = readers["words"](below[:, :-1][learnt])
    targets = batch["input_ids"][:, 1:][learnt]
    loss = cross_entropy(logits, targets, reduction="none")
    rows = torch.nonzero(learnt)[:, 0]
    return {
        "text": (loss * weights[learnt]).sum() / weights.sum(),
        "read_words": missed(told, batch["errors"][rows], batch["known"][rows]),
        **_read(readers, half, batch),
    }


@contextmanager
def _outputs(*layers: Any) -> Iterator[list[Any]]:
    """Keep what layers return while the model runs, in the order in which they run.

    The model's own `output_hidden_states` would count a layer twice once a copy of the model that
    shares it has been asked too.
    """
    kept: list[Any] = []
    handles = [layer.register_forward_hook(lambda _, __, out: kept.append(out)) for layer in layers]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()


def _states(model: Any, language_model: Any, batch: dict[str, Any]) -> Any:
    """Return the last hidden states (B, L, hidden)."""
    import torch

    ids = batch["input_ids"]
    places = batch["features"].shape[1] // GROUPS
    side = GRID * math.isqrt(places) // math.isqrt(PLACES)
    embedded = model.get_input_embeddings()(ids)
    video = (batch["mm_token_type_ids"] == 2).unsqueeze(-1).expand_as(embedded)
    embedded = embedded.masked_scatter(video, batch["features"].to(embedded.dtype))
    positions, _ = model.model.get_rope_index(
        ids,
        batch["mm_token_type_ids"],
        video_grid_thw=torch.tensor([[GROUPS, side, side]] * len(ids)),
        second_per_grid_ts=batch["seconds"],
        attention_mask=batch["attention_mask"],
    )
    return language_model(
        inputs_embeds=embedded,
        attention_mask=batch["attention_mask"],
        position_ids=positions,
        use_cache=False,
    ).last_hidden_state


def _read(readers: Any, states: Any, batch: dict[str, Any]) -> dict[str, Any]:
    seen = states[batch["mm_token_type_ids"] == 2].unflatten(0, (len(states), GROUPS, -1))
    found = {"all": readers["all"](seen.mean(dim=2)), "last": readers["last"](seen[:, -1, -1])}
    return {
        f"read_{name}": missed(logits, batch["errors"], batch["known"])
        for name, logits in found.items()
    }
