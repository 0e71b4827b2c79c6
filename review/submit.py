"""Takes what a person says of what they saw, from the terminal or the page.

    submit(store, graph, "ana", "A01/001", "accept", seen=assignment.seen)

`decide` keeps a decision; here it is first held against what the person saw, and an edit against
the labels.
"""

from collections.abc import Iterable, Sequence

from flex.graph import Graph
from flex.problems import Problem
from qa_gen.dialogue import Finding
from review.decisions import ConflictError, decide
from review.edits import check_text
from review.queue import peek
from review.records import Action, Decision
from review.store import Store


class FailingEditError(ConflictError):
    """The fact check finds something wrong with an edit; `findings` says what."""

    def __init__(self, clip: str, findings: Sequence[Finding]) -> None:
        super().__init__([Problem(clip, finding.message) for finding in findings])
        self.findings = tuple(findings)


def submit(
    store: Store,
    graph: Graph,
    person: str,
    clip: str,
    action: Action,
    *,
    seen: str,
    text: str | None = None,
    reason: str | None = None,
    occurrences: Iterable[str] | None = None,
    failing: bool = False,
    duration_ms: int | None = None,
    origin: str | None = None,
) -> Decision:
    """Keep a decision about what the person saw.

    Args:
        store: the review.
        graph: the knowledge graph.
        person: who decides.
        clip: the item's clip.
        action: accept, edit or reject.
        seen: `Assignment.seen` of what the person saw.
        text: the whole evaluation, edited; of an edit only. Whoever turns an edited one back into
            the generated text accepts that one.
        reason: why it is rejected.
        occurrences: the errors that the person saw; see `decide`.
        failing: keep an edit that fails the fact check.
        duration_ms: how long the person looked, in milliseconds.
        origin: an id of the request; the second call with the same one changes nothing.

    Raises:
        ConflictError: the text or the labels have changed since the person saw them.
        FailingEditError: the edit fails the fact check, and `failing` is false.
        InputError: as `decide`.
    """
    shown = peek(store, person, clip)
    if action == "accept":
        if shown.seen != seen:
            message = "has changed since you saw it; look at it again"
            raise ConflictError([Problem(clip, message)])
        text = shown.text
    generated = shown.item.evaluation
    if action == "edit" and text and text.strip() == generated.strip() != shown.text.strip():
        action, text = "accept", None  # the generated text is right, and not the edited one
    if action == "edit" and text and not failing:
        findings = check_text(graph, shown.item.dialogue, text)
        if findings:
            raise FailingEditError(clip, findings)
    return decide(
        store,
        person,
        clip,
        action,
        version=seen.partition("-")[0],
        text=None if action == "reject" else text,
        reason=reason,
        occurrences=occurrences,
        duration_ms=duration_ms,
        origin=origin,
    )
