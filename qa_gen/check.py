"""The fact check: does a text say what the labels say, all of it and nothing more?

It applies to every writer and to text that people edited. A dialogue passes if

- turn 1 names the action, and no turn names another one;
- turn 2 gives the standard of every key step, with its numbers;
- turn 3 names exactly the labelled errors, in phase order, each followed by its correction, denies
  none of them, praises nothing that was not looked at, and states no number or body part that the
  facts do not hold (`qa_gen.check_evaluation`);
- turn 4 gives the score of Eq. 1, and says so where it covers only part of the lift.

What fails is never exported.
"""

from collections.abc import Iterator, Sequence

from flex.graph import Graph
from flex.words import content_stems
from qa_gen.check_evaluation import check_evaluation
from qa_gen.check_words import foreign_actions, phrases
from qa_gen.dialogue import STAGES, Finding, Sentence, Turn
from qa_gen.facts import Facts
from qa_gen.numbers import numbers_in
from qa_gen.sentences import sentences_of

# A paraphrase of a key step's standard keeps at least this share of its content words.
STANDARD_OVERLAP = 0.5


def check_dialogue(graph: Graph, facts: Facts, turns: Sequence[Turn]) -> list[Finding]:
    """Return what is wrong with a dialogue; nothing, if it passes."""
    stages = tuple(turn.stage for turn in turns)
    if stages != STAGES:
        return [Finding(stage="recognise", code="turns", message=f"the turns are {stages}")]
    recognise, standard, evaluate, score = turns
    return [
        *_action(graph, facts, turns),
        *_recognise(graph, facts, recognise),
        *_standard(graph, facts, standard),
        *_evaluate(graph, facts, evaluate),
        *_score(facts, score),
    ]


def _evaluate(graph: Graph, facts: Facts, turn: Turn) -> list[Finding]:
    if turn.sentences and " ".join(s.text for s in turn.sentences) != turn.answer:
        message = "the sentences with ids are not the answer; edit both, or leave the ids out"
        return [Finding(stage="evaluate", code="sentences", message=message)]
    sentences: Sequence[Sentence] = turn.sentences or sentences_of(turn.answer)
    return check_evaluation(graph, facts, sentences)


def _action(graph: Graph, facts: Facts, turns: Sequence[Turn]) -> Iterator[Finding]:
    for turn in turns:
        for name in foreign_actions(graph, facts.action, turn.answer):
            own = graph.actions[facts.action].name
            yield Finding(
                stage=turn.stage,
                code="wrong_action",
                message=f"the text names {name!r}, but the exercise is {own}",
            )


def _recognise(graph: Graph, facts: Facts, turn: Turn) -> Iterator[Finding]:
    action = graph.actions[facts.action]
    names = (action.name, *action.also)
    if not any(name.lower() in turn.answer.lower() for name in names):
        message = f"the answer does not name the action {action.name}"
        yield Finding(stage="recognise", code="no_action", message=message)


def _standard(graph: Graph, facts: Facts, turn: Turn) -> Iterator[Finding]:
    said = content_stems(turn.answer)
    allowed: set[float] = set()
    for step_id in graph.actions[facts.action].key_steps:
        step = graph.key_steps[step_id]
        wanted = content_stems(step.standard)
        allowed.update(numbers_in(step.standard))
        missing = set(numbers_in(step.standard)) - set(numbers_in(turn.answer))
        if missing or len(wanted & said) < STANDARD_OVERLAP * len(wanted):
            message = f"the standard of {step_id} ({step.name}) is missing: {step.standard}"
            yield Finding(stage="standard", code="missing_standard", message=message)
    yield from _numbers("standard", turn.answer, allowed)


def _score(facts: Facts, turn: Turn) -> Iterator[Finding]:
    said = numbers_in(turn.answer)
    if facts.score not in said:
        message = f"the score is {facts.score:g}, the answer does not say so"
        yield Finding(stage="score", code="wrong_score", message=message)
    allowed = {facts.score, 0.0, 100.0, facts.penalty, facts.total}
    yield from _numbers("score", turn.answer, allowed)
    if facts.labelled is not None and not any(phrases("partial", turn.answer)):
        message = "only part of the lift was labelled, and the answer does not say so"
        yield Finding(stage="score", code="partial_unsaid", message=message)


def _numbers(stage: str, text: str, allowed: set[float]) -> Iterator[Finding]:
    for number in numbers_in(text):
        if number not in allowed:
            message = f"the facts hold no number {number:g}"
            yield Finding.model_validate(
                {"stage": stage, "code": "wrong_number", "message": message}
            )
