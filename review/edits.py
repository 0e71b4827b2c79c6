"""The fact check of an edited evaluation, as one types.

findings = check_text(graph, item.dialogue, "Your knees caved in. …")   # [] if it passes
"""

from flex.graph import Graph
from qa_gen.check import check_dialogue
from qa_gen.dialogue import Dialogue, Finding


def with_evaluation(dialogue: Dialogue, text: str) -> Dialogue:
    """Return the dialogue with another evaluation.

    Another text loses the writer's ids: the fact check then reads it as it reads any text.
    """
    text = text.strip()
    turns = tuple(
        turn
        if turn.stage != "evaluate" or turn.answer == text
        else turn.model_copy(update={"answer": text, "sentences": ()})
        for turn in dialogue.turns
    )
    return dialogue.model_copy(update={"turns": turns})


def check_text(graph: Graph, dialogue: Dialogue, text: str) -> list[Finding]:
    """Return what the fact check finds wrong with an evaluation, and with nothing else."""
    return [
        finding
        for finding in check_whole(graph, with_evaluation(dialogue, text))
        if finding.stage == "evaluate"
    ]


def check_whole(graph: Graph, dialogue: Dialogue) -> list[Finding]:
    """Return what the fact check finds wrong with a whole dialogue."""
    return check_dialogue(graph, dialogue.facts, dialogue.turns)
