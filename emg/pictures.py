"""One picture of a clip's muscle activation: frames, body maps at the peaks, envelopes.

    draw(prediction, clip, Path("A16-001.png"))

Drawn without pyplot, so that nothing global changes and no window system is asked for.
"""

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emg.body_legend import legend_picture
from emg.body_map import BodyMap
from emg.clip_frames import Filmed
from emg.figure_words import PHASE_TINTS, simulated_note, title_of, words
from emg.moments import Moment, most_active, peak_moments
from emg.prediction import Prediction
from flex.dataset import Clip
from flex.files import atomic_path
from flex.problems import InputError, Problem
from flex.sample import PhaseSpan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpecFromSubplotSpec, SubplotSpec

Floats = NDArray[np.float64]
INK, SOFT, LINE = "#1c2326", "#5d6a6e", "#e2e0d8"
PREDICTED, MEASURED = "#a3123f", "#176b72"
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
}
_WIDTH_IN, _DPI = 11.0, 150
# Rows of the figure, in inches; each keeps some room for what is written above or below it.
_HEAD_IN, _FRAMES_IN, _BODIES_IN, _LEGEND_IN, _CURVES_IN, _FOOT_IN = 0.5, 2.2, 4.2, 0.75, 1.9, 1.0
_FRAMES, _MOST_MUSCLES, _COLUMNS = 6, 4, 2
_FRAME_PIXELS, _BODY_PIXELS, _LEGEND_SCALE = 300, 620, 0.9


def draw(prediction: Prediction, clip: Clip, out: Path, *, view: str | None = None) -> None:
    """Write the picture as PNG, whole or not at all.

    Args:
        prediction: of the clip.
        clip: its views give the frames, left out where it has none, and its record the phases.
        out: the file.
        view: the view whose frames are shown; the first if not given.

    Raises:
        InputError: nothing to show, a clip that cannot be decoded, no such view, no matplotlib.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "is not installed, pictures need it: pip install matplotlib"
        raise InputError([Problem("matplotlib", message)]) from error
    with matplotlib.rc_context(_STYLE), atomic_path(out) as name:
        figure = Figure(facecolor="white")
        _draw(figure, prediction, clip, view)
        figure.savefig(name, format="png", dpi=_DPI, metadata={"Software": None})


def _draw(figure: "Figure", prediction: Prediction, clip: Clip, view: str | None) -> None:
    phases = clip.annotation.phases if clip.annotation else ()
    moments = peak_moments(prediction, phases)
    muscles = most_active(prediction, _MOST_MUSCLES)
    filmed = Filmed.of(clip, view) if clip.views or view else None
    curve_rows = math.ceil(len(muscles) / _COLUMNS)
    heights = [_FRAMES_IN * (filmed is not None), _BODIES_IN, _LEGEND_IN, _CURVES_IN * curve_rows]
    figure.set_size_inches(_WIDTH_IN, _HEAD_IN + sum(heights) + _FOOT_IN)
    _head(figure, prediction, clip)
    place = functools.partial(_place, figure, heights)
    if filmed is not None:
        _draw_frames(
            place(0, 0.02, 0, 0.35).subgridspec(1, _FRAMES, wspace=0.04), figure, prediction, filmed
        )
    _draw_bodies(
        place(1, 0.02, 0.3, 0).subgridspec(1, len(moments), wspace=0), figure, prediction, moments
    )
    legend = figure.add_subplot(place(2, 0.2, 0.05, 0.1))
    legend.imshow(legend_picture(_LEGEND_SCALE))
    legend.axis("off")
    grid = place(3, 0.07, 0.3, 0).subgridspec(curve_rows, _COLUMNS, wspace=0.08, hspace=0.34)
    _draw_curves(grid, figure, prediction, muscles, moments, phases)


def _place(
    figure: "Figure",
    heights: Sequence[float],
    row: int,
    margin: float,
    above_in: float,
    below_in: float,
) -> "SubplotSpec":
    """Return the part of the figure that a row of pictures fills."""
    total = figure.get_figheight()
    top = 1 - (_HEAD_IN + sum(heights[:row]) + above_in) / total
    bottom = 1 - (_HEAD_IN + sum(heights[: row + 1]) - below_in) / total
    edges = {"left": margin, "right": 1 - margin, "top": top, "bottom": bottom}
    return figure.add_gridspec(1, 1, **edges)[0]


def _head(figure: "Figure", prediction: Prediction, clip: Clip) -> None:
    at = 1 - 0.27 / figure.get_figheight()
    figure.text(0.02, at, title_of(prediction), fontsize=15, fontweight="bold", va="center")
    figure.text(0.98, at, simulated_note(clip), color=SOFT, ha="right", va="center")


def _draw_frames(
    grid: "GridSpecFromSubplotSpec", figure: "Figure", prediction: Prediction, filmed: Filmed
) -> None:
    times = prediction.times_s
    edges = np.linspace(times[0], times[-1], _FRAMES + 1)
    shown = ((edges[1:] + edges[:-1]) / 2).tolist()
    pictures = filmed.at(shown, filmed.size_within(_FRAME_PIXELS, _FRAME_PIXELS))
    for column, (time_s, picture) in enumerate(zip(shown, pictures, strict=True)):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(picture)
        axes.set_title(words()["seconds"].format(seconds=time_s), fontsize=10, y=-0.16)
        axes.axis("off")


def _draw_bodies(
    grid: "GridSpecFromSubplotSpec",
    figure: "Figure",
    prediction: Prediction,
    moments: Sequence[Moment],
) -> None:
    body = BodyMap(prediction.muscles, height=_BODY_PIXELS, legend=False)
    for column, moment in enumerate(moments):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(body.pixels(prediction.predicted[moment.index], prediction.mask))
        time = words()["seconds"].format(seconds=moment.time_s)
        phase = words()["phases"].get(moment.phase, "")
        axes.set_title(" · ".join(filter(None, (phase, time))), fontsize=11)
        axes.axis("off")


def _draw_curves(
    grid: "GridSpecFromSubplotSpec",
    figure: "Figure",
    prediction: Prediction,
    muscles: Sequence[int],
    moments: Sequence[Moment],
    phases: Sequence[PhaseSpan],
) -> None:
    highest = max(1.0, *(float(np.nanmax(values)) for values in _curves(prediction, muscles)))
    first, times = None, prediction.times_s
    for number, muscle in enumerate(muscles):
        axes = figure.add_subplot(grid[divmod(number, _COLUMNS)], sharex=first, sharey=first)
        first = first or axes
        _shade(axes, phases, named=number < _COLUMNS, top=highest)
        for moment in moments:
            axes.axvline(moment.time_s, color=SOFT, linewidth=0.8, linestyle=(0, (1, 2)))
        if prediction.true is not None:
            label = words()["measured"]
            axes.plot(times, prediction.true[:, muscle], color=MEASURED, linewidth=1.6, label=label)
        predicted = prediction.predicted[:, muscle]
        axes.plot(times, predicted, color=PREDICTED, linewidth=2, label=words()["predicted"])
        axes.set_title(prediction.muscles[muscle].capitalize(), fontsize=10.5, loc="left")
        axes.set(xlim=(times[0], times[-1]), ylim=(0, 1.08 * highest))
        axes.tick_params(labelleft=number % _COLUMNS == 0)
        below = number + _COLUMNS >= len(muscles)
        axes.tick_params(labelbottom=below)
        if below:
            axes.set_xlabel(words()["time"])
        if number % _COLUMNS == 0:
            axes.set_ylabel(words()["activation"])
    assert first is not None
    handles, labels = first.get_legend_handles_labels()
    at: Any = {"bbox_to_anchor": (0.5, 0.25 / figure.get_figheight()), "frameon": False}
    figure.legend(handles, labels, loc="lower center", ncols=len(labels), **at)
    unit = words()["unit"].format(unit=prediction.unit)
    figure.text(0.98, 0.13 / figure.get_figheight(), unit, color=SOFT, fontsize=9, ha="right")


def _curves(prediction: Prediction, muscles: Sequence[int]) -> list[Floats]:
    """Return what is drawn, without curves of which nothing was measured."""
    drawn = [prediction.predicted[:, muscles]]
    if prediction.true is not None and np.isfinite(prediction.true[:, muscles]).any():
        drawn.append(prediction.true[:, muscles])
    return drawn


def _shade(axes: "Axes", phases: Sequence[PhaseSpan], *, named: bool, top: float) -> None:
    for span in phases:
        tint = [level / 255 for level in PHASE_TINTS[span.phase]]
        axes.axvspan(span.start_s, span.end_s, color=tint, linewidth=0)
        if named:
            name, middle = words()["phases"][span.phase], (span.start_s + span.end_s) / 2
            text = axes.text(middle, 1.06 * top, name, color=SOFT, fontsize=8, clip_on=True)
            text.set(ha="center", va="top")
