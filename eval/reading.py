"""What an evaluation says of a repetition: errors, where and when they show, advice, a verdict.

The error types come from `flex.matcher`. It tells an error, praise and advice apart; here its
claims are placed at key steps and at moments of the clip.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from eval.answers import Answer
from flex.graph import Graph, Occurrence, Phase
from flex.matcher import Claim, find_claims
from flex.patterns import pattern_index
from flex.sentences import split_sentences
from flex.words import tokens_of

Verdict = Literal["faulty", "correct", "refused", "unclear"]
VERDICT_FILE = Path(__file__).with_name("verdict.yaml")
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
            that there is none or praises only, "refused" if it is empty or declines.
    """

    found: tuple[str, ...]
    occurrences: tuple[Occurrence, ...]
    advised: frozenset[str]
    times: dict[str, tuple[float, float]]
    verdict: Verdict


def read_evaluation(graph: Graph, answer: Answer) -> Reading:
    """Return what an answer says of the action that the clip really shows."""
    action = graph.action(answer.action).id
    if answer.found is not None:
        placed = graph.in_order(action, map(Occurrence.parse, answer.found))
        found = tuple(dict.fromkeys(o.error_type for o in placed))
        return Reading(found, placed, frozenset(), {}, "faulty" if found else "correct")
    text = answer.answer
    claims = find_claims(graph, text, action)
    present = [claim for claim in claims if claim.kind == "present"]
    occurrences = [o for claim in present for o in _placed(graph, text, action, claim)]
    times = {claim.error_type: span for claim in present if (span := _span_near(text, claim))}
    for name, occurrence in _listed(answer):
        occurrences.append(occurrence)
        times[occurrence.error_type] = name
    found = tuple(dict.fromkeys(o.error_type for o in occurrences))
    return Reading(
        found=found,
        occurrences=graph.in_order(action, occurrences),
        advised=frozenset(claim.error_type for claim in claims if claim.kind == "advised"),
        times=times,
        verdict="faulty" if found else _verdict(text, claims),
    )


def _placed(graph: Graph, text: str, action: str, claim: Claim) -> Iterable[Occurrence]:
    """Return the occurrences of a claim: at the key step or phase its sentence names, or all."""
    options = [o for o in graph.occurrences(action) if o.error_type == claim.error_type]
    if len(options) < 2:
        return options
    start, end = _sentence(text, claim)
    sentence, at = text[start:end].lower(), claim.start - start
    named = {
        option: min(abs(place - at) for place in places)
        for option in options
        if (places := _moments(graph, option.key_step, sentence))
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


def _sentence(text: str, claim: Claim) -> tuple[int, int]:
    return next(
        (span for span in split_sentences(text) if span[0] <= claim.start < span[1]),
        (0, len(text)),
    )


def _span_near(text: str, claim: Claim) -> tuple[float, float] | None:
    """Return the first time span of the sentence after the claim began."""
    _, end = _sentence(text, claim)
    match = _SPAN.search(text, claim.start, end)
    return _ordered(match) if match else None


def _listed(answer: Answer) -> Iterable[tuple[tuple[float, float], Occurrence]]:
    """Yield what a list of moments names by the clip's own labels: "knees from 0.7 s to 2.1 s"."""
    for name, text in answer.names.items():
        match = re.search(rf"\b{re.escape(name)}\s+{_SPAN.pattern}", answer.answer, re.IGNORECASE)
        if match:
            yield _ordered(match), Occurrence.parse(text)


def _ordered(match: re.Match[str]) -> tuple[float, float]:
    start, end = float(match[1]), float(match[2])
    return min(start, end), max(start, end)


def _verdict(text: str, claims: Iterable[Claim]) -> Verdict:
    words = _words()
    if not text.strip():
        return "refused"
    denied = False
    for start, end in split_sentences(text):
        sentence = text[start:end]
        for match in words["fault"].finditer(sentence):
            if not words["denial"].search(sentence[: match.start()]):
                return "faulty"
            denied = True
    if denied:
        return "correct"
    if words["refusal"].search(text):
        return "refused"
    if words["praise"].search(text) or any(claim.kind == "absent" for claim in claims):
        return "correct"
    return "unclear"


def says_refusal(text: str) -> bool:
    """Say whether an answer is empty or declines to judge."""
    return not text.strip() or _words()["refusal"].search(text) is not None


@functools.cache
def _words() -> dict[str, re.Pattern[str]]:
    words: dict[str, str] = yaml.safe_load(VERDICT_FILE.read_text(encoding="utf-8"))
    return {name: re.compile(pattern, re.IGNORECASE) for name, pattern in words.items()}
