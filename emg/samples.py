"""Clips with the files that a recipe reads, and the part of the split that each is in.

    samples = load_samples(Path("data/flex-sim"), recipe, graph)
    [s for s in samples if s.part == "train"]

Splits: by subject (default); by repetition, where every subject is on every side; by action, whose
clips nobody was trained on; by view, where unseen people are seen from another camera. Everything
that a listing can tell is checked here, and told at once.
"""

from collections.abc import Sequence
from pathlib import Path

from emg.recipe import POSE, Recipe
from flex.annotations import ANNOTATIONS_FILE, load_annotations
from flex.dataset import Clip, find_clips
from flex.graph import Graph
from flex.problems import InputError, Problem, nearest
from flex.sample import Annotation
from flex.shared_bytes import shared_recordings
from flex.splits import Part, leaks, split_by_repetition, split_by_subject
from learn.sample import Sample


def load_samples(data: Path, recipe: Recipe, graph: Graph) -> list[Sample]:
    """Return the clips of a data folder that a recipe uses, sorted by id.

    Raises:
        InputError: no records, a split that cannot be made or that leaks, clips without sEMG or
            without something that the recipe reads; every one is named.
    """
    records = load_records(data, recipe, graph)
    parts = parts_of(records, recipe, data, graph)
    problems: list[Problem] = []
    samples = []
    for clip in find_clips(data, graph, records):
        if clip.annotation is None or clip.clip not in parts:
            continue
        part = parts[clip.clip]
        streams, found = streams_of(clip, recipe, part=part)
        problems += found
        if clip.semg is None:
            message = "has no sEMG file, which training and evaluation need"
            problems.append(Problem(clip.clip, message))
        samples.append(Sample(clip.annotation, part, clip, streams))
    if problems:
        raise InputError(problems)
    return samples


def one_sample(clip: str, data: Path, recipe: Recipe, graph: Graph) -> Sample:
    """Return one clip of a data folder, to predict; it may lack sEMG.

    Raises:
        InputError: there is no such clip, or it lacks something that the recipe reads.
    """
    path = data / ANNOTATIONS_FILE
    records = load_annotations(path, graph) if path.is_file() else []
    clips = {found.clip: found for found in find_clips(data, graph, records)}
    if clip not in clips:
        message = f"holds no clip {clip!r}{nearest(clip, clips)}"
        raise InputError([Problem(str(data), message)])
    found = clips[clip]
    streams, problems = streams_of(found, recipe)
    if problems:
        raise InputError(problems)
    record = found.annotation or Annotation(clip=clip, action=found.action)
    return Sample(record, "test", found, streams)


def load_records(data: Path, recipe: Recipe, graph: Graph) -> list[Annotation]:
    """Return the records of the recipe's actions.

    Raises:
        InputError: there are none, they are wrong, or an action is not known.
    """
    wanted = {graph.action(action).id for action in recipe.actions}
    path = data / ANNOTATIONS_FILE
    if not path.is_file():
        message = (
            "is missing: it says who lifts what. `make sim` writes a simulated one, "
            "`python -m flex data import` brings yours"
        )
        raise InputError([Problem(str(path), message)])
    records = [r for r in load_annotations(path, graph) if not wanted or r.action in wanted]
    if not records:
        raise InputError([Problem(str(data), "holds no clip of the wanted actions")])
    return records


def parts_of(
    records: Sequence[Annotation], recipe: Recipe, data: Path, graph: Graph
) -> dict[str, Part]:
    """Return clip → part for the recipe's split; leaks of subjects and of bytes are refused.

    Raises:
        InputError: the split cannot be made, or leaks.
    """
    if recipe.split == "action":
        return _parts_by_action(records, recipe, data, graph)
    make = split_by_repetition if recipe.split == "repetition" else split_by_subject
    split = make(records, seed=recipe.split_seed)
    leaks(split, records, data)
    return {record.clip: split.part(record.clip) for record in records}


def streams_of(
    clip: Clip, recipe: Recipe, *, part: Part = "train"
) -> tuple[dict[str, Path], list[Problem]]:
    """Return what the recipe reads of a clip, and what is wrong with it.

    With `test_views` a clip of the test part lends each view the file of another camera.
    """
    cameras = recipe.test_views if part == "test" and recipe.test_views else recipe.views
    names = dict(zip(recipe.views, cameras, strict=True))
    wanted: dict[str, Path | None] = {view: clip.views.get(name) for view, name in names.items()}
    if recipe.pose:
        wanted[POSE] = clip.skeleton
    streams: dict[str, Path] = {}
    problems = []
    for stream, path in wanted.items():
        if path is not None and path.exists():
            streams[stream] = path
        elif path is not None:
            problems.append(Problem(str(path), f"is missing: {clip.clip} names it"))
        elif stream == POSE:
            message = "has no skeleton file, which this model reads"
            problems.append(Problem(clip.clip, message))
        else:
            have = ", ".join(clip.views) or "no view"
            message = f"the view {names[stream]!r} is absent; there is {have}"
            problems.append(Problem(clip.clip, message))
    return streams, problems


def _parts_by_action(
    records: Sequence[Annotation], recipe: Recipe, data: Path, graph: Graph
) -> dict[str, Part]:
    """Return parts where the test actions are nobody's; validation is some people's other lifts."""
    held = {graph.action(action).id for action in recipe.test_actions}
    rest = [record for record in records if record.action not in held]
    if len(rest) == len(records) or not rest:
        message = f"test_actions {', '.join(sorted(held))}: both sides of the split need clips"
        raise InputError([Problem(str(data), message)])
    split = split_by_subject(rest, seed=recipe.split_seed)
    parts: dict[str, Part] = {}
    for record in records:
        if record.action in held:
            parts[record.clip] = "test"
        else:
            validation = split.part(record.clip) == "validation"
            parts[record.clip] = "validation" if validation else "train"
    if problems := shared_recordings(data, records, parts):
        raise InputError(problems)
    return parts
