"""The report's plots as inline SVG: no script, no fonts, no outside files.

Colours come from the page's style sheet through classes, so that plots follow light and dark.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

WIDTH = 480
ROW = 36
TOP = 4
# How many units a letter takes at most; longer notes end inside the plot.
_NOTE = 118
SIDE = 300
_MARGIN = 34


class Bar(NamedTuple):
    """A bar with its interval; NaN where there is none."""

    label: str
    value: float
    low: float
    high: float
    kind: str = "model"


def bars(title: str, rows: Sequence[Bar], *, most: float | None = None, percent: bool) -> Markup:
    """Return horizontal bars from 0, with whiskers for the intervals.

    Args:
        title: read to those who cannot see the plot.
        rows: from top to bottom; a NaN value is drawn as a dash.
        most: the value at the right end; default: the greatest that is shown.
        percent: whether values are shares.
    """
    shown = [v for row in rows for v in (row.value, row.high) if math.isfinite(v)]
    end = most or max([*shown, 1e-9])
    room = WIDTH - _NOTE

    def at(value: float) -> float:
        return round(room * min(max(value, 0.0), end) / end, 1)

    parts = []
    for number, row in enumerate(rows):
        y = TOP + number * ROW
        parts.append(f'<text class="label" x="0" y="{y + 12}">{escape(row.label)}</text>')
        parts.append(f'<rect class="track" x="0" y="{y + 17}" width="{room}" height="9" rx="4"/>')
        if math.isfinite(row.value):
            width = at(row.value)
            parts.append(
                f'<rect class="bar {row.kind}" x="0" y="{y + 17}" width="{width}" height="9" '
                'rx="4"/>'
            )
        if math.isfinite(row.low) and math.isfinite(row.high):
            left, right, middle = at(row.low), at(row.high), y + 21.5
            parts.append(
                f'<path class="whisker" d="M{left} {middle}H{right}M{left} {middle - 5}v10'
                f'M{right} {middle - 5}v10"/>'
            )
        note = escape(say_interval(row.value, row.low, row.high, percent=percent))
        parts.append(f'<text class="note" x="{WIDTH}" y="{y + 26}">{note}</text>')
    return _figure(title, WIDTH, TOP + len(rows) * ROW, parts)


def scatter(title: str, points: Sequence[tuple[float, float]]) -> Markup:
    """Return true scores (right) against given ones (up), both 0–100, with the diagonal."""

    def x(value: float) -> float:
        return round(_MARGIN + (SIDE - _MARGIN - 6) * value / 100, 1)

    def y(value: float) -> float:
        return round(6 + (SIDE - _MARGIN - 6) * (100 - value) / 100, 1)

    parts = [f'<path class="whisker faint" d="M{x(0)} {y(0)}L{x(100)} {y(100)}"/>']
    for tick in (0, 25, 50, 75, 100):
        parts.append(
            f'<path class="grid" d="M{x(tick)} {y(0)}V{y(100)}M{x(0)} {y(tick)}H{x(100)}"/>'
        )
        parts.append(f'<text class="tick" x="{x(tick)}" y="{SIDE - 18}">{tick}</text>')
        parts.append(f'<text class="tick left" x="{_MARGIN - 6}" y="{y(tick) + 4}">{tick}</text>')
    parts += [
        f'<circle class="dot" cx="{x(true)}" cy="{y(given)}" r="3.5"/>' for true, given in points
    ]
    parts.append(f'<text class="tick" x="{x(50)}" y="{SIDE - 3}">true score</text>')
    return _figure(title, SIDE, SIDE, parts)


def say_interval(value: float, low: float, high: float, *, percent: bool) -> str:
    """Return "61.2 % [55–68]", or the value alone where there is no interval."""
    if not math.isfinite(value):
        return "–"
    scale, digits = (100, 1) if percent else (1, 3 if abs(value) < 10 else 1)
    said = f"{scale * value:.{digits}f}" + (" %" if percent else "")
    if not (math.isfinite(low) and math.isfinite(high)):
        return said
    digits = 0 if percent else digits
    return f"{said} [{scale * low:.{digits}f}–{scale * high:.{digits}f}]"


def _figure(title: str, width: int, height: int, parts: Sequence[str]) -> Markup:
    inside = "".join(parts)
    return Markup(
        f'<svg class="figure" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}">{inside}</svg>'
    )
