"""Writes a simulated data set at label level: annotations, votes, and how they were made.

ROOT/simulation.json     seed, size and versions; marks the folder as simulated
ROOT/annotations.jsonl   one record a clip, `source` is "simulated"
ROOT/votes.jsonl         on request: the six votes behind every label

A folder that holds annotations from elsewhere is left alone.
"""

import importlib.metadata
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from flex.annotations import ANNOTATIONS_FILE
from flex.files import hash_text, write_jsonl, write_text
from flex.problems import InputError, Problem
from flex.sample import Annotation
from sim.clips import SOURCE, simulate
from sim.study import Study
from sim.summary import Tally
from sim.votes import assemble, votes_of

MARK_FILE = "simulation.json"
VOTES_FILE = "votes.jsonl"
Watch = Callable[[Iterable[Annotation], str], Iterable[Annotation]]


def write_labels(
    study: Study, root: Path, clips: int, *, votes: bool = False, watch: Watch | None = None
) -> Tally:
    """Write the label files of a data set and return its counts.

    Args:
        study: graph, numbers and seed.
        root: the folder to write, which may be there already.
        clips: how many clips.
        votes: whether to write the votes too.
        watch: wraps the records as they pass, given what is done with them; for a progress bar.

    Raises:
        InputError: `root` holds annotations that no simulation wrote, or recordings; or nothing
            can be drawn.
    """
    refuse_others(root)
    _refuse_recordings(root)
    watch = watch or _unwatched
    tally = Tally()
    write_text(root / MARK_FILE, json.dumps(provenance(study, clips), indent=2) + "\n")
    records = tally.counting(watch(simulate(study, clips), "labels"))
    write_jsonl(root / ANNOTATIONS_FILE, records)
    if votes:
        panel = assemble(study)
        again = watch(simulate(study, clips), "votes")
        write_jsonl(root / VOTES_FILE, (vote for r in again for vote in votes_of(panel, r)))
    else:
        # Votes of an earlier run would belong to other labels.
        (root / VOTES_FILE).unlink(missing_ok=True)
    return tally


def provenance(study: Study, clips: int) -> dict[str, str | int]:
    """Return what a data set was made from."""
    return {
        "source": SOURCE,
        "clips": clips,
        "seed": study.seed,
        "graph": study.graph.version,
        "settings": hash_text(study.settings.model_dump_json()),
        "flex_coach": importlib.metadata.version("flex-coach"),
        "numpy": np.__version__,
    }


def refuse_others(root: Path) -> None:
    """Raise an `InputError` if a folder holds annotations that no simulation wrote."""
    if root.exists() and not root.is_dir():
        raise InputError([Problem(str(root), "is a file; name a folder")])
    if (root / ANNOTATIONS_FILE).exists() and not (root / MARK_FILE).exists():
        message = f"no simulation wrote this (no {MARK_FILE} beside it); choose another folder"
        raise InputError([Problem(str(root / ANNOTATIONS_FILE), message)])


def _refuse_recordings(root: Path) -> None:
    mark = root / MARK_FILE
    if mark.exists() and '"recordings": true' in mark.read_text(encoding="utf-8"):
        message = "holds recordings, which other labels would not fit; choose another folder"
        raise InputError([Problem(str(root), message)])


def _unwatched(records: Iterable[Annotation], _: str) -> Iterator[Annotation]:
    yield from records
