"""The graph as a table: a column for every (key step, error type) pair, for all actions at once.

    columns = ErrorColumns(load_graph())
    len(columns)                                    # 278
    labels, known = columns.labels(records)         # (B, 278) 0/1, (B, 278) bool

An action knows the columns of its own occurrences. Two actions that share a key step share its
columns, so that what is learnt of one helps the other.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from flex.graph import Evidence, Graph, Occurrence
from flex.sample import Annotation


class ErrorColumns:
    """The columns of a graph.

    Attributes:
        graph: the graph.
        actions: ids of the actions, in the graph's order.
        occurrences: what the columns stand for.
        known: (A, O) bool, which columns an action knows.
        weights: (O,) penalty weights of Eq. 1.
        totals: (A,) denominators of Eq. 1.
        steps: (O,) number of each column's key step, for embeddings.
        types: (O,) number of each column's error type.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.actions = tuple(graph.actions)
        found = {o for action in self.actions for o in graph.occurrences(action)}
        self.occurrences = tuple(sorted(found))
        self._column = {occurrence: n for n, occurrence in enumerate(self.occurrences)}
        self.known = np.zeros((len(self.actions), len(self)), dtype=bool)
        for row, action in enumerate(self.actions):
            self.known[row, self.of(graph.occurrences(action))] = True
        self.weights = np.array([graph.weight(o) for o in self.occurrences], dtype=np.float64)
        self.totals = np.array([graph.total(action) for action in self.actions], dtype=np.float64)
        self.steps = _numbers([o.key_step for o in self.occurrences])
        self.types = _numbers([o.error_type for o in self.occurrences])

    def __len__(self) -> int:
        return len(self.occurrences)

    def of(self, occurrences: Iterable[Occurrence]) -> list[int]:
        """Return the columns of some occurrences."""
        return [self._column[occurrence] for occurrence in occurrences]

    def rows(self, actions: Iterable[str]) -> NDArray[np.int64]:
        """Return the numbers of actions, by id or name: (B,).

        Raises:
            InputError: the graph has no such action.
        """
        ids = (self.graph.action(action).id for action in actions)
        return np.array([self.actions.index(action) for action in ids], dtype=np.int64)

    def labels(
        self, records: Sequence[Annotation]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return what is in each clip, and where anybody looked.

        Returns:
            (B, O) float32, 1 where the error was seen, and (B, O) bool, what was labelled.

        Raises:
            InputError: an error, or one that was looked for, is not one of the action's.
        """
        labels = np.zeros((len(records), len(self)), dtype=np.float32)
        known = np.zeros(labels.shape, dtype=bool)
        for row, record in enumerate(records):
            scope = record.scope
            wanted = self.graph.occurrences(record.action) if scope is None else scope
            labels[row, self.of(self.graph.in_order(record.action, record.occurrences))] = 1
            known[row, self.of(self.graph.in_order(record.action, wanted))] = True
        return labels, known

    def unseen(
        self, evidence: Iterable[Evidence], hidden_types: Iterable[str] = ()
    ) -> NDArray[np.bool_]:
        """Return which errors cannot be judged from what is there: (O,) bool.

        Args:
            evidence: kinds of record that the clip has: "video", "pose", "breathing".
            hidden_types: error types that no camera of the clip shows. With "pose" among the
                evidence they count only where a pose cannot show them either.
        """
        there, hidden = set(evidence), set(hidden_types)
        unseen = []
        for occurrence in self.occurrences:
            error = self.graph.error_types[occurrence.error_type]
            useful = there & set(error.known_from)
            if error.id in hidden:
                useful -= {"video"}
            unseen.append(not useful)
        return np.array(unseen)


def _numbers(names: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)
