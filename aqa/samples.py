"""Clips with their streams and labels, for a data folder, a split and a recipe.

    samples = load_samples(Path("data/flex-sim"), recipe, graph)
    [s for s in samples if s.part == "train"]

Labels come from `annotations.jsonl`; without it, the scores of the authors' lists are taken (they
hold no errors and no subjects). Where a split has no validation part, as the released one, every
tenth training clip of an action becomes validation, so that the test part never chooses anything.
Everything that a listing can tell is checked here, and told at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from aqa.layout import POSE, SEMG
from aqa.recipe import Recipe
from flex.annotations import ANNOTATIONS_FILE, load_annotations
from flex.dataset import Clip, find_clips
from flex.files import hash_text
from flex.graph import Graph
from flex.problems import InputError, Problem
from flex.released_lists import read_released_lists
from flex.sample import Annotation
from flex.semg import LOWEST_RATE_HZ
from flex.splits import (
    Part,
    Split,
    leaks,
    split_as_released,
    split_by_repetition,
    split_by_subject,
)
from learn.sample import Sample

_VALIDATION_SHARE = 10  # one clip in ten


def load_samples(data: Path, recipe: Recipe, graph: Graph) -> list[Sample]:
    """Return the clips of a data folder that a recipe uses, sorted by id.

    Raises:
        InputError: no labels, a split that cannot be made or that leaks, a file that is missing,
            a view that is absent, a sample rate that is too low; every one is named.
    """
    records = load_records(data, recipe, graph)
    parts = parts_of(records, recipe, data)
    clips = {clip.clip: clip for clip in find_clips(data, graph, records)}
    problems: list[Problem] = []
    samples = []
    for record in sorted(records, key=lambda r: r.clip):
        part = parts[record.clip]
        sample = Sample(record, part, clips[record.clip])
        streams, found = streams_of(sample.clip, recipe, part=part)
        problems += found
        samples.append(replace(sample, streams=streams))
    if problems:
        raise InputError(problems)
    return samples


def load_records(data: Path, recipe: Recipe, graph: Graph) -> list[Annotation]:
    """Return the records of the recipe's actions.

    Raises:
        InputError: there are none, they are wrong, or an action is not known.
    """
    wanted = {graph.action(action).id for action in recipe.actions}
    path = data / ANNOTATIONS_FILE
    if path.is_file():
        records = load_annotations(path, graph)
    elif recipe.split == "released":
        records = [
            Annotation(clip=row.clip, action=row.clip[:3], score=row.score, labelled=())
            for rows in read_released_lists(data).values()
            for row in rows
        ]
    else:
        message = (
            "is missing: it holds the labels. `make sim` writes simulated ones, "
            "`python -m flex data import` brings yours; split=released takes the authors' scores"
        )
        raise InputError([Problem(str(path), message)])
    records = [r for r in records if not wanted or r.action in wanted]
    if not records:
        raise InputError([Problem(str(data), "holds no labelled clip of the wanted actions")])
    without = [r.clip for r in records if r.score is None]
    if without:
        raise InputError([Problem(clip, "has no score and no errors to score") for clip in without])
    return records


def parts_of(records: Sequence[Annotation], recipe: Recipe, data: Path) -> dict[str, Part]:
    """Return clip → part for the recipe's split; leaks of subjects and of bytes are refused.

    Raises:
        InputError: the split cannot be made, or leaks.
    """
    split = _split(records, recipe, data)
    leaks(split, records, data)
    parts = {record.clip: split.part(record.clip) for record in records}
    if "validation" not in parts.values():
        for clips in _by_action(r for r in records if parts[r.clip] == "train"):
            order = sorted(clips, key=lambda clip: hash_text(str(recipe.split_seed), clip))
            parts |= dict.fromkeys(order[::_VALIDATION_SHARE][: len(order) - 1], "validation")
    return parts


def streams_of(
    clip: Clip, recipe: Recipe, *, part: Part = "test"
) -> tuple[dict[str, Path], list[Problem]]:
    """Return the streams of the recipe that a clip has, and what is wrong with it.

    With `test_views` a clip of the test part lends each view the file of another camera.
    """
    cameras = recipe.test_views if part == "test" and recipe.test_views else recipe.views
    wanted: dict[str, Path | None] = {
        view: clip.views.get(camera) for view, camera in zip(recipe.views, cameras, strict=True)
    }
    names = dict(zip(recipe.views, cameras, strict=True))
    if recipe.pose:
        wanted[POSE] = clip.skeleton
    if recipe.semg != "none":
        wanted[SEMG] = clip.semg
    streams: dict[str, Path] = {}
    problems = []
    for stream, path in wanted.items():
        if path is not None and path.exists():
            streams[stream] = path
        elif path is not None:
            problems.append(Problem(str(path), f"is missing: {clip.clip} names it"))
        elif recipe.missing == "refuse":
            problems.append(Problem(clip.clip, _absent(stream, names.get(stream), clip)))
    if recipe.missing == "mask" and not streams and not problems:
        message = f"has none of the streams {', '.join(wanted)}"
        problems.append(Problem(clip.clip, message))
    if SEMG in streams:
        problems += _rate_problems(clip, recipe, streams[SEMG])
    return streams, problems


def _absent(stream: str, camera: str | None, clip: Clip) -> str:
    have = ", ".join(clip.views) or "no view"
    what = f"the view {camera!r} is absent; there is {have}" if camera else f"has no {stream} file"
    return f"{what}. Set missing=mask to do without, or train on other streams"


def _rate_problems(clip: Clip, recipe: Recipe, path: Path) -> Iterator[Problem]:
    stated = clip.annotation.semg if clip.annotation else None
    rate = stated.sample_rate_hz if stated else recipe.sample_rate_hz
    if rate is None:
        message = "the sample rate is not known: state it in the record, or set sample_rate_hz"
        yield Problem(str(path), message)
    elif rate <= LOWEST_RATE_HZ and (recipe.semg == "envelope" or recipe.peaks == "envelope"):
        message = f"an envelope needs a sample rate above {LOWEST_RATE_HZ:g} Hz, found {rate:g} Hz"
        yield Problem(str(path), f"{message}; peaks=raw with semg=peak_share does without")


def _split(records: Sequence[Annotation], recipe: Recipe, data: Path) -> Split:
    if recipe.split == "released":
        return split_as_released(data, records)
    make = split_by_subject if recipe.split == "subject" else split_by_repetition
    return make(records, seed=recipe.split_seed)


def _by_action(records: Iterable[Annotation]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for record in records:
        groups.setdefault(record.action, []).append(record.clip)
    return list(groups.values())
