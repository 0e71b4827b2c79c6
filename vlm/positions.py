"""Where the words behind a video stand in time: two rules, of which a model has learnt one.

    give_rule(model, "video")

"video": behind the last place of the whole video. So it was published, and vLLM has it.
"frame": behind the places of a single frame, as if the video took no time. So transformers has it
from version 5 on (seen in 5.18 to 5.24), and with it the tiny coach and adapters of earlier
versions learnt. The two differ once a video has more steps of time than rows or columns of places.
"""

import itertools
import types
from typing import Any, Literal

Rule = Literal["video", "frame"]
_VIDEO = 2


def give_rule(model: Any, rule: Rule) -> None:
    """Have a `Qwen2_5_VLForConditionalGeneration` place words by a rule.

    Raises:
        AttributeError: transformers has no `get_rope_index` any more, or another one.
    """
    inner = model.model
    inner.words_follow = rule
    inner.get_rope_index = types.MethodType(_rope_index, inner)


def rule_of(model: Any) -> Rule:
    """Return the rule of a model; one that was given none has that of transformers."""
    rule: Rule = getattr(model.model, "words_follow", "frame")
    return rule


def _rope_index(
    inner: Any, input_ids: Any, mm_token_type_ids: Any, *args: Any, **given: Any
) -> tuple[Any, Any]:
    """Return positions (3, B, L), and for each row (B, 1) its last one less its length, plus 1."""
    positions, distances = type(inner).get_rope_index(
        inner, input_ids, mm_token_type_ids, *args, **given
    )
    if inner.words_follow == "frame":
        return positions, distances
    mask = given.get("attention_mask")
    for row, kinds in enumerate(mm_token_type_ids):
        real = slice(None) if mask is None else mask[row].bool()
        placed = _behind_videos(positions[:, row, real], (kinds[real] == _VIDEO).tolist())
        positions[:, row, real] = placed
        distances[row] = placed.max() + 1 - placed.shape[1]
    return positions, distances


def _behind_videos(placed: Any, video: list[bool]) -> Any:
    """Return positions (3, L) of one row, moved so that nothing is at a time of a video before."""
    placed = placed.clone()
    start = 0
    for shown, tokens in itertools.groupby(video):
        end = start + len(list(tokens))
        if shown and end < len(video):
            placed[:, end:] += placed[:, start:end].max() + 1 - placed[0, end]
        start = end
    return placed
