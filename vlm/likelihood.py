"""How likely a local model holds each of some answers, given what was said and seen so far.

    answers = ["This is the Squat.", "This is the Deadlift."]
    log_likelihoods(coach, Conversation((frames,), messages), answers)   # [-0.9, -7.2]

What was said and seen goes through the model once, and each answer goes on from what the model kept
of it. Nothing is drawn: the same input gives the same numbers.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from flex.problems import InputError, Problem
from vlm.chat import Encoded, encode_prompt, plain_ids
from vlm.generate import Conversation, model_inputs
from vlm.model import Coach


def log_likelihoods(
    coach: Coach,
    conversation: Conversation,
    answers: Sequence[str],
    *,
    per_token: bool = False,
    batch_size: int = 8,
) -> list[float]:
    """Return the natural log-likelihood of each answer as the next one, in order.

    Args:
        coach: a local model.
        conversation: what was said and seen before the answer.
        answers: plain text; its end is not rated, so that each may go on.
        per_token: the mean over an answer's tokens in place of their sum, which favours short ones.
        batch_size: how many answers go through the model at a time.

    Raises:
        InputError: a conversation that is none, or an answer without a token.
    """
    import torch

    if not answers:
        return []
    rows = [_ids(coach, answer) for answer in answers]
    found: list[float] = []
    with torch.inference_mode():
        prompt = encode_prompt(coach.processor, conversation.videos, conversation.messages)
        read = _read(coach, prompt)
        for start in range(0, len(rows), batch_size):
            batch = rows[start : start + batch_size]
            for row, logs in zip(batch, _rate(coach, read, batch), strict=True):
                total = float(logs[: len(row)].sum())
                found.append(total / len(row) if per_token else total)
    return found


def _ids(coach: Coach, answer: str) -> list[int]:
    ids = plain_ids(coach.processor, answer)
    if not ids:
        raise InputError([Problem("answers", f"expected some text, found {answer!r}")])
    return ids


@dataclass(frozen=True)
class _Read:
    """What the model keeps of a prompt.

    Attributes:
        logits: (1, 1, vocabulary), of the token after it.
        cache: its keys and values.
        place: the temporal position of that token.
    """

    logits: Any
    cache: Any
    place: int


def _read(coach: Coach, prompt: Encoded) -> _Read:
    from transformers import DynamicCache

    model, cache = coach.plain, DynamicCache()
    inputs = model_inputs(coach, [prompt])
    ids, mask = inputs.pop("input_ids"), inputs.pop("attention_mask")
    # By place: what the cache is called depends on the version.
    output = model(ids, mask, None, cache, **inputs, logits_to_keep=1, use_cache=True)
    # Text goes on behind the last place of a video, which is not the number of its tokens.
    shift = int(model.model.rope_deltas.item()) if prompt.vision.tokens else 0
    return _Read(output.logits, cache, len(prompt) + shift)


def _rate(coach: Coach, read: _Read, rows: Sequence[list[int]]) -> Any:
    """Return the log-probability of each token (B, L) of answers, each going on from `read`.

    What is behind the end of a shorter answer means nothing.
    """
    import torch

    longest = max(len(row) for row in rows)
    # Padded on the right: no token looks ahead, so that what fills a row touches nothing before it.
    padded = [row + [0] * (longest - len(row)) for row in rows]
    ids = torch.tensor(padded, device=coach.device)
    logits = [read.logits.expand(len(rows), -1, -1)]
    # The last token would tell of one that nobody asked for.
    asked = ids[:, :-1]
    if longest > 1:
        cache = deepcopy(read.cache)
        cache.batch_repeat_interleave(len(rows))
        places = torch.arange(read.place, read.place + longest - 1, device=coach.device)
        model = coach.plain
        output = model(asked, None, places.expand(3, *asked.shape), cache, use_cache=True)
        logits.append(output.logits)
    # Each place tells the token after it.
    logs = torch.cat(logits, dim=1).float().log_softmax(-1)
    return logs.gather(-1, ids.unsqueeze(-1)).squeeze(-1)
