"""Is a graph's own wording understood by the matcher?

What a graph says of an error is what writers copy and models learn. So each `observed` has to be
found as its error and as no other, each `ideal` as its absence, each correction as advice about it,
and no standard may sound like an error. `python -m flex graph check` reports what is not so.
"""

from collections.abc import Iterator

from flex.graph import Graph, Occurrence
from flex.matcher import Claim, find_claims
from flex.problems import Problem


def wording_problems(graph: Graph) -> list[Problem]:
    """Return every sentence of the graph that the matcher reads as something else."""
    found: dict[Problem, None] = {}
    for action in graph.actions:
        for occurrence in graph.occurrences(action):
            found.update(dict.fromkeys(_of_error(graph, action, occurrence)))
        for step in graph.actions[action].key_steps:
            found.update(dict.fromkeys(_of_standard(graph, action, step)))
    return list(found)


def _of_error(graph: Graph, action: str, occurrence: Occurrence) -> Iterator[Problem]:
    error = graph.error_types[occurrence.error_type]
    place = f"{error.id} at {occurrence.key_step} in {action}"
    for moment in graph.key_steps[occurrence.key_step].moments:
        for clause in error.observed:
            for text in (f"{_begin(moment)}, {clause}.", f"{_begin(clause)} {moment}."):
                claims = find_claims(graph, text, action)
                if {(c.error_type, c.kind) for c in claims} != {(error.id, "present")}:
                    yield Problem(place, f"'observed' is read as {_say_all(claims)}: {text!r}")
        for clause in error.ideal:
            for text in (f"{_begin(moment)}, {clause}.", f"{_begin(clause)} {moment}."):
                claims = find_claims(graph, text, action)
                if {(c.error_type, c.kind) for c in claims} != {(error.id, "absent")}:
                    yield Problem(place, f"'ideal' is read as {_say_all(claims)}: {text!r}")
    for text in (*error.correction, *graph.corrections(occurrence)):
        claims = find_claims(graph, text, action)
        if _types(claims, "present") or error.id not in _types(claims, "advised"):
            yield Problem(place, f"'correction' is read as {_say_all(claims)}: {text!r}")


def _of_standard(graph: Graph, action: str, step: str) -> Iterator[Problem]:
    text = graph.key_steps[step].standard
    present = _types(find_claims(graph, text, action), "present")
    if present:
        yield Problem(f"{step} in {action}", f"'standard' is read as {_say(present)}: {text!r}")


def _types(claims: list[Claim], kind: str) -> set[str]:
    return {claim.error_type for claim in claims if claim.kind == kind}


def _say(types: set[str]) -> str:
    return ", ".join(sorted(types)) or "nothing"


def _say_all(claims: list[Claim]) -> str:
    return ", ".join(f"{claim.error_type} {claim.kind}" for claim in claims) or "nothing"


def _begin(text: str) -> str:
    return text[:1].upper() + text[1:]
