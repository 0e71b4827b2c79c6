"""The FLEX knowledge graph: actions → key steps → error types, with weights and feedback.

Structure and weights are those of the paper's Tables 4 and 5; the wording is ours. `graph.yaml`
holds the data, `flex.graph_file` reads it.

    graph = load_graph()
    graph.actions["A16"].name                      # 'Squat'
    graph.occurrences("A16")                       # every (key step, error type) in phase order
    graph.correction(Occurrence("AK44", "ET056"))  # what a coach says
"""

import functools
from collections.abc import Iterable
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from flex.files import hash_text
from flex.problems import InputError, Problem, nearest

Phase = Literal["preparation", "concentric", "eccentric"]
Evidence = Literal["video", "pose", "breathing"]
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]


class Occurrence(NamedTuple):
    """An error type at a key step, written `AK04:ET015`: what annotators mark, Eq. 1 counts."""

    key_step: str
    error_type: str

    def __str__(self) -> str:
        return f"{self.key_step}:{self.error_type}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `AK04:ET015`.

        Raises:
            ValueError: the text is not two ids with a colon between.
        """
        key_step, colon, error_type = text.strip().partition(":")
        if not (key_step and colon and error_type) or ":" in error_type:
            raise ValueError(f"expected KEYSTEP:ERRORTYPE such as AK04:ET015, found {text!r}")
        return cls(key_step, error_type)


class _Node(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str


class ErrorType(_Node):
    """A way to go wrong (ET), with its penalty weight and what a coach says about it.

    Attributes:
        weight: penalty in Eq. 1, 2–10 (section 7.4).
        description: the fault as a noun phrase.
        observed: clauses that say it happened ("your feet were …").
        ideal: clauses that say it was done right.
        correction: advice in full sentences, where no key step says otherwise.
        correction_at: advice for one key step, which wins over `correction`.
        known_from: what can show it: video, pose, breathing; empty if nothing recorded can.
        faults: matcher patterns that, affirmed, name the error (see `flex.matcher`).
        ideals: matcher patterns that, denied, name the error and, affirmed, praise.
    """

    weight: Annotated[int, Field(ge=2, le=10)]
    name: Text
    description: Text
    observed: Texts
    ideal: Texts
    correction: Texts
    correction_at: dict[str, Text] = {}
    known_from: tuple[Evidence, ...]
    faults: tuple[Text, ...] = ()
    ideals: tuple[Text, ...] = ()


class KeyStep(_Node):
    """One step of an exercise (AK): its phase, its standard, and the errors that belong to it.

    Attributes:
        moments: phrases that say when ("as you pressed the bar overhead").
        standard: how it is done right, in full sentences.
    """

    phase: Phase
    name: Text
    moments: Texts
    standard: Text
    errors: tuple[str, ...]


class Action(_Node):
    """An exercise: its equipment, muscles (Tables 2 and 3) and key steps in phase order.

    Attributes:
        also: other names that people use.
        score_total: the total of Eq. 1 where it is not the sum over the table.
    """

    name: Text
    also: tuple[Text, ...] = ()
    equipment: Text
    posture: Text
    summary: Text
    target_muscles: Texts
    recorded_muscles: tuple[Text, ...] = ()
    phases: tuple[Phase, ...]
    key_steps: Annotated[tuple[str, ...], Field(min_length=1)]
    score_total: Annotated[int, Field(gt=0)] | None = None


class Graph(BaseModel):
    """The whole graph; `flex.graph_file` reads and validates it.

    Attributes:
        lexicon: named groups of words that matcher patterns refer to.
        body_parts: the lexicon groups that are parts of the body.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text
    source: Text
    actions: dict[str, Action]
    key_steps: dict[str, KeyStep]
    error_types: dict[str, ErrorType]
    lexicon: dict[str, Texts] = {}
    body_parts: tuple[str, ...] = ()

    @functools.cached_property
    def version(self) -> str:
        """A hash of the whole content: records carry it to say which graph they were made with."""
        return hash_text(self.model_dump_json())

    def __hash__(self) -> int:
        return hash(self.version)

    @functools.cached_property
    def _occurrences(self) -> dict[str, tuple[Occurrence, ...]]:
        return {
            action.id: tuple(
                Occurrence(step, error)
                for step in action.key_steps
                for error in self.key_steps[step].errors
            )
            for action in self.actions.values()
        }

    def action(self, action_id: str) -> Action:
        """Return the action with that id, or whose name it is.

        Raises:
            InputError: there is no such action; the nearest one is named.
        """
        if action_id in self.actions:
            return self.actions[action_id]
        for action in self.actions.values():
            names = (action.id, action.name, *action.also)
            if action_id.strip().lower() in {name.lower() for name in names}:
                return action
        known = [name for a in self.actions.values() for name in (a.id, a.name, *a.also)]
        hint = nearest(action_id, known)
        raise InputError([Problem("action", f"the graph has no action {action_id!r}{hint}")])

    def occurrences(self, action_id: str) -> tuple[Occurrence, ...]:
        """Return every (key step, error type) that the action can show, in phase order."""
        return self._occurrences[self.action(action_id).id]

    def error_types_of(self, action_id: str) -> tuple[str, ...]:
        """Return the ids of the error types that the action can show, each once, in phase order."""
        return tuple(dict.fromkeys(o.error_type for o in self.occurrences(action_id)))

    def weight(self, occurrence: Occurrence) -> int:
        """Return the penalty weight of an occurrence (Table 5)."""
        return self.error_types[occurrence.error_type].weight

    def total(self, action_id: str) -> int:
        """Return the denominator of Eq. 1: weights over all occurrences, or the stated total."""
        action = self.action(action_id)
        return action.score_total or sum(map(self.weight, self.occurrences(action.id)))

    def corrections(self, occurrence: Occurrence) -> tuple[str, ...]:
        """Return the advice for an error at a key step; the specialised one, where there is one."""
        error = self.error_types[occurrence.error_type]
        special = error.correction_at.get(occurrence.key_step)
        return (special,) if special else error.correction

    def in_order(self, action_id: str, errors: Iterable[Occurrence]) -> tuple[Occurrence, ...]:
        """Return the errors, each once, in the action's phase order.

        Raises:
            InputError: an error that the action does not have; every such one is named.
        """
        wanted = set(errors)
        known = self.occurrences(action_id)
        unknown = sorted(wanted - set(known))
        if unknown:
            raise InputError(self._foreign(self.action(action_id), item) for item in unknown)
        return tuple(item for item in known if item in wanted)

    def require_within(self, errors: Iterable[Occurrence], labelled: Iterable[Occurrence]) -> None:
        """Raise an `InputError` that names every error outside the labelled occurrences."""
        outside = sorted(set(errors) - set(labelled))
        if outside:
            raise InputError(
                Problem(str(item), "an error outside the scope that was labelled")
                for item in outside
            )

    def _foreign(self, action: Action, item: Occurrence) -> Problem:
        if item.key_step not in action.key_steps:
            why = f"{action.id} has the key steps {', '.join(action.key_steps)}"
        else:
            errors = self.key_steps[item.key_step].errors
            why = f"{item.key_step} has the errors {', '.join(errors)}"
        return Problem(str(item), f"not an error of {action.id} ({action.name}); {why}")
