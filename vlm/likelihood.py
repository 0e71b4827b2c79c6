"""How likely a local model holds each of some answers, given what was said and seen so far.

    answers = ["This is the Squat.", "This is the Deadlift."]
    log_likelihoods(coach, Conversation((frames,), messages), answers)   # [-0.9, -7.2]

The vision tower looks at the videos once, however many answers there are, and the answers go
through the language model in batches. Nothing is drawn: the same input gives the same numbers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flex.problems import InputError, Problem
from flex.video import Frames
from vlm.chat import NO_STAGE, NOT_LEARNT, Encoded, Vision, encode_prompt, see, with_features
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

    with torch.inference_mode():
        vision = _look(coach, conversation.videos)
        prompt = encode_prompt(coach.processor, vision, conversation.messages)
        rows = [_with_answer(coach, prompt, answer) for answer in answers]
        found: list[float] = []
        for start in range(0, len(rows), batch_size):
            found += _rate(coach, rows[start : start + batch_size], per_token)
    return found


def _look(coach: Coach, videos: tuple[Frames, ...] | Vision) -> Vision:
    """Return the videos with the vision tower's features in place of their pixels."""
    import torch

    vision = videos if isinstance(videos, Vision) else see(coach.processor, videos)
    if vision.pixel_values_videos is None:
        return vision
    made = coach.model.get_video_features(
        vision.pixel_values_videos.to(coach.device), vision.video_grid_thw.to(coach.device)
    )
    return with_features(vision, torch.cat(list(made.pooler_output)))


def _with_answer(coach: Coach, prompt: Encoded, answer: str) -> Encoded:
    # A marker in the text of an answer is plain text, as in `vlm.chat`.
    ids: list[int] = coach.processor.tokenizer(
        answer, add_special_tokens=False, split_special_tokens=True
    )["input_ids"]
    if not ids:
        raise InputError([Problem("answers", f"expected some text, found {answer!r}")])
    row = replace(
        prompt,
        input_ids=[*prompt.input_ids],
        labels=[*prompt.labels],
        stage_ids=[*prompt.stage_ids],
    )
    row.add(ids, NO_STAGE)
    return row


def _rate(coach: Coach, rows: Sequence[Encoded], per_token: bool) -> list[float]:
    """Return the sum or mean of the log-probabilities of what is to be learnt in each row."""
    import torch

    inputs = model_inputs(coach, rows)
    # Rows are padded on the left, so that all answers lie at the end.
    longest = max(sum(label != NOT_LEARNT for label in row.labels) for row in rows)
    wanted = torch.tensor([row.labels[-longest:] for row in rows], device=coach.device)
    output: Any = coach.model(**inputs, logits_to_keep=longest + 1, use_cache=False)
    # Each place tells the token after it.
    logs = output.logits[:, :-1].float().log_softmax(-1)
    rated = wanted != NOT_LEARNT
    picked = logs.gather(-1, wanted.clamp(min=0).unsqueeze(-1)).squeeze(-1) * rated
    total = picked.sum(-1)
    values: list[float] = (total / rated.sum(-1) if per_token else total).tolist()
    return values
