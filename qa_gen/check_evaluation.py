"""The fact check of an evaluation (turn 3), sentence by sentence.

A sentence may carry the occurrences that it is about (a writer's ids); then its words are held
against them. Without ids, as in edited text, the error types that the words name are matched with
the labels in phase order.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from flex.graph import Graph, Occurrence
from flex.matcher import Claim, body_parts_in, find_claims
from flex.words import content_stems
from qa_gen.check_words import action_wording, occurrence_wording, phrases
from qa_gen.dialogue import Finding, Sentence
from qa_gen.facts import ErrorFact, Facts
from qa_gen.numbers import numbers_in

# A paraphrase of a correction keeps at least this share of its content words.
CORRECTION_OVERLAP = 0.5


class _Read(NamedTuple):
    """A sentence as the check reads it: its claims, and the labelled errors that it is about."""

    sentence: Sentence
    claims: list[Claim]
    named: tuple[Occurrence, ...]


def check_evaluation(graph: Graph, facts: Facts, sentences: Sequence[Sentence]) -> list[Finding]:
    """Return what is wrong with an evaluation; nothing, if it passes."""
    reading = _read(graph, facts, sentences)
    return [
        *_ids(graph, facts, reading),
        *_errors(graph, facts, reading),
        *_order(facts, reading),
        *_praise(graph, facts, reading),
        *_corrections(graph, facts, reading),
        *_times(facts, reading),
        *_numbers(graph, facts, reading),
        *_body_parts(graph, facts, reading),
    ]


def _finding(code: str, message: str) -> Finding:
    return Finding(stage="evaluate", code=code, message=message)


def _read(graph: Graph, facts: Facts, sentences: Sequence[Sentence]) -> list[_Read]:
    """Match what each sentence names with the labels; each label is taken once, in phase order."""
    open_labels = list(facts.occurrences)
    reading = []
    for sentence in sentences:
        claims = find_claims(graph, sentence.text, facts.action)
        declared = set(sentence.errors)
        named = []
        for error_type in _types(claims, "present"):
            fits = [o for o in open_labels if o.error_type == error_type]
            chosen = [o for o in fits if str(o) in declared] if declared else fits[:1]
            for occurrence in chosen:
                open_labels.remove(occurrence)
                named.append(occurrence)
        named.sort(key=facts.occurrences.index)
        reading.append(_Read(sentence, claims, tuple(named)))
    return reading


def _types(claims: Sequence[Claim], kind: str) -> list[str]:
    return list(dict.fromkeys(claim.error_type for claim in claims if claim.kind == kind))


def _ids(graph: Graph, facts: Facts, reading: Sequence[_Read]) -> Iterator[Finding]:
    """Hold a writer's ids against the labels and against the words."""
    labelled = {str(o) for o in facts.occurrences}
    for sentence, claims, _ in reading:
        for text in sentence.errors:
            if text not in labelled:
                yield _finding("extra_error", f"{text} is not labelled: {sentence.text!r}")
            elif sentence.role == "error":
                error_type = Occurrence.parse(text).error_type
                if error_type not in _types(claims, "present"):
                    name = graph.error_types[error_type].description
                    message = f"the words do not name {text} ({name}): {sentence.text!r}"
                    yield _finding("id_without_words", message)
        if sentence.errors and sentence.role in ("praise", "summary"):
            message = f"a {sentence.role} sentence carries error ids: {sentence.text!r}"
            yield _finding("ids_on_praise", message)


def _errors(graph: Graph, facts: Facts, reading: Sequence[_Read]) -> Iterator[Finding]:
    """Exactly the labelled errors are named: none missing, none extra, none denied."""
    types = {o.error_type for o in facts.occurrences}
    named = {o for read in reading for o in read.named}
    for occurrence in facts.occurrences:
        if occurrence not in named:
            yield _finding("missing_error", f"{_say(graph, occurrence)} is not named")
    for sentence, claims, _ in reading:
        for error_type in _types(claims, "present"):
            if error_type not in types:
                message = f"{_describe(graph, error_type)} is not labelled: {sentence.text!r}"
                yield _finding("extra_error", message)
        for error_type in _types(claims, "absent"):
            if error_type in types:
                message = f"{_describe(graph, error_type)} is labelled, denied in {sentence.text!r}"
                yield _finding("negated_error", message)


def _order(facts: Facts, reading: Sequence[_Read]) -> Iterator[Finding]:
    named = [o for read in reading for o in read.named]
    in_order = sorted(named, key=facts.occurrences.index)
    if named != in_order:
        wanted = ", ".join(map(str, in_order))
        message = f"the errors are named as {', '.join(map(str, named))}, the order is {wanted}"
        yield _finding("out_of_order", message)


def _praise(graph: Graph, facts: Facts, reading: Sequence[_Read]) -> Iterator[Finding]:
    """Nothing is praised that was not looked at; nothing is faultless once an error is labelled."""
    partial = facts.labelled is not None
    scope = {o.error_type for o in facts.labelled or graph.occurrences(facts.action)}
    for sentence, claims, _ in reading:
        for error_type in _types(claims, "absent"):
            if error_type not in scope:
                message = f"{_describe(graph, error_type)} was not labelled: {sentence.text!r}"
                yield _finding("unlabelled_praise", message)
        for phrase in phrases("sweeping", sentence.text):
            if partial:
                message = f"{phrase!r} covers what was not labelled: {sentence.text!r}"
                yield _finding("unlabelled_praise", message)
        for phrase in phrases("faultless", sentence.text):
            if facts.errors:
                message = f"{phrase!r}, although errors are labelled: {sentence.text!r}"
                yield _finding("negated_error", message)


def _corrections(graph: Graph, facts: Facts, reading: Sequence[_Read]) -> Iterator[Finding]:
    """Each error is followed by its correction, in its own sentence or in a later one."""
    for index, read in enumerate(reading):
        for occurrence in read.named:
            later = reading[index:]
            if not any(_corrects(graph, occurrence, candidate) for candidate in later):
                advice = graph.corrections(occurrence)[0]
                message = f"{_say(graph, occurrence)} has no correction after it, such as: {advice}"
                yield _finding("missing_correction", message)


def _corrects(graph: Graph, occurrence: Occurrence, read: _Read) -> bool:
    declared = read.sentence.errors
    if declared and str(occurrence) not in declared:
        return False
    if occurrence.error_type in _types(read.claims, "advised"):
        return True
    if occurrence in read.named:
        return False
    said = content_stems(read.sentence.text)
    options = (*graph.corrections(occurrence), *graph.error_types[occurrence.error_type].correction)
    stems = [content_stems(option) for option in options]
    return any(len(said & wanted) >= CORRECTION_OVERLAP * len(wanted) for wanted in stems)


def _times(facts: Facts, reading: Sequence[_Read]) -> Iterator[Finding]:
    """A timed error is named with its times."""
    timed = {error.occurrence: error for error in facts.errors if error.start_s is not None}
    for read in reading:
        said = set(numbers_in(read.sentence.text))
        for occurrence in read.named:
            error = timed.get(occurrence)
            if error and not {error.start_s, error.end_s} <= said:
                message = f"{occurrence} is from {error.start_s:g} s to {error.end_s:g} s"
                yield _finding("missing_time", f"{message}, not so in {read.sentence.text!r}")


def _numbers(graph: Graph, facts: Facts, reading: Sequence[_Read]) -> Iterator[Finding]:
    """Every number is an angle of the standard, or a time of an error that the sentence names."""
    allowed = _angles(graph, facts.action)
    times = {error.occurrence: _interval(error) for error in facts.errors}
    for read in reading:
        declared = [Occurrence.parse(text) for text in read.sentence.errors]
        own = {n for o in (*read.named, *declared) for n in times.get(o, ())}
        for number in numbers_in(read.sentence.text):
            if number not in allowed | own:
                message = f"the facts hold no number {number:g} for {read.sentence.text!r}"
                yield _finding("wrong_number", message)


@functools.lru_cache(maxsize=256)
def _angles(graph: Graph, action: str) -> frozenset[float]:
    return frozenset(n for text in action_wording(graph, action) for n in numbers_in(text))


def _interval(error: ErrorFact) -> set[float]:
    return {n for n in (error.start_s, error.end_s) if n is not None}


def _body_parts(graph: Graph, facts: Facts, reading: Sequence[_Read]) -> Iterator[Finding]:
    """A sentence about errors speaks of their body parts only; others, of the action's."""
    for read in reading:
        about = [o for o in facts.occurrences if o in read.named or str(o) in read.sentence.errors]
        allowed = _parts(graph, facts.action, tuple(about))
        extra = body_parts_in(graph, read.sentence.text) - allowed
        if extra:
            message = f"the facts hold no {', '.join(sorted(extra))} for {read.sentence.text!r}"
            yield _finding("wrong_body_part", message)


@functools.lru_cache(maxsize=4096)
def _parts(graph: Graph, action: str, about: tuple[Occurrence, ...]) -> frozenset[str]:
    texts: Iterable[str] = (
        [text for occurrence in about for text in occurrence_wording(graph, occurrence)]
        if about
        else action_wording(graph, action)
    )
    return frozenset(part for text in texts for part in body_parts_in(graph, text))


def _describe(graph: Graph, error_type: str) -> str:
    return f"{error_type} ({graph.error_types[error_type].description})"


def _say(graph: Graph, occurrence: Occurrence) -> str:
    return f"{occurrence} ({graph.error_types[occurrence.error_type].description})"
