"""What an evaluation says of a repetition: errors, where and when they show, advice, a verdict.

A reader (`eval.readers`) tells errors, praise and advice apart; here its claims are placed at key
steps and at moments of the clip. `read_evaluation` is that of the matcher.
"""

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eval.answers import Answer
from eval.verdict import Verdict, is_said_of_lift, overall
from flex.graph import Graph, Occurrence, Phase
from flex.matcher import Claim, find_claims
from flex.patterns import pattern_index
from flex.sentences import split_sentences
from flex.words import tokens_of

_TIME = r"(\d+(?:\.\d+)?)\s*(?:s|secs?|seconds?)?"
_SPAN = re.compile(
    rf"(?:from|between|at|during)?\s*(?:frame\s+)?(?:time\s+)?{_TIME}\s*(?:to|and|-|–|until)\s*"
    r"(\d+(?:\.\d+)?)\s*(?:s|secs?|seconds?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reading:
    """What one answer to the evaluate stage says.

    Attributes:
        found: the error types that it names, in its order.
        occurrences: where it places them; at every key step of the action that can show the type
            if it does not say.
        advised: error types that it gives advice on.
        times: error type → (start, end) in seconds, where the answer says when.
        verdict: "faulty" if it names an error or says that there is one, "correct" if it says
            that there is none or praises only, "refused" if it is empty or declines; see
            `eval.verdict`.
    """

    found: tuple[str, ...]
    occurrences: tuple[Occurrence, ...]
    advised: frozenset[str]
    times: dict[str, tuple[float, float]]
    verdict: Verdict


def read_evaluation(graph: Graph, answer: Answer) -> Reading:
    """Return what an answer says of the action that the clip really shows, by the matcher."""
    if answer.found is not None:
        return reading_of_ids(graph, answer, answer.found)
    action = graph.action(answer.action).id
    return reading_of_claims(graph, answer, find_claims(graph, answer.answer, action))


def reading_of_ids(graph: Graph, answer: Answer, found: Iterable[str]) -> Reading:
    """Return the reading of an answer that states occurrences by their ids."""
    placed = graph.in_order(graph.action(answer.action).id, map(Occurrence.parse, found))
    types = tuple(dict.fromkeys(o.error_type for o in placed))
    return Reading(types, placed, frozenset(), {}, "faulty" if types else "correct")


def reading_of_claims(
    graph: Graph, answer: Answer, claims: Sequence[Claim], verdict: Verdict | None = None
) -> Reading:
    """Return the reading of an answer in prose.

    Args:
        graph: key steps and phases.
        answer: whose text the claims are about.
        claims: what it claims of error types, with the places in its text.
        verdict: what it says of the lift where it names no error; default: read from its words.
    """
    action = graph.action(answer.action).id
    places = _Places(answer.answer)
    present = [claim for claim in claims if claim.kind == "present"]
    occurrences = [o for claim in present for o in _placed(graph, places, action, claim)]
    times = {claim.error_type: span for claim in present if (span := places.time_after(claim))}
    for span, occurrence in _listed(answer):
        occurrences.append(occurrence)
        times[occurrence.error_type] = span
    found = tuple(dict.fromkeys(o.error_type for o in occurrences))
    if not found and verdict is None:
        praise = (claim for claim in claims if claim.kind == "absent")
        verdict = overall(answer.answer, praises=any(map(places.tells_of_lift, praise)))
    return Reading(
        found=found,
        occurrences=graph.in_order(action, occurrences),
        advised=frozenset(claim.error_type for claim in claims if claim.kind == "advised"),
        times=times,
        verdict="faulty" if found or verdict is None else verdict,
    )


class _Places:
    """The sentences of a text, split once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._spans = split_sentences(text)
        self._starts = [start for start, _ in self._spans]

    def sentence(self, claim: Claim) -> tuple[int, int]:
        """Return where the sentence of a claim starts and ends."""
        number = bisect.bisect_right(self._starts, claim.start) - 1
        if number >= 0 and claim.start < self._spans[number][1]:
            return self._spans[number]
        return 0, len(self.text)

    def tells_of_lift(self, claim: Claim) -> bool:
        """Say whether the sentence of a claim tells what happened."""
        start, end = self.sentence(claim)
        return is_said_of_lift(self.text[start:end])

    def time_after(self, claim: Claim) -> tuple[float, float] | None:
        """Return the first time span of the sentence after the claim began."""
        match = _SPAN.search(self.text, claim.start, self.sentence(claim)[1])
        return _ordered(match) if match else None


def _placed(graph: Graph, places: _Places, action: str, claim: Claim) -> Iterable[Occurrence]:
    """Return the occurrences of a claim: at the key step or phase its sentence names, or all."""
    options = [o for o in graph.occurrences(action) if o.error_type == claim.error_type]
    if len(options) < 2:
        return options
    start, end = places.sentence(claim)
    sentence, at = places.text[start:end].lower(), claim.start - start
    named = {
        option: min(abs(place - at) for place in found)
        for option in options
        if (found := _moments(graph, option.key_step, sentence))
    }
    if named:
        nearest = min(named.values())
        return [option for option, distance in named.items() if distance == nearest]
    phase = _phase(graph, action, sentence, at)
    return [o for o in options if graph.key_steps[o.key_step].phase == phase] or options


def _moments(graph: Graph, key_step: str, sentence: str) -> list[int]:
    return [
        place
        for moment in graph.key_steps[key_step].moments
        if (place := sentence.find(moment.lower())) >= 0
    ]


def _phase(graph: Graph, action: str, sentence: str, at: int) -> Phase | None:
    """Return the phase whose word stands nearest in the sentence."""
    tokens = tokens_of(sentence)
    stems = [token.stem for token in tokens]
    found = [
        (abs(tokens[n].start - at), phase)
        for phrase, phase in pattern_index(graph, action).phases
        for n in range(len(stems) - len(phrase) + 1)
        if tuple(stems[n : n + len(phrase)]) == phrase
    ]
    return min(found)[1] if found else None


def _listed(answer: Answer) -> Iterable[tuple[tuple[float, float], Occurrence]]:
    """Yield what a list of moments names by the clip's own labels: "knees from 0.7 s to 2.1 s"."""
    for name, text in answer.names.items():
        match = re.search(rf"\b{re.escape(name)}\s+{_SPAN.pattern}", answer.answer, re.IGNORECASE)
        if match:
            yield _ordered(match), Occurrence.parse(text)


def _ordered(match: re.Match[str]) -> tuple[float, float]:
    start, end = float(match[1]), float(match[2])
    return min(start, end), max(start, end)
