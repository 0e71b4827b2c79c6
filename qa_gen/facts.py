"""What may be said of one clip: its action, its labelled errors in phase order, its score.

Facts are all that a writer sees and all that the fact check holds a text against. They are built
from an annotation and the graph, and nothing else; an annotator's free-text note is left out.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from flex.files import hash_text
from flex.graph import Graph, Occurrence
from flex.sample import Annotation
from flex.scoring import denominator, penalty, score


class ErrorFact(BaseModel):
    """One labelled error; times in seconds where the annotator gave an interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key_step: str
    error_type: str
    start_s: float | None = None
    end_s: float | None = None

    @property
    def occurrence(self) -> Occurrence:
        """The (key step, error type) pair."""
        return Occurrence(self.key_step, self.error_type)


class Facts(BaseModel):
    """The facts of one clip.

    Attributes:
        errors: labelled errors, in the action's phase order.
        labelled: the occurrences that were looked for, in phase order; `None` means all. Nothing
            outside it may be praised or blamed.
        penalty: summed weights of the errors, the numerator of Eq. 1.
        total: summed weights of all that was labelled, its denominator.
        score: Eq. 1, 0–100.
        graph: version of the knowledge graph.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip: str
    action: str
    errors: tuple[ErrorFact, ...]
    labelled: tuple[Occurrence, ...] | None = None
    penalty: int
    total: int
    score: Annotated[float, Field(ge=0, le=100)]
    graph: str

    @property
    def occurrences(self) -> tuple[Occurrence, ...]:
        """The labelled errors as (key step, error type) pairs, in phase order."""
        return tuple(error.occurrence for error in self.errors)

    @property
    def hash(self) -> str:
        """A hash of everything that a text may depend on."""
        return hash_text(self.model_dump_json())


def facts_of(graph: Graph, annotation: Annotation) -> Facts:
    """Return the facts of an annotated clip; the score comes from Eq. 1.

    Raises:
        InputError: an unknown action, or an error that the action does not have.
    """
    action = graph.action(annotation.action)
    scope = annotation.scope
    in_order = graph.in_order(action.id, annotation.occurrences)
    labels = {label.occurrence: label for label in annotation.errors}
    return Facts(
        clip=annotation.clip,
        action=action.id,
        errors=tuple(ErrorFact(**labels[item].model_dump(exclude={"note"})) for item in in_order),
        labelled=None if scope is None else graph.in_order(action.id, scope),
        penalty=penalty(graph, in_order),
        total=denominator(graph, action.id, scope=scope, total=annotation.score_total),
        score=score(graph, action.id, in_order, scope=scope, total=annotation.score_total),
        graph=graph.version,
    )
