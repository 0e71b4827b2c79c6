"""What happens before the first step: caches filled by all ranks, and the run told in numbers."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.progress import track

from flex.cli import err
from flex.files import write_text
from flex.problems import InputError, Problem
from flex.processors import processors
from sft.data import Clip, Prepared, fill, prepare
from sft.flops import Shape
from sft.meter import most_held
from sft.recipe import Recipe
from sft.report import estimate, histogram_table, summary
from vlm.card import spread_rate
from vlm.model import Coach

CLIPS = "clips"
BROKEN_FILE = "broken.txt"


def rate_of(recipe: Recipe, coach: Coach, start: Path | None) -> int:
    """Return the temporal positions a second to learn with; a run from an adapter keeps its own.

    Raises:
        InputError: the recipe asks for others than the adapter to begin with learnt with.
    """
    if start is None:
        return recipe.tokens_per_second or spread_rate(coach.own_rate)
    if recipe.tokens_per_second not in (None, coach.rate):
        message = (
            f"learnt with tokens_per_second {coach.rate}, the recipe has "
            f"{recipe.tokens_per_second}; give it --set tokens_per_second={coach.rate}"
        )
        raise InputError([Problem(str(start), message)])
    return coach.rate


def prepare_together(
    recipe: Recipe, coach: Coach, clips: list[Clip], run: Path, ranks: Any
) -> Prepared:
    """Fill the caches, each rank its share, then let every rank read all of them.

    Raises:
        InputError: what `sft.data.prepare` raises.
    """
    mine = clips[ranks.process_index :: ranks.num_processes]
    log, shown = run / CLIPS / f"rank-{ranks.process_index}", ranks.is_main_process
    refused = fill(recipe, mine, log, jobs=jobs_of(recipe), shown=shown)
    if ranks.num_processes > 1:
        from accelerate.utils import gather_object

        shared = recipe.model_copy(update={"allow_broken": True, "max_tokens": 2**31})
        if mine:
            with suppress(InputError):  # what is broken is told when all are read
                prepare(shared, coach, mine, kept_bytes=0, refused=refused)
        refused = dict(gather_object([*refused.items()]))  # waits for all

    def shown_clips(items: Sequence[Clip]) -> Iterable[Clip]:
        return track(items, "preparing clips", console=err, transient=True) if shown else items

    return prepare(recipe, coach, clips, shown_clips, refused=refused)


def jobs_of(recipe: Recipe) -> int:
    """Return how many processes decode clips for one rank of this machine."""
    ranks_here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return recipe.jobs or max(1, processors() // ranks_here)


def tell(
    prepared: Prepared,
    recipe: Recipe,
    shape: Shape,
    *,
    steps: int,
    ranks: int,
    trained: int,
    peak: float,
    fused: bool,
) -> None:
    """Say what is trained on and what it is expected to take."""
    err.print(summary(prepared.examples, recipe, steps, ranks), markup=False)
    err.print(histogram_table(prepared.examples))
    err.print(
        estimate(
            prepared.examples,
            recipe,
            shape,
            steps=steps,
            ranks=ranks,
            trained=trained,
            peak=peak,
            before=most_held(),
            fused=fused,
        )
    )


def keep_broken(prepared: Prepared, run: Path) -> None:
    """Say which clips were left out, and list them in the run's folder."""
    for problem in prepared.broken:
        err.print(f"left out {problem}", markup=False, style="yellow")
    if prepared.broken:
        write_text(run / BROKEN_FILE, "".join(f"{problem}\n" for problem in prepared.broken))
