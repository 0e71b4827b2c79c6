"""Builds the four turns of a dialogue; turns 1, 2 and 4 come from the graph and the label alone."""

from collections.abc import Sequence
from itertools import groupby

from flex.graph import Graph
from qa_gen.dialogue import Sentence, Turn
from qa_gen.facts import Facts
from qa_gen.template_writer import Phrases


def dialogue_turns(
    graph: Graph, facts: Facts, evaluation: Sequence[Sentence], *, family: str, seed: int
) -> tuple[Turn, ...]:
    """Return recognise, standard, evaluate and score; the evaluation is the writer's."""
    return (
        _recognise(graph, Phrases(seed, facts, family, "recognise"), facts),
        _standard(graph, Phrases(seed, facts, family, "standard"), facts),
        Turn(
            stage="evaluate",
            question=Phrases(seed, facts, family, "evaluate").say("question"),
            answer=" ".join(sentence.text for sentence in evaluation),
            sentences=tuple(evaluation),
        ),
        _score(Phrases(seed, facts, family, "score"), facts),
    )


def _recognise(graph: Graph, phrases: Phrases, facts: Facts) -> Turn:
    action = graph.actions[facts.action]
    question = phrases.say("question")
    answer = phrases.say(
        "answer", name=action.name, summary=action.summary, equipment=action.equipment
    )
    return Turn(stage="recognise", question=question, answer=answer)


def _standard(graph: Graph, phrases: Phrases, facts: Facts) -> Turn:
    action = graph.actions[facts.action]
    question = phrases.say("question")
    paragraphs = [phrases.say("intro", name=action.name)]
    steps = [graph.key_steps[step] for step in action.key_steps]
    for phase, group in groupby(steps, key=lambda step: step.phase):
        standard = " ".join(step.standard for step in group)
        paragraphs.append(phrases.say(phase, standard=standard))
    return Turn(stage="standard", question=question, answer="\n".join(paragraphs))


def _score(phrases: Phrases, facts: Facts) -> Turn:
    question = phrases.say("question")
    section = "answer" if facts.labelled is None else "partial"
    answer = phrases.say(
        section, score=f"{facts.score:g}", penalty=facts.penalty, total=facts.total
    )
    return Turn(stage="score", question=question, answer=answer)
