"""What helpers have to tell of a clip: which of its exercise's errors are in it."""

from collections.abc import Sequence
from typing import Any

from flex.graph import Graph
from flex.sample import Annotation


class ErrorTable:
    """A column for each occurrence of the graph.

    Attributes:
        occurrences: what the columns stand for.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.occurrences = sorted({o for a in graph.actions for o in graph.occurrences(a)})
        self._column = {o: n for n, o in enumerate(self.occurrences)}

    def of(self, records: Sequence[Annotation]) -> tuple[Any, Any]:
        """Return two tensors (B, E): 1 where the error is there, 1 where the action has it."""
        import torch

        errors = torch.zeros(len(records), len(self.occurrences))
        known = torch.zeros_like(errors)
        for n, record in enumerate(records):
            errors[n, [self._column[o] for o in record.occurrences]] = 1
            known[n, [self._column[o] for o in self._graph.occurrences(record.action)]] = 1
        return errors, known


def missed(logits: Any, errors: Any, known: Any) -> Any:
    """Return the mean loss over the errors that each clip's action can have."""
    from torch.nn.functional import binary_cross_entropy_with_logits

    loss = binary_cross_entropy_with_logits(logits.float(), errors, reduction="none")
    return (loss * known).sum() / known.sum()
