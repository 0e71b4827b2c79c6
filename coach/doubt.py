"""What the page says in place of an assessment where the model may not know what a clip shows.

notice = doubt_notice(lift.assessment(graph))       # empty where there is no doubt
judges(graph, answer)                               # such an answer is not shown there
"""

import re

from coach.assess import Assessment, read_errors
from coach.words import say, words
from eval.recognise import recognised_action
from flex.graph import Graph


def doubt_notice(found: Assessment) -> str:
    """Return what was seen, why that is not judged, and what to do; empty without a doubt."""
    if not found.doubt:
        return ""
    text: dict[str, str] = words()["doubts"][found.doubt]
    seen = found.named_name and not found.chosen
    parts = [
        text["title"],
        text["why"],
        say("doubt_seen", name=found.named_name) if seen else "",
        say("doubt_nothing"),
        text["remedy"],
    ]
    return " ".join(part for part in parts if part)


def judges(graph: Graph, text: str) -> bool:
    """Say whether a text states a number, or names an error of an exercise that it may be about."""
    named = recognised_action(graph, text)
    actions = [named] if named else graph.actions
    return states_number(text) or any(
        read_errors(graph, action, text).occurrences for action in actions
    )


def states_number(text: str) -> bool:
    """Say whether a text holds a number that could be taken for a score, in figures or words."""
    if any(character.isdigit() for character in text):
        return True
    return re.search(words()["score_words"], text, re.IGNORECASE) is not None
