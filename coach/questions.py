"""The four questions, worded as the coach learnt them, and the answer that a user gives instead."""

import functools

from flex.graph import Graph
from qa_gen.dialogue import STAGES, Stage
from qa_gen.wording import phrasings


@functools.cache
def stage_questions() -> dict[Stage, str]:
    """Return one question a stage, in the order of the assessment."""
    return {
        stage: phrasings(f"dialogue/train/{stage}.j2")["question"][0].render() for stage in STAGES
    }


def told_exercise(graph: Graph, action: str) -> str:
    """Return the answer to the first question for an exercise that the user picked.

    Raises:
        InputError: the graph has no such exercise.
    """
    chosen = graph.action(action)
    answers = phrasings("dialogue/train/recognise.j2")["answer"]
    return answers[0].render(name=chosen.name, summary=chosen.summary)


def exercise_answers(graph: Graph) -> dict[str, str]:
    """Return exercise id → the sentence that names it, as the coach learnt to answer.

    Nothing follows the name, so that the sentences differ in nothing else.
    """
    answer = phrasings("dialogue/train/recognise.j2")["answer"][0]
    return {
        action.id: answer.render(name=action.name, summary="").strip()
        for action in graph.actions.values()
    }


def stage_of(question: str) -> Stage | None:
    """Return the stage that a question asks for word by word; `None` for a free question."""
    return next((stage for stage, known in stage_questions().items() if known == question), None)
