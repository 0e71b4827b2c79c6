"""A talk about a clip: a few questions and answers, each in one of several forms."""

import random
from typing import Any, NamedTuple

from flex.annotation_checks import score_of
from flex.graph import Graph
from flex.sample import Annotation
from flex.scoring import penalty
from flex.templates import wording
from pretrain.notes import (
    ASIDE,
    NAME,
    TELL,
    Piece,
    checks,
    comments,
    faults,
    notes,
    praise,
    standard,
)

# How often a talk goes from the exercise through its standard and comments to the score.
_WHOLE = 0.35
# How often these are asked in the other talks.
_STANDARD, _GOOD, _MEND, _SCORE = 0.15, 0.1, 0.1, 0.15
# In which form errors are told; of the rest, faults are named only.
_CHECKS, _COMMENTS, _NOTES = 0.3, 0.45, 0.15


class Turn(NamedTuple):
    """A question and its answer."""

    question: str
    answer: tuple[Piece, ...]


def words() -> dict[str, Any]:
    """Return questions and forms, as `prompts/base/talk.yaml` has them."""
    return wording("base/talk.yaml")


def brief(graph: Graph, record: Annotation, draws: random.Random) -> list[Turn]:
    """Return a talk about what has to be seen alone: exercise, errors in one of four forms."""
    return [_exercise(graph, record, draws), _errors(graph, record, draws)]


def talk(graph: Graph, record: Annotation, draws: random.Random) -> list[Turn]:
    """Return a talk about a clip: exercise, errors in one of four forms, perhaps more."""
    if draws.random() < _WHOLE:
        return [make(graph, record, draws) for make in (_exercise, _standard, _comments, _score)]
    turns = [_exercise(graph, record, draws)]
    if draws.random() < _STANDARD:
        turns.append(_standard(graph, record, draws))
    if draws.random() < _GOOD:
        right = praise(graph, record, draws, words()["good"]["none"])
        turns.append(_turn("good", right, ASIDE, draws))
    turns.append(_errors(graph, record, draws))
    if record.occurrences and draws.random() < _MEND:
        seen = draws.choice(record.occurrences)
        fault = draws.choice(graph.error_types[seen.error_type].observed)
        remedy = draws.choice(graph.corrections(seen))
        turns.append(_turn("mend", remedy, ASIDE, draws, fault=fault))
    if draws.random() < _SCORE:
        turns.append(_score(graph, record, draws))
    return turns


def _exercise(graph: Graph, record: Annotation, draws: random.Random) -> Turn:
    action = graph.actions[record.action]
    before, after = draws.choice(words()["exercise"]["answers"])
    after = after.format(summary=action.summary, equipment=action.equipment)
    name = f" {action.name}" if before else action.name
    pieces = (Piece(before, ASIDE), Piece(name, NAME), Piece(after, ASIDE))
    return Turn(_question("exercise", draws), tuple(piece for piece in pieces if piece.text))


def _standard(graph: Graph, record: Annotation, draws: random.Random) -> Turn:
    text = standard(graph, record.action, draws, words()["standard"])
    return _turn("standard", text, ASIDE, draws)


def _comments(graph: Graph, record: Annotation, draws: random.Random) -> Turn:
    pieces = tuple(comments(graph, record, draws, words()["comments"]))
    return Turn(_question("comments", draws), pieces)


def _errors(graph: Graph, record: Annotation, draws: random.Random) -> Turn:
    form = draws.random()
    if form < _CHECKS:
        return Turn(_question("checks", draws), tuple(checks(graph, record, draws)))
    if form < _CHECKS + _COMMENTS:
        return _comments(graph, record, draws)
    if form < _CHECKS + _COMMENTS + _NOTES:
        lines = notes(graph, record, draws, words()["notes"]["none"])
        return _turn("notes", lines, TELL, draws)
    return _turn("faults", faults(graph, record, words()["faults"]["none"]), NAME, draws)


def _score(graph: Graph, record: Annotation, draws: random.Random) -> Turn:
    text = draws.choice(words()["score"]["answers"]).format(
        score=f"{score_of(record, graph):.0f}",
        lost=penalty(graph, record.occurrences),
        total=graph.total(record.action),
    )
    return _turn("score", text, TELL, draws)


def _turn(kind: str, answer: str, weight: float, draws: random.Random, **known: str) -> Turn:
    return Turn(_question(kind, draws, **known), (Piece(answer, weight),))


def _question(kind: str, draws: random.Random, **known: str) -> str:
    return str(draws.choice(words()[kind]["questions"])).format(**known)
