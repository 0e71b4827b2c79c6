"""One clip as a page: everything that is known of it on one time line, in one file.

    page = collect(clip, root, graph, Options(out=Path("runs/view/A16-003.html")))
    write_text(out, render(page))

`collect` gathers, `render` fills `prompts/view/page.html.j2`. What a clip lacks is listed in
`missing`, so that the page says it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flex import templates
from flex.dataset import (
    FRAMES_PER_CLIP,
    Clip,
    clip_semg,
    load_skeleton,
    semg_path,
    skeleton_path,
)
from flex.graph import Graph, Occurrence
from flex.number_table import Floats
from flex.physiology import Physiology, load_physiology, physiology_path
from flex.problems import InputError, Problem
from flex.sample import Annotation, ErrorLabel
from flex.scoring import denominator, penalty
from flex.view_media import View, show_view, video_length_s
from flex.view_signals import draw_physiology, draw_semg, draw_skeleton

PAGE = "view/page.html.j2"
DEFAULT_ROOM_MB = 48
_FRAMES_PER_S = 30.0
Page = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """How a page is made.

    Attributes:
        out: the file of the page; links start from its folder.
        link: link to videos and frames instead of embedding them.
        room_mb: the most that all embedded views may take up, in millions of bytes.
        semg_rate_hz: the sample rate of sEMG whose record does not state it.
    """

    out: Path
    link: bool = False
    room_mb: float = DEFAULT_ROOM_MB
    semg_rate_hz: float | None = None


@dataclass
class _Files:
    """What was read of one clip, what was not there, and what could not be read."""

    skeleton: Floats | None
    semg: Page | None
    physiology: Physiology | None
    missing: list[Problem]
    problems: list[Problem]


def collect(clip: Clip, root: Path, graph: Graph, options: Options) -> Page:
    """Return everything that the page shows, as plain values for JSON.

    Raises:
        InputError: every file of the clip that is there and cannot be read.
    """
    record = clip.annotation
    files = _read(clip, root, graph, options)
    time = _time(clip, files)
    clip_s = time["length"] if time["unit"] == "s" else None
    views = list(_views(clip, options, clip_s, files))
    if files.problems:
        raise InputError(files.problems)
    return {
        "clip": clip.clip,
        "action": graph.action(clip.action).model_dump(
            include={"id", "name", "equipment", "posture", "summary"}
        ),
        "facts": _facts(clip, graph),
        "time": time,
        "views": views,
        "skeleton": None if files.skeleton is None else draw_skeleton(files.skeleton),
        "semg": files.semg,
        "physiology": None if files.physiology is None else draw_physiology(files.physiology),
        "phases": [span.model_dump() for span in record.phases] if record else [],
        "errors": _errors(record, graph) if record else [],
        "missing": [problem._asdict() for problem in (*files.missing, *_unsaid(record, graph))],
    }


def render(page: Page) -> str:
    """Return the page as HTML; text of the data is escaped, nothing is fetched by it."""
    return templates.render(PAGE, page=page)


def _read(clip: Clip, root: Path, graph: Graph, options: Options) -> _Files:
    files = _Files(None, None, None, [], [])

    def attempt(what: str, path: Path, read: Callable[[], Any]) -> Any:
        if not path.exists():
            shown = path.relative_to(root) if path.is_relative_to(root) else path
            files.missing.append(Problem(what, f"not in this data folder ({shown})"))
            return None
        try:
            return read()
        except InputError as error:
            files.problems += error.problems
        return None

    bones, muscles = skeleton_path(root, clip.clip), semg_path(root, clip.clip)
    body = physiology_path(root, clip.clip)
    files.skeleton = attempt("Skeleton", bones, lambda: load_skeleton(bones))
    if files.skeleton is not None and len(files.skeleton) != FRAMES_PER_CLIP:
        message = f"has {len(files.skeleton)} frames, {FRAMES_PER_CLIP} are usual"
        files.missing.append(Problem("Skeleton", message))
    files.semg = attempt("sEMG", muscles, lambda: _semg(clip, graph, options, files))
    files.physiology = attempt("Heart rate and breathing", body, lambda: load_physiology(body))
    return files


def _semg(clip: Clip, graph: Graph, options: Options, files: _Files) -> Page | None:
    if options.semg_rate_hz is None and not (clip.annotation and clip.annotation.semg):
        message = "the sample rate is not stated, so no envelope; pass --semg-rate"
        files.missing.append(Problem("sEMG", message))
        return None
    signal = clip_semg(clip, graph, options.semg_rate_hz)
    try:
        return draw_semg(signal)
    except ValueError as error:
        files.missing.append(Problem("sEMG", f"no envelope: {error}"))
        return None


def _time(clip: Clip, files: _Files) -> Page:
    """Return how long the clip lasts and who says so; in frames where nobody does."""
    record = clip.annotation
    frames = len(files.skeleton) if files.skeleton is not None else FRAMES_PER_CLIP
    stated = list(_lengths_s(clip, files))
    if not stated:
        said = f"How long the clip lasts is not known: the axis counts its {frames} frames."
        files.missing.append(Problem("Time", said))
        return {"length": frames - 1, "unit": "frames", "rate": _FRAMES_PER_S, "step": 1}
    length_s, source = stated[0]
    if source != "record":
        said = f"The record states no duration; {length_s:.2f} s is that of the {source}."
        files.missing.append(Problem("Time", said))
    rate_hz = record.frame_rate_hz if record else None
    step = 1 / rate_hz if rate_hz else length_s / (frames - 1 or 1)
    return {"length": length_s, "unit": "s", "rate": 1, "step": step}


def _lengths_s(clip: Clip, files: _Files) -> Iterator[tuple[float, str]]:
    record = clip.annotation
    if record and record.duration_s:
        yield record.duration_s, "record"
    if files.semg:
        yield files.semg["lasts_s"], "sEMG"
    for path in clip.views.values():
        try:
            length_s = video_length_s(path)
        except (OSError, ValueError, IndexError):  # named when the views are shown
            continue
        if length_s:
            yield length_s, "video"
    if record and record.phases:
        yield record.phases[-1].end_s, "last phase"


def _views(clip: Clip, options: Options, clip_s: float | None, files: _Files) -> Iterator[View]:
    if not clip.views:
        files.missing.append(Problem("Camera views", f"none in this data folder ({clip.clip})"))
    room = int(options.room_mb * 1e6 / max(1, len(clip.views)))
    link_from = options.out.parent if options.link else None
    for name, path in clip.views.items():
        if not path.exists():
            named = clip.annotation.views[name] if clip.annotation else path.name
            files.missing.append(Problem(name, f"the record names {named}, which is not there"))
            continue
        view, problems = show_view(name, path, clip_s=clip_s, room_bytes=room, link_from=link_from)
        files.problems += problems
        if view:
            yield view


def _facts(clip: Clip, graph: Graph) -> Page:
    record = clip.annotation
    if record is None:
        return {"labelled": False, "simulated": False}
    scope = record.scope
    return record.model_dump(include={"subject", "skill", "repetition", "load_kg", "score"}) | {
        "labelled": True,
        "source": record.source,
        "simulated": record.source == "simulated",
        "lost": penalty(graph, record.occurrences),
        "total": denominator(graph, record.action, scope=scope, total=record.score_total),
    }


def _errors(record: Annotation, graph: Graph) -> list[Page]:
    labels = {error.occurrence: error for error in record.errors}
    ordered = graph.in_order(record.action, labels)
    return [
        {"number": number, **_error(labels[item], item, graph)}
        for number, item in enumerate(ordered, 1)
    ]


def _error(label: ErrorLabel, item: Occurrence, graph: Graph) -> Page:
    error, step = graph.error_types[item.error_type], graph.key_steps[item.key_step]
    return {
        "id": str(item),
        "name": error.name,
        "description": error.description,
        "correction": graph.corrections(item)[0],
        "weight": error.weight,
        "step": step.name,
        "phase": step.phase,
        "start_s": label.start_s,
        "end_s": label.end_s,
        "note": label.note,
    }


def _unsaid(record: Annotation | None, graph: Graph) -> Iterator[Problem]:
    """Yield what a record leaves open and the page would otherwise seem to know."""
    if record is None:
        yield Problem("Labels", "the clip has no record: no errors, phases, person or score")
        return
    if not record.phases:
        yield Problem("Phases", "not labelled; errors are listed without a place in time")
    if record.scope is not None:
        every = len(graph.occurrences(record.action))
        message = f"annotators looked for {len(record.scope)} of the action's {every} errors"
        yield Problem("Labels", f"{message}; nothing is said of the others")
