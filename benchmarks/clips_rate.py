"""How long clips take to be prepared for training, with one process and two, and when all is there.

    python -m benchmarks --only clips

Films FLEX-Sim clips once into `runs/bench/clips`: 400 of 224 × 224, 20 with as many pixels as 1080p
(ten copies of each of two films, of different bytes), and 20 folders of 103 JPEGs. What is timed
is `fill` and `prepare` of `sft.data` under the frames of best.yaml, without a vision tower: one
process is how clips were decoded before there were several. "Again" finds the cache filled; "every
byte read" takes away the kept hashes first, as it was before they were kept.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.llama_factory_input import TURNS

ROOT = Path("runs/bench/clips")
ROUNDS = 3


class Kind(NamedTuple):
    """A kind of clip: how it is filmed, how many are wanted, and copies of each."""

    settings: str
    wanted: int
    copies: int = 1


KINDS = {
    "224 × 224": Kind("--preset default", 400),
    "1440 × 1440": Kind("--subjects 2 --actions A16 --reps 1 --views 1 --size 1440", 20, 10),
    "folders of JPEGs": Kind("--subjects 10 --actions A16 --reps 2 --views 1 --media jpeg", 20),
}
WAYS = ("one process", "two processes", "again", "again, every byte read")


def run(console: Console, kinds: dict[str, Kind] = KINDS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure every kind in every way, in turn, several rounds; the median counts."""
    found: dict[str, Any] = {}
    table = Table("clips", *WAYS, title=f"Seconds to prepare clips, median of {rounds} rounds")
    for name, kind in kinds.items():
        folder = ROOT / name.replace(" ", "")
        clips = film(folder, kind)
        with tempfile.TemporaryDirectory(dir=ROOT) as scratch:
            measured = [_round(clips, Path(scratch) / f"{number}") for number in range(rounds)]
        seconds = {way: round(median(one[way] for one in measured), 2) for way in WAYS}
        found[name] = {"clips": len(clips), **seconds}
        table.add_row(f"{len(clips)} of {name}", *(f"{seconds[way]:.1f}" for way in WAYS))
    console.print(table)
    return found


def film(folder: Path, kind: Kind) -> list[Any]:
    """Film what is missing; return clips with one dialogue each."""
    from sft.data import Clip
    from vlm.dialogues import DialogueRecord

    command = [sys.executable, "-m", "sim", "--out", str(folder)]
    subprocess.run([*command, *kind.settings.split()], check=True, capture_output=True)
    views = sorted(folder.glob("A*/*/View-*"))
    if kind.copies > 1:
        views = [_copy(view, number) for view in views for number in range(kind.copies)]
    return [
        Clip(
            DialogueRecord(
                clip="/".join(view.parts[-3:-1]),
                action=view.parts[-3],
                split="train",
                views={view.stem: str(view.relative_to(folder))},
                turns=TURNS,
            ),
            view.stem,
            folder,
        )
        for view in views[: kind.wanted]
    ]


def _copy(view: Path, number: int) -> Path:
    """Return a film of the same pictures whose bytes differ: readers pass over what follows."""
    copied = view.parents[2] / f"copies/{view.parts[-2]}-{number}" / view.name
    if not copied.exists():
        copied.parent.mkdir(parents=True, exist_ok=True)
        free = (8 + number).to_bytes(4, "big") + b"free" + bytes(number)
        copied.write_bytes(view.read_bytes() + free)
    return copied


def _round(clips: list[Any], scratch: Path) -> dict[str, float]:
    """Prepare the clips in every way; return seconds."""
    from sft.data import fill, prepare
    from sft.recipe import Recipe
    from vlm.model import load_coach
    from vlm.tiny import tiny_coach_folder

    texts = [text for turn in TURNS for text in (turn.question, turn.answer)]
    base = tiny_coach_folder(scratch / "base", texts)

    def prepared(cache: str, jobs: int) -> Callable[[], Any]:
        recipe = Recipe(
            model=str(base), device="cpu", frames=16, pixels=224 * 224,
            frame_cache=scratch / cache, feature_cache=None,
        )  # fmt: skip
        coach = load_coach(base, sampler=recipe.sampler, device="cpu")

        def work() -> None:
            refused = fill(recipe, clips, scratch / "log", jobs=jobs, shown=False)
            prepare(recipe, coach, clips, refused=refused)

        return work

    times = {"one process": _timed(prepared("one", 1)), "two processes": _timed(prepared("two", 2))}
    times["again"] = _timed(prepared("two", 2))
    shutil.rmtree(scratch / "two/clips")
    times["again, every byte read"] = _timed(prepared("two", 1))
    return times


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
