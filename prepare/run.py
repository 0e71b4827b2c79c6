"""From the raw folder to the data folder: survey, table, clips, records, report.

    done = prepare(raw, root, Options(), where=Engine(jobs=2))

ROOT/segments.csv              proposed repetitions, where RAW has no table; correct and run again
ROOT/prepare/done.jsonl        clips that are done; a killed run goes on after them
ROOT/prepare/quarantine.jsonl  clips that cannot be made, with all reasons
ROOT/prepare/recordings/       the same two lists for the survey of recordings
ROOT/prepare/clips.jsonl       what is known of every clip, labelled or not
ROOT/prepare/report.md         offsets, repetitions, quarantine, to read
ROOT/annotations.jsonl         records of the labelled clips
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine.lists import Quarantined
from engine.run import run_all
from engine.where import Engine
from flex.annotations import ANNOTATIONS_FILE, write_annotations
from flex.files import hash_text, write_jsonl
from flex.graph import Graph
from flex.problems import InputError, Problem
from flex.sample import Annotation
from prepare.cut import ClipItem, Cut, CutSettings, refuse_unblurred
from prepare.labels import Labels, records_of
from prepare.movements import load_movements
from prepare.numbering import number_clips
from prepare.recording import CARD, Recording, read_recordings
from prepare.report import write_report
from prepare.survey import Survey
from prepare.table import SEGMENTS_FILE, Segment, read_segments, write_segments

FOLDER = "prepare"
CLIPS_FILE = "clips.jsonl"
_VERSION = "1"  # of what a survey and a cut make from the same files


@dataclass(frozen=True)
class Options:
    """What is asked for beside the folders.

    Attributes:
        settings: what clips shall be like.
        segments: a table of repetitions; `None` for the one in RAW or ROOT.
        propose_only: whether to stop once a table of proposals is written.
    """

    settings: CutSettings = field(default_factory=CutSettings)
    segments: Path | None = None
    propose_only: bool = False


@dataclass(frozen=True)
class Prepared:
    """What a run did.

    Attributes:
        recordings: how many there are.
        clips: how many are in the data folder now.
        made: how many of them this run made.
        labelled: how many have a record.
        quarantined: recordings and clips that cannot be used.
        proposed: the table of proposals that wants a look, if one was used.
    """

    recordings: int
    clips: int
    made: int
    labelled: int
    quarantined: tuple[Quarantined, ...]
    proposed: Path | None


def prepare(raw: Path, root: Path, graph: Graph, options: Options, where: Engine) -> Prepared:
    """Make the data folder `root` from the raw folder `raw`.

    Raises:
        InputError: cards, tables or labels that are wrong, `root` cannot be written to, faces
            cannot be blurred; nothing is cut then.
        OSError: the disk is full; what is done stays done.
    """
    _require_apart(raw, root)
    recordings = read_recordings(raw, graph)
    if options.settings.blur_faces:
        refuse_unblurred(recordings)
    labels = Labels.read(raw / ANNOTATIONS_FILE, graph)
    surveys, refused = _survey(recordings, root, where)
    usable = [recording for recording in recordings if recording.name in surveys]
    given, proposed = _segments(raw, root, usable, recordings, surveys, options)
    if options.propose_only:
        return Prepared(len(recordings), 0, 0, 0, refused, proposed)
    items, unfit = number_clips(usable, given, labels, surveys)
    outcome = run_all(
        items,
        Cut(options.settings),
        where=where,
        out=root,
        key=lambda item: item.clip,
        stamp=lambda item: _stamp_clip(item, options.settings),
        log=root / FOLDER,
        title="clips",
    )
    made = dict(outcome.results())
    known = list(records_of(items, made, surveys, labels, options.settings, graph))
    write_jsonl(root / FOLDER / CLIPS_FILE, (clip for clip, _ in known))
    records: list[Annotation] = [record for _, record in known if record is not None]
    if records:
        write_annotations(root / ANNOTATIONS_FILE, records, overwrite=True)
    quarantined = (*refused, *unfit, *outcome.quarantined)
    done = Prepared(len(recordings), len(made), outcome.done, len(records), quarantined, proposed)
    write_report(root / FOLDER / "report.md", done, recordings, surveys, given)
    return done


def _require_apart(raw: Path, root: Path) -> None:
    if raw.resolve() == root.resolve():
        raise InputError([Problem(str(root), "is the raw folder; name another one with --out")])
    if (root / ANNOTATIONS_FILE).exists() and not (root / FOLDER).exists():
        message = f"holds records, but no {FOLDER}/ folder: this command did not make it"
        raise InputError([Problem(str(root), f"{message}; name another one with --out")])


def _survey(
    recordings: list[Recording], root: Path, where: Engine
) -> tuple[dict[str, Any], tuple[Quarantined, ...]]:
    outcome = run_all(
        recordings,
        Survey(load_movements()),
        where=where,
        out=root,
        key=lambda recording: recording.name,
        stamp=_stamp_recording,
        log=root / FOLDER / "recordings",
        title="recordings",
    )
    return dict(outcome.results()), outcome.quarantined


def _segments(
    raw: Path,
    root: Path,
    usable: list[Recording],
    recordings: list[Recording],
    surveys: dict[str, Any],
    options: Options,
) -> tuple[list[Segment], Path | None]:
    """Return the repetitions of all usable recordings, and the table of proposals among them."""
    rates_hz = {r.name: r.card.skeleton.rate_hz for r in recordings}
    tables = [options.segments] if options.segments else [raw / SEGMENTS_FILE]
    given = [
        row for t in tables if options.segments or t.exists() for row in read_segments(t, rates_hz)
    ]
    stated = {row.recording for row in given}
    own = root / SEGMENTS_FILE
    before = (
        [r for r in read_segments(own, rates_hz) if r.recording not in stated]
        if own.exists()
        else []
    )
    looked_at = stated | {row.recording for row in before}
    lacking = [recording.name for recording in usable if recording.name not in looked_at]
    proposals = list(_proposals(lacking, surveys))
    table = sorted([*before, *proposals], key=lambda row: (row.recording, row.times_s))
    if proposals:
        write_segments(own, table)
    names = {recording.name for recording in usable}
    rows = [row for row in (*given, *table) if row.recording in names]
    return rows, own if table else None


def _proposals(names: Iterable[str], surveys: dict[str, Any]) -> Iterator[Segment]:
    for name in names:
        for number, (*times_s, confidence) in enumerate(surveys[name]["proposals"], 1):
            yield Segment(name, number, tuple(times_s), confidence)


def _stamp_recording(recording: Recording) -> str:
    card = (recording.folder / CARD).read_text(encoding="utf-8")
    return hash_text(_VERSION, card, *_traces(recording))


def _stamp_clip(item: ClipItem, settings: CutSettings) -> str:
    card = item.recording.card.model_dump_json()
    asked = (str(item.times_s), str(item.offsets_s), str(asdict(settings)))
    # Clips of calibrated sets that were made before cameras were written are made again.
    writes = ("cameras",) if item.recording.cameras else ()
    return hash_text(_VERSION, card, *asked, *writes, *_traces(item.recording))


def _traces(recording: Recording) -> Iterator[str]:
    """Yield name, size and time of change of each file; 3 TB are not read to see a change."""
    for path in recording.files:
        stat = os.stat(path) if path.exists() else None
        yield f"{path.name} {stat.st_size} {stat.st_mtime_ns}" if stat else f"{path.name} missing"
