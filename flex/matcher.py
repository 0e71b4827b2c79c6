"""Finds the error types that a text names: one matcher for the fact check and for evaluation.

    find_errors(graph, "Your knees caved in, but there was no trunk sway.", "A16")   # ['ET056']

A text can claim three things of an error type: that it is present, that it is absent (praise, or
the error denied), or that the lifter should mind it (advice). Only the first names an error.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from flex.clauses import Clause, clauses_of
from flex.graph import Graph, Phase
from flex.nouns import named_as_noun
from flex.patterns import Kind, Pattern, PatternIndex, Phrase, Term, group_phrases, pattern_index
from flex.sentences import split_sentences
from flex.words import Token, language, tokens_of

ClaimKind = Literal["present", "absent", "advised"]

# Terms of one pattern lie within this many words of each other, unless it is a wide one.
_WINDOW = 14
# A phase word counts as farther away in another clause, and before the match rather than after it.
_CLAUSE_DISTANCE = 6
_BEFORE = 2


class Claim(NamedTuple):
    """What a text says of an error type, at characters `start` to `end`."""

    error_type: str
    kind: ClaimKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Match:
    pattern: Pattern
    positions: frozenset[int]

    @property
    def weight(self) -> int:
        """How specific the match is: its words, one more for a phase, or for the graph's words."""
        return len(self.positions) + (self.pattern.phase is not None) + self.pattern.own


def find_errors(graph: Graph, text: str, action: str) -> list[str]:
    """Return the error types of the action that the text says are present, in text order.

    Raises:
        InputError: the graph has no such action.
    """
    claims = find_claims(graph, text, graph.action(action).id)
    return list(dict.fromkeys(claim.error_type for claim in claims if claim.kind == "present"))


def find_claims(graph: Graph, text: str, action: str) -> list[Claim]:
    """Return everything that the text claims of the action's error types, in text order."""
    claims = []
    for start, end in split_sentences(text):
        for claim in _sentence_claims(graph, text[start:end], action):
            claims.append(claim._replace(start=claim.start + start, end=claim.end + start))
    return claims


@functools.lru_cache(maxsize=16384)
def body_parts_in(graph: Graph, text: str) -> frozenset[str]:
    """Return the body parts (lexicon groups) that the text mentions; a verb ("face") is none."""
    tokens = tokens_of(text)
    stems = [token.stem for token in tokens]
    where = _positions(stems)
    spans = {
        name: {
            span
            for phrase in group_phrases(graph, name)
            for span in _spans(stems, where, phrase)
            if len(span) > 1 or named_as_noun(tokens, span[0])
        }
        for name in graph.body_parts
    }
    longest = [span for found in spans.values() for span in found]
    return frozenset(
        name
        for name, found in spans.items()
        if any(not any(set(span) < set(other) for other in longest) for span in found)
    )


@functools.lru_cache(maxsize=32768)
def _sentence_claims(graph: Graph, sentence: str, action: str) -> tuple[Claim, ...]:
    tokens = tokens_of(sentence)
    index = pattern_index(graph, action)
    clauses = clauses_of(tokens)
    matches = _specific(_matches(tokens, clauses, index), tokens, index.subjects)
    claims = {}
    for match in sorted(matches, key=lambda m: (len(m.positions), m.pattern.kind != "fault")):
        kind = _kind(match, clauses, _telling(match, tokens, index.subjects))
        if kind:
            first, last = min(match.positions), max(match.positions)
            span = (tokens[first].start, tokens[last].end)
            claims[match.pattern.error_type, kind] = Claim(match.pattern.error_type, kind, *span)
    return tuple(sorted(_consistent(claims.values()), key=lambda claim: claim.start))


def _consistent(claims: Iterable[Claim]) -> Iterator[Claim]:
    """Leave out what a sentence says both ways: an error that it names is not also absent."""
    claims = list(claims)
    present = {claim.error_type for claim in claims if claim.kind == "present"}
    for claim in claims:
        if claim.kind != "absent" or claim.error_type not in present:
            yield claim


def _matches(
    tokens: Sequence[Token], clauses: Sequence[Clause], index: PatternIndex
) -> list[_Match]:
    stems = [token.stem for token in tokens]
    where = _positions(stems)
    moments = [
        (span, phase) for phrase, phase in index.moments for span in _spans(stems, where, phrase)
    ]
    own_where = _without(where, [span for span, _ in moments])
    where = _without(own_where, _topics(tokens, where, index))
    verbs = frozenset(
        p for p, s in enumerate(stems) if s in index.subjects and not named_as_noun(tokens, p)
    )
    clause_of = [n for n, clause in enumerate(clauses) for _ in range(clause.start, clause.stop)]
    about = [
        any(stems[i] in index.subjects for i in range(clause.start, clause.stop))
        for clause in clauses
    ]
    phases = [
        (span[0], phase) for phrase, phase in index.phases for span in _spans(stems, where, phrase)
    ] + [(span[0], phase) for span, phase in moments]
    found = []
    seen: set[int] = set()
    for word in own_where:
        for pattern in index.by_stem.get(word, ()):
            if id(pattern) in seen:
                continue
            seen.add(id(pattern))
            if any(_spans(stems, where, phrase) for phrase in pattern.without):
                continue
            placed = (
                _in_sequence(pattern, own_where)
                if pattern.own
                else _place(pattern, stems, where, index.subjects, verbs)
            )
            for positions in placed:
                if not pattern.wide and not _hangs_together(
                    positions, stems, clause_of, about, index.subjects
                ):
                    continue
                if pattern.phase in (None, _nearest_phase(positions, phases, clause_of)):
                    found.append(_Match(pattern, positions))
    return found


def _without(where: dict[str, list[int]], spans: Iterable[tuple[int, ...]]) -> dict[str, list[int]]:
    masked = {position for span in spans for position in span}
    left = {word: [p for p in found if p not in masked] for word, found in where.items()}
    return {word: found for word, found in left.items() if found}


def _topics(
    tokens: Sequence[Token], where: dict[str, list[int]], index: PatternIndex
) -> list[tuple[int, ...]]:
    """Return where the text names its action, or topics ("this is about knee travel").

    A topic that is judged ("your knee travel was fine") is a claim, and is not returned.
    """
    judged = any(_spans([t.stem for t in tokens], where, phrase) for phrase in index.verdicts)
    words = [token.text.lower() for token in tokens]
    places = _positions(words)
    labels = index.names if judged else (*index.names, *index.labels)
    return [span for label in labels for span in _spans(words, places, label)]


def _nearest_phase(
    positions: frozenset[int], phases: Sequence[tuple[int, Phase]], clause_of: Sequence[int]
) -> Phase | None:
    def distance(item: tuple[int, Phase]) -> int:
        where = item[0]
        first, last = min(positions), max(positions)
        gap = where - last if where > last else (first - where) * _BEFORE if where < first else 0
        clauses = min(abs(clause_of[where] - clause_of[p]) for p in positions)
        return gap + _CLAUSE_DISTANCE * clauses

    return min(phases, key=distance)[1] if phases else None


def _positions(stems: Sequence[str]) -> dict[str, list[int]]:
    where: dict[str, list[int]] = {}
    for position, word in enumerate(stems):
        where.setdefault(word, []).append(position)
    return where


def _spans(
    stems: Sequence[str], where: dict[str, list[int]], phrase: Phrase
) -> list[tuple[int, ...]]:
    size = len(phrase)
    return [
        tuple(range(start, start + size))
        for start in where.get(phrase[0], ())
        if size == 1 or tuple(stems[start : start + size]) == phrase
    ]


def _place(
    pattern: Pattern,
    stems: Sequence[str],
    where: dict[str, list[int]],
    subjects: frozenset[str],
    verbs: frozenset[int],
) -> Iterator[frozenset[int]]:
    """Yield the positions of a pattern: each place of its rarest term, with the others nearest.

    The first term is what the pattern is about, so it may not be a mere place ("to the shoulders").
    A term of body parts does not mean the verb ("face") at one of `verbs`.
    """
    options: list[list[tuple[int, ...]]] = []
    for number, term in enumerate(pattern.terms):
        spans = _term_spans(term, stems, where)
        if verbs and all(phrase[0] in subjects for phrase in term if len(phrase) == 1):
            spans = [span for span in spans if len(span) > 1 or span[0] not in verbs]
        if number == 0:
            spans = [span for span in spans if not _aside(span, stems, subjects)]
        if not spans:
            return
        options.append(spans)
    anchors, *others = sorted(options, key=len)
    for anchor in anchors:
        taken = set(anchor)
        for spans in others:
            free = [span for span in spans if not taken & set(span)]
            if not free:
                break
            taken.update(min((abs(s[0] - anchor[0]), -len(s), s) for s in free)[2])
        else:
            if pattern.wide or max(taken) - min(taken) <= _WINDOW:
                yield frozenset(taken)


def _in_sequence(pattern: Pattern, where: dict[str, list[int]]) -> Iterator[frozenset[int]]:
    """Yield the first place where the words of the graph's own sentence stand in their order."""
    placed: list[int] = []
    for term in pattern.terms:
        after = placed[-1] if placed else -1
        found = next((p for p in where.get(term[0][0], ()) if p > after), None)
        if found is None:
            return
        placed.append(found)
    yield frozenset(placed)


def _aside(span: tuple[int, ...], stems: Sequence[str], subjects: frozenset[str]) -> bool:
    if stems[span[-1]] not in subjects:
        return False
    before = span[0] - 1
    if before >= 0 and stems[before] in ("the", "your", "his", "her", "their", "both"):
        before -= 1
    return before >= 0 and stems[before] in language()["aside"]


def _term_spans(
    term: Term, stems: Sequence[str], where: dict[str, list[int]]
) -> list[tuple[int, ...]]:
    found = [span for phrase in term for span in _spans(stems, where, phrase)]
    return [s for s in found if not any(set(s) < set(other) for other in found)]


def _hangs_together(
    positions: frozenset[int],
    stems: Sequence[str],
    clause_of: Sequence[int],
    about: Sequence[bool],
    subjects: frozenset[str],
) -> bool:
    """One clause has it all; or a clause about nothing of its own goes on about an earlier one."""
    last = max(clause_of[p] for p in positions)
    earlier = [p for p in positions if clause_of[p] != last]
    if not earlier:
        return True
    first = min(clause_of[p] for p in earlier)
    carried = all(stems[p] in subjects for p in earlier)
    return carried and not any(about[first + 1 : last + 1])


def _specific(
    matches: list[_Match], tokens: Sequence[Token], subjects: frozenset[str]
) -> list[_Match]:
    """Leave out a match where a longer one makes more of the same words.

    Sharing only what they are about does not count: elbows may drift and flare in one sentence.
    """
    telling = [frozenset(p for p in m.positions if tokens[p].stem not in subjects) for m in matches]

    def beaten(one: int) -> bool:
        return any(
            matches[one].positions < other.positions
            or (matches[one].weight < other.weight and telling[one] & telling[two])
            for two, other in enumerate(matches)
        )

    return [match for one, match in enumerate(matches) if not beaten(one)]


def _telling(match: _Match, tokens: Sequence[Token], subjects: frozenset[str]) -> frozenset[int]:
    """Return the positions of what is said, without what it is said of, if there are any."""
    said = frozenset(p for p in match.positions if tokens[p].stem not in subjects)
    return said or match.positions


def _kind(match: _Match, clauses: Sequence[Clause], telling: frozenset[int]) -> ClaimKind | None:
    touched = [c for c in clauses if any(c.start <= p < c.stop for p in telling)]
    kind: Kind = match.pattern.kind
    if kind == "advice":
        return "advised"
    denies = (clause.denies(match.positions, ideal=kind == "ideal") for clause in touched)
    denied = sum(denies) % 2 == 1
    last = touched[-1]
    if kind == "fault" and any(clause.stopper for clause in touched) and not denied:
        return "present"
    if any(clause.mood == "none" for clause in touched):
        return None
    if last.mood == "advice":
        return "advised"
    return "present" if (kind == "fault") != denied else "absent"
