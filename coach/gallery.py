"""Example clips to try the coach on: a few of each skill level, from subjects it never learnt from.

for example in find_examples(dialogues, data, graph, Path("runs/coach/posters")):
    print(example.caption, example.path, example.poster)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coach.visibility import View, view_of
from flex.files import atomic_path, hash_file
from flex.graph import Graph
from flex.pictures import jpeg
from flex.problems import InputError, Problem
from flex.video import Sampler, sample
from vlm.dialogues import DEFAULT_VIEW, DialogueRecord, read_dialogues, view_path

SKILLS = ("novice", "amateur", "expert")
_POSTER = Sampler(frames=10, pixels=336 * 252)
# Near the middle of the clip a lift is at its most telling.
_POSTER_FRAME = 4
_JPEG_QUALITY = 4


@dataclass(frozen=True)
class Example:
    """One clip to try.

    Attributes:
        path: the film of one view, or its folder of frames.
        poster: a JPEG picture of it.
        caption: skill and exercise, for people.
        view: from where it was filmed.
        simulated: true for FLEX-Sim.
    """

    clip: str
    path: Path
    action: str
    skill: str
    caption: str
    poster: Path
    view: View | None
    simulated: bool


def find_examples(
    dialogues: Path, data: Path, graph: Graph, posters: Path, *, per_skill: int = 3
) -> list[Example]:
    """Return examples of the test split, the novices first, each skill with different exercises.

    Args:
        dialogues: the dialogues file, which says who is in the test split.
        data: the data folder.
        graph: names the exercises.
        posters: folder for the pictures; one that is there is not made again.
        per_skill: how many of each skill level.

    Raises:
        InputError: no dialogues of the test split, or no film of any of them; a film that cannot
            be decoded.
    """
    records = [record for record in read_dialogues(dialogues, split="test") if record.skill]
    found = [(record, path) for record in records if (path := _film(data, record))]
    if not found:
        message = f"holds no {DEFAULT_VIEW} of the test clips in {dialogues}"
        raise InputError([Problem(str(data), message)])
    chosen = choose_records([record for record, _ in found], per_skill)
    films = {record.clip: path for record, path in found}
    return [_example(record, films[record.clip], graph, posters) for record in chosen]


def choose_records(records: Sequence[DialogueRecord], per_skill: int) -> list[DialogueRecord]:
    """Return a few records of each skill level, exercises that were not shown yet first."""
    shown: dict[str, int] = {}
    chosen = []
    for skill in SKILLS:
        left = sorted((r for r in records if r.skill == skill), key=lambda r: r.clip)
        for _ in range(min(per_skill, len(left))):
            best = min(left, key=lambda r: (shown.get(r.action, 0), r.clip))
            left.remove(best)
            shown[best.action] = shown.get(best.action, 0) + 1
            chosen.append(best)
    return chosen


def _film(data: Path, record: DialogueRecord) -> Path | None:
    try:
        return view_path(data, record)
    except InputError:
        return None


def _example(record: DialogueRecord, path: Path, graph: Graph, posters: Path) -> Example:
    return Example(
        clip=record.clip,
        path=path,
        action=record.action,
        skill=record.skill or "",
        caption=f"{graph.action(record.action).name}, {record.skill}",
        poster=_poster(path, posters),
        view=view_of(DEFAULT_VIEW),
        simulated=record.simulated,
    )


def _poster(path: Path, posters: Path) -> Path:
    frames = None
    if path.is_dir():
        frames = sample(path, _POSTER)
        name = f"{path.parent.parent.name}-{path.parent.name}-{path.name}"
    else:
        name = hash_file(path)[:16]
    poster = posters / f"{name}.jpg"
    if not poster.exists():
        frames = frames or sample(path, _POSTER)
        with atomic_path(poster) as file:
            file.write_bytes(jpeg(frames.pixels[_POSTER_FRAME], _JPEG_QUALITY))
    return poster
