"""A picture of the knowledge graph as SVG: actions, key steps and error types in three columns.

Edges carry the colour of the key step's phase; the bar beside an error type shows its weight.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

from flex.graph import Graph, Phase
from flex.graph_export import action_edges, error_edges

PHASE_COLOURS: Mapping[Phase, str] = {
    "preparation": "#6b7f99",
    "concentric": "#c2410c",
    "eccentric": "#0f766e",
}
_ROW = 22.0
_TOP = 92.0
_BOTTOM = 30.0
_WIDTH = 1480.0
_COLUMNS = {"action": (24.0, 292.0), "step": (560.0, 306.0), "error": (1130.0, 326.0)}
_INK = "#1c2430"
_FAINT = "#5b6675"
_STYLE = (
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:12px;"
    f"fill:{_INK}}}"
    ".title{font-size:20px;font-weight:650}.head{font-size:13px;font-weight:600}"
    f".note{{fill:{_FAINT}}}.id{{font-size:10.5px;fill:{_FAINT}}}"
    "path{fill:none;stroke-width:1.1;stroke-opacity:.38}"
)


class _Box(NamedTuple):
    x: float
    y: float
    width: float


def to_svg(graph: Graph) -> str:
    """Return the picture; the same graph gives the same bytes."""
    height = _TOP + _ROW * max(len(graph.key_steps), len(graph.error_types)) + _BOTTOM
    boxes = {
        **_column("action", list(graph.actions), height),
        **_column("step", _by_action(graph), height),
        **_column("error", _by_step(graph), height),
    }
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {height:g}" '
        f'width="{_WIDTH:g}" height="{height:g}" role="img" aria-label="{escape(graph.name)}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH:g}" height="{height:g}" fill="#fbfcfd"/>',
        *_header(graph),
        *_edges(graph, boxes),
        *_nodes(graph, boxes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _column(name: str, nodes: Sequence[str], height: float) -> dict[str, _Box]:
    """Spread the nodes of a column evenly over the height."""
    x, width = _COLUMNS[name]
    step = (height - _TOP - _BOTTOM) / max(len(nodes), 1)
    return {node: _Box(x, _TOP + step * (i + 0.5), width) for i, node in enumerate(nodes)}


def _by_action(graph: Graph) -> list[str]:
    """Key steps in the order in which actions use them, so that fewer edges cross."""
    rank = {action: i for i, action in enumerate(graph.actions)}
    users: dict[str, list[int]] = {step: [] for step in graph.key_steps}
    for action, step in action_edges(graph):
        users[step].append(rank[action])
    return sorted(users, key=lambda s: (sum(users[s]) / max(len(users[s]), 1), s))


def _by_step(graph: Graph) -> list[str]:
    rank = {step: i for i, step in enumerate(_by_action(graph))}
    users: dict[str, list[int]] = {error: [] for error in graph.error_types}
    for step, error in error_edges(graph):
        users[error].append(rank[step])
    return sorted(users, key=lambda e: (sum(users[e]) / max(len(users[e]), 1), e))


def _header(graph: Graph) -> Iterator[str]:
    counts = (
        f"{len(graph.actions)} actions, {len(graph.key_steps)} key steps, "
        f"{len(graph.error_types)} error types"
    )
    yield f'<text class="title" x="24" y="36">{escape(graph.name)} knowledge graph</text>'
    yield f'<text class="note" x="24" y="56">{counts} · {escape(graph.source)}</text>'
    for name, title in (("action", "Actions"), ("step", "Key steps"), ("error", "Error types")):
        yield f'<text class="head" x="{_COLUMNS[name][0]:g}" y="80">{title}</text>'
    for number, (phase, colour) in enumerate(PHASE_COLOURS.items()):
        x = _COLUMNS["step"][0] + 110 * number
        yield f'<circle cx="{x + 5:g}" cy="52" r="5" fill="{colour}"/>'
        yield f'<text class="note" x="{x + 16:g}" y="56">{phase}</text>'
    x = _COLUMNS["error"][0]
    yield f'<text class="note" x="{x:g}" y="56">the bar shows the penalty weight, 2 to 10</text>'


def _edges(graph: Graph, boxes: Mapping[str, _Box]) -> Iterator[str]:
    for start, end in (*action_edges(graph), *error_edges(graph)):
        step = end if end in graph.key_steps else start
        colour = PHASE_COLOURS[graph.key_steps[step].phase]
        x1, y1 = boxes[start].x + boxes[start].width, boxes[start].y
        x2, y2 = boxes[end].x, boxes[end].y
        middle = (x1 + x2) / 2
        curve = f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        yield f'<path d="{curve}" stroke="{colour}"/>'


def _nodes(graph: Graph, boxes: Mapping[str, _Box]) -> Iterator[str]:
    for action in graph.actions.values():
        yield from _node(boxes[action.id], action.id, action.name, "#e6ebf2", _INK)
    for step in graph.key_steps.values():
        yield from _node(boxes[step.id], step.id, step.name, "#ffffff", PHASE_COLOURS[step.phase])
    for error in graph.error_types.values():
        box = boxes[error.id]
        yield from _node(box, error.id, error.name, "#ffffff", "#c9d1dc")
        length = 6.0 * error.weight
        x = box.x + box.width - length - 26
        red = f"hsl({50 - 5 * error.weight} 75% 48%)"
        bar = f'y="{box.y - 4:.1f}" width="{length:g}" height="8" rx="4" fill="{red}"'
        yield f'<rect x="{x:.1f}" {bar}/>'
        end = f'x="{box.x + box.width - 8:.1f}" y="{box.y + 4:.1f}" text-anchor="end"'
        yield f'<text class="id" {end}>{error.weight}</text>'


def _node(box: _Box, node: str, name: str, fill: str, edge: str) -> Iterator[str]:
    shape = f'width="{box.width:g}" height="18" rx="5" fill="{fill}" stroke="{edge}"'
    yield f'<rect x="{box.x:g}" y="{box.y - 9:.1f}" {shape}/>'
    yield f'<text class="id" x="{box.x + 7:g}" y="{box.y + 4:.1f}">{node}</text>'
    yield f'<text x="{box.x + 46:g}" y="{box.y + 4:.1f}">{escape(name)}</text>'
