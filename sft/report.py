"""What is said before a run starts: examples, token histogram, longest example, memory, time."""

from collections.abc import Sequence

from rich.table import Table

from sft.data import Example, feature_folder
from sft.fit import heaviest_pass
from sft.flops import Shape, step_flops
from sft.memory import step_bytes, weight_bytes
from sft.recipe import Recipe

# What of the peak such runs reach; only the estimate before the first step uses it.
_USUAL_SHARE = 0.35
_BINS = 8


def histogram(lengths: Sequence[int], bins: int = _BINS) -> list[tuple[int, int, int]]:
    """Return (from, to, count) of equal bins that cover all lengths, both ends included."""
    low, high = min(lengths), max(lengths)
    width = max(1, -(-(high - low + 1) // bins))
    edges = range(low, high + 1, width)
    return [
        (edge, edge + width - 1, sum(edge <= length < edge + width for length in lengths))
        for edge in edges
    ]


def histogram_table(examples: Sequence[Example]) -> Table:
    """Return the lengths of the dialogues in tokens as a table with bars."""
    rows = histogram([example.length for example in examples])
    most = max(count for _, _, count in rows)
    table = Table("tokens", "dialogues", "", box=None, pad_edge=False)
    for low, high, count in rows:
        table.add_row(f"{low:,}–{high:,}", f"{count:,}", "█" * round(40 * count / most))
    return table


def summary(examples: Sequence[Example], recipe: Recipe, steps: int, ranks: int) -> str:
    """Return what is trained on in one paragraph."""
    longest = max(examples, key=lambda example: example.length)
    tokens = sum(example.length for example in examples)
    video = sum(example.video_tokens for example in examples)
    return (
        f"{len(examples):,} dialogues, {tokens:,} tokens ({video:,} of video, "
        f"{sum(example.learnt for example in examples):,} learnt); the longest is "
        f"{longest.name} with {longest.length:,} of at most {recipe.max_tokens:,} tokens; "
        f"{steps:,} steps of {recipe.batch} × {recipe.accumulate} × {ranks} dialogues, "
        f"activations {'computed again' if recipe.checkpointing else 'kept'}"
    )


def estimate(
    examples: Sequence[Example],
    recipe: Recipe,
    shape: Shape,
    *,
    steps: int,
    ranks: int,
    trained: int,
    peak: float,
    before: int,
    fused: bool = False,
) -> str:
    """Return the estimated memory and time in words; rough, and said to be so.

    `before` are the bytes that are held before the first step, the weights among them.
    """
    held = step_bytes(shape, heaviest_pass(examples, recipe.batch), trained, recipe, fused=fused)
    more = held - weight_bytes(shape, recipe)  # the weights are held already
    said = f"estimated: about {(before + more) / 2**30:.1f} GiB"
    if not peak:
        return f"{said}; time unknown, since this GPU's peak is"
    flops = step_flops(
        shape,
        [example.length for example in examples],
        sum(example.learnt for example in examples),
        sum(example.video_tokens for example in examples),
        vision_tuned=recipe.scope != "llm",
        vision_cached=feature_folder(recipe) is not None,
    )
    seen = steps * recipe.batch * recipe.accumulate
    minutes = flops / len(examples) * seen / peak / _USUAL_SHARE / 60
    return f"{said}, and about {minutes:.1f} minutes on {ranks} rank{'s' * (ranks > 1)}"
