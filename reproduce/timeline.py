"""How long each step took, as inline SVG: no script, no fonts, no outside files."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

_WIDTH, _ROW, _NAMES, _NOTE = 720, 22, 130, 90


class Span(NamedTuple):
    """One step: what to call it, its seconds, what is written behind, and the kind of its bar."""

    label: str
    seconds: float
    note: str
    kind: str


def timeline(title: str, spans: Sequence[Span]) -> Markup:
    """Return bars, one below the other, each beginning where the one before it ends.

    Args:
        title: read to those who cannot see the drawing.
        spans: in the order in which they ran; seconds of 0 or more.
    """
    whole = sum(span.seconds for span in spans) or 1.0
    room = _WIDTH - _NAMES - _NOTE
    parts, begun = [], 0.0
    for number, span in enumerate(spans):
        y = number * _ROW
        left = round(_NAMES + room * begun / whole, 1)
        width = round(max(1.5, room * span.seconds / whole), 1)
        begun += span.seconds
        parts.append(
            f'<text class="soft" x="0" y="{y + 14}">{escape(span.label)}</text>'
            f'<rect class="track" x="{_NAMES}" y="{y + 5}" width="{room}" height="11" rx="3"/>'
            f'<rect class="bar {escape(span.kind)}" x="{left}" y="{y + 5}" width="{width}" '
            'height="11" rx="3"/>'
            f'<text class="note" x="{_WIDTH}" y="{y + 14}">{escape(span.note)}</text>'
        )
    return Markup(
        f'<svg class="figure" viewBox="0 0 {_WIDTH} {len(spans) * _ROW}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
