"""How well does the matcher do? Precision and recall on labelled sentences.

A row is {"id", "action", "text", "errors", "kind", "hard"}; `errors` are the types that it names.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from flex.graph import Graph
from flex.matcher import find_errors


class Quality(NamedTuple):
    """Counts over (sentence, error type) pairs, and sentences that are right as a whole."""

    sentences: int
    exact: int
    right: int
    extra: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of the found error types that are labelled."""
        return self.right / (self.right + self.extra) if self.right + self.extra else 1.0

    @property
    def recall(self) -> float:
        """Share of the labelled error types that are found."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def measure(graph: Graph, rows: Iterable[Mapping[str, Any]]) -> dict[str, Quality]:
    """Return the quality over all rows ("all"), over the hard ones, and by kind of sentence."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        for name in ("all", *(["hard"] if row["hard"] else []), row["kind"]):
            groups.setdefault(name, []).append(row)
    return {name: _quality(graph, members) for name, members in groups.items()}


def _quality(graph: Graph, rows: list[Mapping[str, Any]]) -> Quality:
    right = extra = missed = exact = 0
    for row in rows:
        found, wanted = set(find_errors(graph, row["text"], row["action"])), set(row["errors"])
        right += len(found & wanted)
        extra += len(found - wanted)
        missed += len(wanted - found)
        exact += found == wanted
    return Quality(len(rows), exact, right, extra, missed)
