"""The report's figures: reliability, given against true scores, quality over repetitions.

    svg = as_svg(reliability_figure({"Graph head": bins}))
    save_png(scatter_figure({"MV": points}), Path("scatter.png"))

Drawn without pyplot, so that nothing global changes and no window system is asked for.
"""

import functools
import io
import itertools
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np
from numpy.typing import NDArray

from aqa.calibration import Bin
from aqa.fatigue import BASE, LiftSet, Study
from aqa.report_words import words
from flex.files import atomic_path
from flex.problems import InputError, Problem
from learn.intervals import draws

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Point = tuple[float, float]
P = ParamSpec("P")
# The page's colours (prompts/card/card.css), on white, so that they hold on a dark page too.
INK, SOFT, LINE = "#1c2326", "#5d6a6e", "#e2e0d8"
COLOURS = ("#176b72", "#d0a24c", "#8a7ca8", "#a02a24", "#8fb8a6")
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "text.color": INK,
    "svg.hashsalt": "aqa",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
}
_DPI = 150


def _styled(draw: Callable[P, "Figure"]) -> Callable[P, "Figure"]:
    """Give a drawing our style, which axes take over when they are made."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> "Figure":
        try:
            import matplotlib
        except ImportError as error:
            message = "is not installed, figures need it: pip install matplotlib"
            raise InputError([Problem("matplotlib", message)]) from error
        with matplotlib.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return styled


@_styled
def reliability_figure(bins: Mapping[str, Sequence[Bin]], *, note: str = "") -> "Figure":
    """Return claimed against true rates of errors, and below how many claims there are.

    Args:
        bins: label → bins of `aqa.calibration.reliability`.
        note: shown above, such as that data are simulated.
    """
    figure = _new(5.2, 5.6, note)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    above.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1)
    for colour, (label, found) in zip(itertools.cycle(COLOURS), bins.items(), strict=False):
        claimed, true = [each.claimed for each in found], [each.true for each in found]
        above.plot(claimed, true, color=colour, marker="o", markersize=5, label=label)
        below.plot(claimed, [each.claims for each in found], color=colour, marker="o", markersize=3)
    axes = words()["axes"]
    above.set(xlim=(0, 1), ylim=(0, 1), ylabel=axes["share"])
    below.set(xlabel=axes["claimed"], ylabel=axes["claims"])
    below.set_ylim(bottom=0)
    figure.legend(frameon=False, loc="outside lower left")
    return figure


@_styled
def scatter_figure(points: Mapping[str, Sequence[Point]], *, note: str = "") -> "Figure":
    """Return a panel per variant: true scores (right) against given ones (up).

    Args:
        points: label → (true, given) scores.
        note: shown above.
    """
    columns = min(4, len(points))
    rows = math.ceil(len(points) / columns)
    figure = _new(2.9 * columns, 3.1 * rows + 0.4, note)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    values = np.array([pair for each in points.values() for pair in each])
    low = min(80.0, float(np.floor(values.min() / 20) * 20))
    high = max(100.0, float(np.ceil(values.max() / 20) * 20))
    for panel, (label, pairs) in zip(grid, points.items(), strict=False):
        true, given = np.array(pairs).T
        panel.plot([low, high], [low, high], color=SOFT, linestyle="--", linewidth=1)
        panel.scatter(true, given, s=14, color=COLOURS[0], alpha=0.5, linewidths=0)
        panel.set_title(textwrap.fill(label, 28), fontsize=10)
        ticks = np.arange(low, high + 1, 20)
        panel.set(xlim=(low, high), ylim=(low, high), xticks=ticks, yticks=ticks, aspect="equal")
        panel.tick_params(labelbottom=True)
    for panel in grid[len(points) :]:
        panel.set_visible(False)
    figure.supxlabel(words()["axes"]["true_score"], fontsize=10)
    figure.supylabel(words()["axes"]["given_score"], fontsize=10)
    return figure


@_styled
def repetitions_figure(study: Study, label: str, *, note: str = "") -> "Figure":
    """Return quality over repetitions, given and true, and the slopes of each set against another.

    Args:
        study: of one variant.
        label: its name.
        note: shown above.
    """
    figure, axes = _new(9.2, 4.0, note), words()["axes"]
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    left.axhline(0, color=SOFT, linestyle="--", linewidth=1)
    _course(left, study.sets, [one.truth for one in study.sets], COLOURS[1], words()["truth"])
    _course(left, study.sets, [one.given for one in study.sets], COLOURS[0], label)
    left.set(xlabel=axes["repetition"], ylabel=axes["course"].format(BASE))
    left.xaxis.get_major_locator().set_params(integer=True, nbins=10)
    left.legend(frameon=False, loc="lower left")
    true, given = study.true.slopes, study.given.slopes
    ends = min(*true, *given), max(*true, *given)
    right.axhline(0, color=SOFT, linewidth=0.7)
    right.axvline(0, color=SOFT, linewidth=0.7)
    right.plot(ends, ends, color=SOFT, linestyle="--", linewidth=1)
    right.scatter(true, given, s=20, color=COLOURS[0], alpha=0.6, linewidths=0)
    right.set(xlabel=axes["true_slope"], ylabel=axes["given_slope"].format(label))
    return figure


def as_svg(figure: "Figure") -> str:
    """Return a figure as SVG text; the same figure gives the same text."""
    import matplotlib

    stream = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def save_png(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG, atomically."""
    with atomic_path(path) as name:
        figure.savefig(name, format="png", dpi=_DPI, metadata={"Software": None})


def _new(width: float, height: float, note: str) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    if note:
        figure.suptitle(note, x=0.99, ha="right", fontsize=9, color=SOFT)
    return figure


def _course(
    axes: "Axes",
    sets: Sequence[LiftSet],
    scores: Sequence[Floats],
    colour: str,
    label: str,
) -> None:
    """Draw the mean course of all sets with its 95 % band over subjects."""
    numbers = sorted({int(n) for one in sets for n in one.repetitions})
    courses = np.full((len(sets), len(numbers)), np.nan)
    for row, one, values in zip(courses, sets, scores, strict=True):
        row[[numbers.index(int(n)) for n in one.repetitions]] = values - values[:BASE].mean()
    there = np.isfinite(courses)
    weights = draws([one.subject for one in sets])
    counts = weights @ there
    sums = weights @ np.where(there, courses, 0)
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    axes.plot(numbers, means[0], color=colour, marker="o", markersize=4, label=label)
    if len({one.subject for one in sets}) > 1:
        low, high = np.nanpercentile(means[1:], [2.5, 97.5], axis=0)
        axes.fill_between(numbers, low, high, color=colour, alpha=0.18, linewidth=0)
