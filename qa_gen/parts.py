"""Says which part of the split each clip belongs to, without holding the data set in memory."""

from collections.abc import Callable
from pathlib import Path

from flex import splits
from flex.annotations import load_annotations, read_annotations
from flex.graph import Graph
from flex.problems import InputError, Problem
from flex.sample import Annotation

PartOf = Callable[[Annotation], str]
KINDS = ("subject", "repetition", "released")


def part_of(split: str, annotations: Path, graph: Graph, *, seed: int) -> tuple[int, PartOf]:
    """Return the number of clips, and the function that gives the part of each.

    Every record is read and validated here, before anything is generated or paid for.

    Args:
        split: subject, repetition, released, or the path of a split file.
        annotations: the annotations file; released lists lie beside it.
        graph: validates the records.
        seed: of the draw by subject or repetition.

    Raises:
        InputError: every problem of the annotations; a split that does not fit or that leaks.
    """
    if split == "subject":
        return _by_subject(annotations, graph, seed)
    records = load_annotations(annotations, graph)
    if split == "repetition":
        chosen = splits.split_by_repetition(records, seed=seed)
    elif split == "released":
        chosen = splits.split_as_released(annotations.parent, records)
    elif Path(split).suffix == ".json":
        chosen = splits.load(Path(split))
        splits.leaks(chosen, records)
    else:
        kinds = ", ".join(KINDS)
        raise InputError([Problem("--split", f"expected {kinds} or a .json file, found {split!r}")])
    return len(records), lambda record: chosen.part(record.clip)


def _by_subject(annotations: Path, graph: Graph, seed: int) -> tuple[int, PartOf]:
    """Keep subjects only: their number does not grow with the number of clips."""
    count = 0
    skills: dict[str, str] = {}
    nameless: list[str] = []
    for record in read_annotations(annotations, graph):
        count += 1
        if record.subject is None:
            nameless.append(record.clip)
        else:
            skills.setdefault(record.subject, record.skill or "")
    splits.require_subjects(nameless, count)
    where = splits.parts_of_subjects(skills, seed=seed)
    return count, lambda record: where[str(record.subject)]
