"""What the page shows of one item, as plain values for JSON."""

from typing import Any

from flex.graph import Graph, Occurrence
from qa_gen.dialogue import Finding
from review.edits import check_whole, with_evaluation
from review.feedback import feedback_on
from review.page_media import Media
from review.queue import Assignment
from review.records import Decision, Item
from review.rounds import round_of
from review.store import Store

Page = dict[str, Any]


def shown(store: Store, graph: Graph, media: Media, assignment: Assignment) -> Page:
    """Return an item as its reviewer may see it: without gold, and blind in the first stage."""
    item = assignment.item
    views = media.views(item)
    action = graph.actions[item.dialogue.action]
    return {
        "clip": item.clip,
        "seen": assignment.seen,
        "action": {"id": action.id, "name": action.name, "equipment": action.equipment},
        "skill": item.dialogue.skill,
        "simulated": item.dialogue.simulated,
        "score": item.dialogue.facts.score,
        "flagged": item.flagged,
        "views": views,
        "time": media.time(item, views),
        "skeleton": media.has_skeleton(item.clip),
        "turns": [
            {"stage": turn.stage, "question": turn.question, "answer": turn.answer}
            for turn in item.dialogue.turns
        ],
        "text": assignment.text,
        "edited": assignment.text != item.evaluation,
        "labels": [_error(graph, name, item) for name in item.labels],
        "scope": [_error(graph, name, item) for name in item.scope],
        "findings": findings(graph, item, assignment.text),
        "earlier": [_earlier(decision) for decision in assignment.earlier],
        "feedback": [
            line.model_dump(include={"verdict", "note", "turn", "answer"})
            for line in feedback_on(store, item.id)
        ],
        "reopened": round_of(item.version) > 1,
    }


def findings(graph: Graph, item: Item, text: str) -> list[dict[str, str]]:
    """Return what the fact check finds wrong with a dialogue that has `text` as its evaluation."""
    return [_finding(one) for one in check_whole(graph, with_evaluation(item.dialogue, text))]


def _finding(finding: Finding) -> dict[str, str]:
    return finding.model_dump(include={"stage", "code", "message"})


def _error(graph: Graph, name: str, item: Item) -> Page:
    place = Occurrence.parse(name)
    kind, step = graph.error_types[place.error_type], graph.key_steps[place.key_step]
    times = {error.occurrence: error for error in item.dialogue.facts.errors}
    label = times.get(place)
    return {
        "id": name,
        "name": kind.name,
        "description": kind.description,
        "weight": kind.weight,
        "step": step.name,
        "phase": step.phase,
        "start_s": label.start_s if label else None,
        "end_s": label.end_s if label else None,
    }


def _earlier(decision: Decision) -> Page:
    return {
        "person": decision.person,
        "stage": decision.stage,
        "action": decision.action,
        "reason": decision.reason,
        "text": decision.text,
        "occurrences": decision.occurrences,
    }
