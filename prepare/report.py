"""report.md: offsets of the cameras, repetitions found, what cannot be used; for people to read."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flex.files import write_text
from flex.templates import render
from prepare.recording import Recording
from prepare.table import Segment

if TYPE_CHECKING:
    from prepare.run import Prepared

UNSURE = 0.6  # a proposal below this wants a look


def write_report(
    path: Path,
    done: "Prepared",
    recordings: Sequence[Recording],
    surveys: Mapping[str, Any],
    segments: Iterable[Segment],
) -> None:
    """Write the report of a run."""
    by_recording: dict[str, list[Segment]] = {}
    for row in segments:
        by_recording.setdefault(row.recording, []).append(row)
    unsure = [
        row
        for rows in by_recording.values()
        for row in rows
        if row.confidence is not None and row.confidence < UNSURE
    ]
    simulated = any(recording.card.source == "simulated" for recording in recordings)
    text = render(
        "prepare/report.md.j2",
        done=done,
        simulated=simulated,
        surveys=surveys,
        by_recording=by_recording,
        unsure=unsure,
        least=UNSURE,
    )
    write_text(path, text)
