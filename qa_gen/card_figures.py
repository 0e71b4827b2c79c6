"""Draws the figures of the data card as inline SVG: no script, no fonts, no outside files.

Colours come from the page's style sheet through classes, so that figures follow light and dark.
Every figure is 480 units wide, which stays legible on a telephone.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from qa_gen.card_stats import SCORE_BIN, SCORE_MAX, Lengths

WIDTH = 480
ROW = 34


class Bar(NamedTuple):
    """A bar: its label, its length, what is written at its end, and its colour class."""

    label: str
    value: float
    note: str
    kind: str = "bar"


def histogram(bins: Mapping[int, int], mean: float) -> Markup:
    """Return the histogram of scores; bin k starts at 5k, the last holds 100 too."""
    height, foot, head = 220, 24, 24
    count = SCORE_MAX // SCORE_BIN
    tallest = max(bins.values(), default=1)
    step = WIDTH / count
    scale = (height - foot - head) / tallest
    parts = [
        Markup('<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(
            WIDTH, height - foot, height - foot
        )
    ]
    for place in range(count):
        tall = bins.get(place, 0) * scale
        low = place * SCORE_BIN
        parts.append(
            Markup(
                '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2">'
                "<title>{}–{}: {:,}</title></rect>"
            ).format(
                place * step + 1.5,
                height - foot - tall,
                step - 3,
                tall,
                low,
                low + SCORE_BIN,
                bins.get(place, 0),
            )
        )
    for score in range(0, SCORE_MAX + 1, 20):
        anchor = {0: "start", SCORE_MAX: "end"}.get(score, "middle")
        parts.append(_text(score / SCORE_MAX * WIDTH, height - 6, str(score), anchor, "soft"))
    x = mean / SCORE_MAX * WIDTH
    parts.append(
        Markup('<line class="mark" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(
            x, head - 4, height - foot
        )
    )
    anchor = "end" if x > WIDTH / 2 else "start"
    parts.append(_text(x, head - 10, f"mean {mean:.1f}", anchor, "strong"))
    return _svg(height, "Histogram of scores", parts)


def bars(title: str, rows: Sequence[Bar]) -> Markup:
    """Return horizontal bars, each under its label, so that long labels fit a narrow page."""
    longest = max((row.value for row in rows), default=1) or 1
    parts = []
    for place, row in enumerate(rows):
        y = place * ROW
        parts.append(_text(0, y + 13, row.label, "start", "label"))
        parts.append(_text(WIDTH, y + 13, row.note, "end", "soft"))
        parts.append(
            Markup('<rect class="track" x="0" y="{0}" width="{1}" height="7" rx="3.5"/>').format(
                y + 19, WIDTH
            )
        )
        parts.append(
            Markup('<rect class="{}" x="0" y="{}" width="{:.1f}" height="7" rx="3.5"/>').format(
                row.kind, y + 19, max(row.value / longest * WIDTH, 3 if row.value else 0)
            )
        )
    return _svg(max(len(rows), 1) * ROW, title, parts)


def length_ranges(rows: Sequence[Lengths]) -> Markup:
    """Return a bar per stage from the 5th to the 95th percentile of words, with the median."""
    longest = max((row.p95 for row in rows), default=1) or 1
    parts = []
    for place, row in enumerate(rows):
        y = place * 44
        left, right = row.p5 / longest * WIDTH, row.p95 / longest * WIDTH
        middle = row.median / longest * WIDTH
        parts.append(_text(0, y + 14, row.stage, "start", "label"))
        note = f"{row.p5}–{row.p95} words, median {row.median:g}"
        parts.append(_text(WIDTH, y + 14, note, "end", "soft"))
        parts.append(
            Markup('<rect class="track" x="0" y="{}" width="{}" height="10" rx="5"/>').format(
                y + 22, WIDTH
            )
        )
        parts.append(
            Markup(
                '<rect class="bar" x="{:.1f}" y="{}" width="{:.1f}" height="10" rx="5"/>'
            ).format(left, y + 22, max(right - left, 6))
        )
        parts.append(
            Markup('<line class="mark" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(
                middle, y + 19, y + 35
            )
        )
    return _svg(len(rows) * 44, "Length of the answers in words", parts)


def weight_class(weight: int) -> str:
    """Return the colour class of a penalty weight: light 2–5, medium 6–7, heavy 8–10."""
    return "w-light" if weight <= 5 else "w-medium" if weight <= 7 else "w-heavy"


def _text(x: float, y: float, text: str, anchor: str, kind: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, text
    )


def _svg(height: int, title: str, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="figure" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(WIDTH, height, title, Markup("").join(parts))
