"""The matcher's patterns: what words name an error, or its ideal.

A pattern is a line of terms that must all occur in one clause, in any order. A term is words
divided by `|`; `_` joins the words of a phrase; `@name` is a group of the graph's lexicon.

    "@feet narrow|wide|close_together"      the feet are too narrow
    "~ @elbows forward @bar arc"            the same, spread over a whole sentence
    "@inhale ^concentric"                   the nearest word about a phase is about this one
    "elbow move !arc|curve"                 and none of these words is in the sentence

Patterns come from the graph file (`faults`, `ideals`) and from its own wording: a sentence that has
all content words of an error's `observed`, `ideal` or `correction` says the same.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from flex.graph import ErrorType, Graph, Phase
from flex.words import language, tokens_of

Kind = Literal["fault", "ideal", "advice"]
Phrase = tuple[str, ...]
Term = tuple[Phrase, ...]
# Lexicon groups of words that judge a topic.
VERDICTS = ("good", "wrong")
PHASES: dict[str, Phase] = {
    "preparation": "preparation",
    "concentric": "concentric",
    "eccentric": "eccentric",
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """Terms that together name an error type or its ideal.

    Attributes:
        wide: the terms may lie in different clauses of the sentence.
        own: made from the graph's own wording; its terms stand in this order.
        phase: the nearest word about a phase has to be about this one.
        without: phrases that must not be in the sentence.
    """

    error_type: str
    kind: Kind
    terms: tuple[Term, ...]
    wide: bool = False
    own: bool = False
    phase: Phase | None = None
    without: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class PatternIndex:
    """Patterns of one action, found by a word of their most telling term.

    Attributes:
        subjects: stems of body parts and equipment: what a clause can be about.
        phases: words about a phase, of the lexicon and of the action's own key steps.
        moments: the graph's own phrases for when; they say nothing of what happened.
        names: names of the action, in lower case.
        labels: names of error types ("knee travel"), in lower case: topics, unless a verdict goes
            with them.
        verdicts: words that judge a topic, right or wrong.
    """

    by_stem: dict[str, tuple[Pattern, ...]]
    subjects: frozenset[str]
    phases: tuple[tuple[Phrase, Phase], ...]
    moments: tuple[tuple[Phrase, Phase], ...]
    names: tuple[Phrase, ...]
    labels: tuple[Phrase, ...]
    verdicts: tuple[Phrase, ...]


@functools.lru_cache(maxsize=256)
def pattern_index(graph: Graph, action: str) -> PatternIndex:
    """Return the patterns of all error types that the action can show."""
    types = graph.error_types_of(action)
    patterns = [p for e in types for p in _patterns(graph, e)]
    common: dict[str, int] = {}
    for pattern in patterns:
        for word in {phrase[0] for term in pattern.terms for phrase in term}:
            common[word] = common.get(word, 0) + 1
    index: dict[str, list[Pattern]] = {}
    for pattern in patterns:
        rarest = min(pattern.terms, key=lambda term: sum(common[phrase[0]] for phrase in term))
        for word in {phrase[0] for phrase in rarest}:
            index.setdefault(word, []).append(pattern)
    groups = [*graph.body_parts, *(["equipment"] if "equipment" in graph.lexicon else [])]
    subjects = frozenset(p[0] for name in groups for p in _group(graph, name) if len(p) == 1)
    return PatternIndex(
        {word: tuple(found) for word, found in index.items()},
        subjects,
        _phases(graph, action),
        tuple(
            (_phrase(moment), step.phase)
            for step in map(graph.key_steps.__getitem__, graph.actions[action].key_steps)
            for moment in step.moments
        ),
        tuple(_words(n) for n in (graph.actions[action].name, *graph.actions[action].also)),
        tuple(_words(graph.error_types[e].name) for e in types),
        tuple(p for name in VERDICTS if name in graph.lexicon for p in _group(graph, name)),
    )


def _words(text: str) -> Phrase:
    return tuple(token.text.lower() for token in tokens_of(text))


def _phases(graph: Graph, action: str) -> tuple[tuple[Phrase, Phase], ...]:
    words: dict[Phrase, Phase] = {}
    for phase in graph.actions[action].phases:
        if phase in graph.lexicon:
            words.update(dict.fromkeys(_group(graph, phase), phase))
    for step in map(graph.key_steps.__getitem__, graph.actions[action].key_steps):
        if step.phase != "preparation":
            words[_phrase(step.name)[:1]] = step.phase
    return tuple(words.items())


@functools.lru_cache(maxsize=1024)
def group_phrases(graph: Graph, name: str) -> tuple[Phrase, ...]:
    """Return the phrases of a lexicon group, as stems."""
    return _group(graph, name)


def _group(graph: Graph, name: str) -> tuple[Phrase, ...]:
    phrases: dict[Phrase, None] = {}
    for entry in graph.lexicon[name]:
        if entry.startswith("@"):
            phrases.update(dict.fromkeys(_group(graph, entry[1:])))
        else:
            phrases[_phrase(entry)] = None
    return tuple(phrases)


def _phrase(text: str) -> Phrase:
    return tuple(token.stem for token in tokens_of(text.replace("_", " ")))


def _patterns(graph: Graph, error_type: str) -> Iterator[Pattern]:
    error = graph.error_types[error_type]
    for line in error.faults:
        yield parse_pattern(graph, error_type, "fault", line)
    for line in error.ideals:
        yield parse_pattern(graph, error_type, "ideal", line)
    yield from _own_wording(graph, error)


def parse_pattern(graph: Graph, error_type: str, kind: Kind, line: str) -> Pattern:
    """Read a pattern line.

    Raises:
        KeyError: it names a lexicon group that the graph does not have.
    """
    terms: list[Term] = []
    phase: Phase | None = None
    without: list[Phrase] = []
    words = line.split()
    for word in words:
        if word.startswith("^"):
            phase = PHASES[word[1:]]
        elif word.startswith("!"):
            without.extend(_term(graph, word[1:]))
        elif word != "~":
            terms.append(_term(graph, word))
    return Pattern(
        error_type,
        kind,
        tuple(terms),
        wide=words[0] == "~",
        phase=phase,
        without=tuple(without),
    )


def _term(graph: Graph, text: str) -> Term:
    phrases: dict[Phrase, None] = {}
    for option in text.split("|"):
        found = _group(graph, option[1:]) if option.startswith("@") else (_phrase(option),)
        phrases.update(dict.fromkeys(found))
    return tuple(phrases)


def _own_wording(graph: Graph, error: ErrorType) -> Iterator[Pattern]:
    said: Sequence[tuple[Kind, Sequence[str]]] = [
        ("fault", (error.description, *error.observed)),
        ("ideal", error.ideal),
        ("advice", (*error.correction, *error.correction_at.values())),
    ]
    for kind, texts in said:
        for text in texts:
            stems = [t.stem for t in tokens_of(text) if t.stem[0].isalnum()]
            telling = tuple(((word,),) for word in stems if word not in language()["light"])
            if telling:
                yield Pattern(error.id, kind, telling, wide=True, own=True)
