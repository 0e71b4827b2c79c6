"""Which clip a repetition becomes: `A16/001` on, as in the authors' folders.

A label names its clip. Without labels clips are numbered within their action, by recording and
time; a repetition that cannot be cut keeps its number, so the others keep theirs.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from engine.lists import Quarantined
from prepare.cut import ClipItem
from prepare.labels import Labels
from prepare.recording import Recording
from prepare.table import Segment


def number_clips(
    recordings: Sequence[Recording],
    segments: Sequence[Segment],
    labels: Labels,
    surveys: Mapping[str, Any],
) -> tuple[list[ClipItem], tuple[Quarantined, ...]]:
    """Return the clips to cut, and the recordings whose proposals do not fit their labels.

    Proposals are counted, and so are labelled repetitions; only if both are as many does the third
    proposal belong to the third label. What a person states is matched by its number.
    """
    by_recording: dict[str, list[Segment]] = {}
    for row in segments:
        by_recording.setdefault(row.recording, []).append(row)
    taken = {label.clip for found in labels.by_set.values() for label in found}
    free = {recording.card.action: _free(recording.card.action, taken) for recording in recordings}
    items, unfit = [], []
    for recording in recordings:
        rows, action = by_recording.get(recording.name, []), recording.card.action
        labelled = labels.of(recording)
        proposed = any(row.confidence is not None for row in rows)
        if labelled and proposed and len(rows) != len(labelled):
            reason = f"{len(rows)} repetitions are proposed, {len(labelled)} are labelled; "
            reason += "correct segments.csv"
            unfit.append(Quarantined(recording.name, "", reason))
            continue
        if labelled and proposed:
            pairs = zip(rows, labelled, strict=True)
            rows = [replace(row, repetition=label.repetition or 0) for row, label in pairs]
        names = {label.repetition: label.clip for label in labelled}
        views = surveys[recording.name]["views"]
        offsets = tuple((view, float(found["offset_s"])) for view, found in views.items())
        for row in rows:
            if labelled and row.repetition not in names:
                continue  # thrown away: FLEX keeps 7,512 of 7,600 repetitions
            clip = names.get(row.repetition) or next(free[action])
            items.append(ClipItem(clip, recording, row.repetition, row.times_s, offsets))
    return items, tuple(unfit)


def _free(action: str, taken: Collection[str]) -> Iterator[str]:
    """Yield `A16/001` and so on, without those that labels have."""
    return (clip for number in count(1) if (clip := f"{action}/{number:03d}") not in taken)
