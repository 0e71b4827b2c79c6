"""Which action an answer names, by the graph's names."""

import functools
import re

from flex.graph import Graph

# A name after these words is what the clip does not show.
_DENIED = re.compile(
    r"(?:\bnot|n['’]t|rather than|instead of|unlike)(?:\s+(?:be|an?|the))*\s*$", re.I
)
# How many characters before a name are looked at.
_BEFORE = 60


def recognised_action(graph: Graph, text: str) -> str | None:
    """Return the id of the one action that a text names, or `None` for none or several.

    Names and other names count, in any case, with hyphens or blanks, in singular or plural; the
    longest name wins ("Incline Dumbbell Bench Press" is not also a "Dumbbell Bench Press"), and
    "not a squat" names nothing. Several names are a guess, which counts as no answer.
    """
    spans: dict[tuple[int, int], set[str]] = {}
    for action, pattern in _names(graph):
        for match in pattern.finditer(text):
            spans.setdefault(match.span(), set()).add(action)
    named: set[str] = set()
    reach = -1  # where the names so far end: one that ends before lies in a longer one
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if end > reach and not _DENIED.search(text, max(0, start - _BEFORE), start):
            named |= spans[start, end]
        reach = max(reach, end)
    return named.pop() if len(named) == 1 else None


@functools.lru_cache(maxsize=8)
def _names(graph: Graph) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (action.id, re.compile(rf"\b{_loose(name)}(?:s|es)?\b", re.IGNORECASE))
        for action in graph.actions.values()
        for name in (action.name, *action.also, action.id)
    )


def _loose(name: str) -> str:
    return r"[-\s]+".join(re.escape(part) for part in re.split(r"[-\s]+", name))
