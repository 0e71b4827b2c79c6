"""Pictures of what is simulated: a contact sheet for every action, a pair for every error type.

    write_sheets(stage, Path("docs/sim"))    # A01.jpg …, ET001.jpg …, README.md

A pair is one moment of one person: the lift done right beside the same lift with the error. Moment
and camera are those at which the two differ most.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from flex.files import write_text
from flex.graph import Occurrence
from flex.sample import Annotation, ErrorLabel
from sim.cameras import VIEWS
from sim.clips import simulate_selection
from sim.film import Video, shots
from sim.lift import Stage
from sim.profiles import weight
from sim.selection import Selection
from sim.study import Floats

Picture = npt.NDArray[np.uint8]
_SHEET_VIEWS, _SHEET_MOMENTS, _SHEET_SIZE = (1, 2, 5), 6, 176
_LOOK_SIZE, _PAIR_SIZE, _CELL = 256, 896, 256
_SMALLEST_CROP = 0.2
_SEVERE_FROM = 28  # grey levels by which a pixel must differ to count


def write_sheets(stage: Stage, folder: Path) -> Iterator[str]:
    """Write all pictures and the page that shows them; yield the name of each when it is there."""
    from sim.video import jpeg

    folder.mkdir(parents=True, exist_ok=True)
    clips = examples(stage)
    for action, record in clips.items():
        (folder / f"{action}.jpg").write_bytes(jpeg(sheet(stage, record)))
        yield action
    pairs = {}
    for error_type, (action, item) in first_places(stage).items():
        pictures, view = pair(stage, clips[action], item)
        (folder / f"{error_type}.jpg").write_bytes(jpeg(pictures))
        pairs[error_type] = (action, item, view)
        yield error_type
    write_text(folder / "README.md", page(stage, pairs))


def examples(stage: Stage) -> dict[str, Annotation]:
    """Return action → a clip without errors, each of another person where there are enough."""
    people = len(stage.study.graph.actions)
    found: dict[str, Annotation] = {}
    seen: set[str] = set()
    for record in simulate_selection(stage.study, Selection(people, 1)):
        if record.action not in found and record.subject not in seen:
            found[record.action] = record.model_copy(update={"errors": ()})
            seen.add(record.subject or "")
    return found


def first_places(stage: Stage) -> dict[str, tuple[str, Occurrence]]:
    """Return error type → the first action and key step at which it can be seen."""
    graph = stage.study.graph
    places: dict[str, tuple[str, Occurrence]] = {}
    for action in graph.actions:
        for item in graph.occurrences(action):
            effect = stage.choreography.errors.effect(action, *item)
            if effect and effect.options:
                places.setdefault(item.error_type, (action, item))
    return dict(sorted(places.items()))


def sheet(stage: Stage, record: Annotation) -> Picture:
    """Return moments from start to end, left to right, seen by several cameras."""
    times_s = np.linspace(0, record.duration_s or 1.0, _SHEET_MOMENTS)
    video = Video(size=_SHEET_SIZE)
    rows = [
        np.concatenate(list(shots(stage, record, video, view, times_s)), axis=1)
        for view in _SHEET_VIEWS
    ]
    return np.concatenate(rows, axis=0)


def pair(stage: Stage, record: Annotation, item: Occurrence) -> tuple[Picture, int]:
    """Return right and faulty side by side, and the view that shows the difference best."""
    label = ErrorLabel(key_step=item.key_step, error_type=item.error_type)
    both = (record, record.model_copy(update={"errors": (label,)}))
    times_s = _moment(stage, record, item)
    differences = {
        view: _difference(*(_shot(stage, r, view, times_s, _LOOK_SIZE) for r in both))
        for view in VIEWS
    }
    view = max(VIEWS, key=lambda v: int((differences[v] > _SEVERE_FROM).sum()))
    window = _window(differences[view])
    pictures = [_cropped(_shot(stage, r, view, times_s, _PAIR_SIZE), window) for r in both]
    return np.concatenate(pictures, axis=1), view


def page(stage: Stage, pairs: dict[str, tuple[str, Occurrence, int]]) -> str:
    """Return the page in Markdown."""
    graph = stage.study.graph
    lines = [
        "# What FLEX-Sim looks like",
        "",
        "Made by `python -m sim sheets --out docs/sim`; everything on this page is simulated.",
        "",
        "## The 20 actions",
        "",
        f"Each from start to end, seen by views {', '.join(map(str, _SHEET_VIEWS))}.",
        "",
    ]
    for action in graph.actions.values():
        lines += [f"**{action.id} {action.name}**", "", f"![{action.name}]({action.id}.jpg)", ""]
    lines += ["## The error types", "", "Left as it should be, right with the error.", ""]
    for error in graph.error_types.values():
        lines += [f"**{error.id} {error.name}**: {error.description}", ""]
        if error.id not in pairs:
            lines += ["Not to be seen: it changes the breathing signal and the chest.", ""]
            continue
        action_id, item, view = pairs[error.id]
        step = graph.key_steps[item.key_step].name
        lines += [f"{graph.action(action_id).name}, {item.key_step} {step}, view {view}", ""]
        lines += [f"![{error.name}]({error.id}.jpg)", ""]
    return "\n".join(lines)


def _moment(stage: Stage, record: Annotation, item: Occurrence) -> Floats:
    """Return the time (1,) at which an error shows most."""
    effect = stage.choreography.errors.effect(record.action, *item)
    assert effect is not None
    phase = stage.study.graph.key_steps[item.key_step].phase
    span = next(s for s in record.phases if s.phase == phase)
    times_s = np.linspace(span.start_s, span.end_s, 101)
    if "rush" in effect.options[0]:
        return times_s[[45]]
    share = np.abs(weight(effect.when, times_s, (span.start_s, span.end_s), span.end_s))
    strongest = np.flatnonzero(share > share.max() - 0.01)
    return times_s[[strongest[len(strongest) // 2]]]


def _shot(stage: Stage, record: Annotation, view: int, times_s: Floats, size: int) -> Picture:
    return next(iter(shots(stage, record, replace(Video(), size=size), view, times_s)))


def _difference(one: Picture, two: Picture) -> npt.NDArray[np.int64]:
    return np.asarray(np.abs(one.astype(int) - two.astype(int)).max(axis=-1))


def _window(difference: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    """Return where to look: left and upper edge and width, as shares of the picture."""
    rows, columns = np.nonzero(difference > _SEVERE_FROM)
    if not len(rows):
        return 0.0, 0.0, 1.0
    size = len(difference)
    ends = [np.percentile(places, (2, 98)) / size for places in (columns, rows)]
    width = min(1.0, max(_SMALLEST_CROP, 1.7 * max(float(high - low) for low, high in ends)))
    middle = [float(low + high) / 2 for low, high in ends]
    left, top = (min(max(0.0, place - width / 2), 1 - width) for place in middle)
    return left, top, width


def _cropped(picture: Picture, window: tuple[float, float, float]) -> Picture:
    """Return the window, scaled to the size of a cell."""
    import av

    left, top, width = (round(share * len(picture)) for share in window)
    cut = np.ascontiguousarray(picture[top : top + width, left : left + width])
    frame = av.VideoFrame.from_ndarray(cut, format="rgb24")
    return frame.reformat(_CELL, _CELL, interpolation="AREA").to_ndarray().astype(np.uint8)
