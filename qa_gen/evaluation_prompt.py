"""What a language model is told: shared rules, then the action's standard, then the clip's facts.

In this order, so that the start of every prompt is the same byte for byte and a provider's prefix
cache pays for most of it. The facts hold no free text of an annotator, so none can reach a model.
"""

from collections.abc import Sequence
from itertools import groupby

from flex.graph import Graph, Occurrence
from flex.templates import environment
from qa_gen.facts import ErrorFact, Facts
from qa_gen.template_writer import Phrases
from qa_gen.wording import prompts_hash

PROMPTS = ("llm/rules.j2", "llm/action.j2", "llm/facts.j2", "llm/reask.j2")
PRAISES = 3
Message = dict[str, str]


def wording_hash() -> str:
    """Return the hash of the prompts, for the provenance of what they made."""
    return prompts_hash(PROMPTS)


def messages(graph: Graph, facts: Facts, family: str, *, seed: int) -> list[Message]:
    """Return the first ask for a clip.

    The family chooses among the graph's variants of wording, as it does for the template writer.
    """
    phrases = Phrases(seed, facts, family, "evaluate")
    told = _action(graph, facts.action) + _facts(graph, facts, phrases)
    return [{"role": "system", "content": _rules()}, {"role": "user", "content": told}]


def reask(first: Sequence[Message], answer: str, problems: Sequence[str]) -> list[Message]:
    """Return the first ask, what came back, and what was wrong with it."""
    complaint = environment().get_template("llm/reask.j2").render(problems=problems)
    said = [{"role": "assistant", "content": answer}] if answer.strip() else []
    return [*first, *said, {"role": "user", "content": complaint}]


def praiseworthy(graph: Graph, facts: Facts) -> list[Occurrence]:
    """Return what may be praised, one key step per error type, in phase order.

    That is what was looked at, was not labelled an error anywhere, and can be seen.
    """
    wrong = {occurrence.error_type for occurrence in facts.occurrences}
    first: dict[str, Occurrence] = {}
    for occurrence in facts.labelled or graph.occurrences(facts.action):
        seen = "video" in graph.error_types[occurrence.error_type].known_from
        if seen and occurrence.error_type not in wrong:
            first.setdefault(occurrence.error_type, occurrence)
    return list(first.values())


def _rules() -> str:
    return environment().get_template("llm/rules.j2").render()


def _action(graph: Graph, action_id: str) -> str:
    action = graph.actions[action_id]
    steps = [graph.key_steps[step] for step in action.key_steps]
    phases = [(phase, list(group)) for phase, group in groupby(steps, key=lambda s: s.phase)]
    return environment().get_template("llm/action.j2").render(action=action, phases=phases)


def _facts(graph: Graph, facts: Facts, phrases: Phrases) -> str:
    names = [graph.error_types[o.error_type].name.lower() for o in facts.labelled or ()]
    praise = [
        {
            "moment": phrases.variant(graph.key_steps[o.key_step].moments),
            "ideal": phrases.variant(graph.error_types[o.error_type].ideal),
        }
        for o in phrases.sample(praiseworthy(graph, facts), PRAISES)
    ]
    return (
        environment()
        .get_template("llm/facts.j2")
        .render(
            scope=", ".join(dict.fromkeys(names)),
            praise=praise,
            errors=[_error(graph, error, phrases) for error in facts.errors],
        )
    )


def _error(graph: Graph, error: ErrorFact, phrases: Phrases) -> dict[str, object]:
    observed = phrases.variant(graph.error_types[error.error_type].observed)
    return {
        "id": str(error.occurrence),
        "moment": phrases.variant(graph.key_steps[error.key_step].moments),
        "observed": observed,
        "two_sided": " or " in observed,
        "start": None if error.start_s is None else f"{error.start_s:g}",
        "end": None if error.end_s is None else f"{error.end_s:g}",
        "correction": phrases.variant(graph.corrections(error.occurrence)),
    }
