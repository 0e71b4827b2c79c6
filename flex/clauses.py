"""Reads a sentence as clauses: does each report, advise or suppose, and what does it deny?

"Your grip was fine, but your knees did not stay out" has two clauses that report; the second one
denies what follows "not". "Keep your knees out" advises. "If you rush, you may hurt yourself"
supposes, and so does a question; such clauses claim nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from flex.words import Token, is_base_form, language

Mood = Literal["report", "advice", "none"]

# What is lost stands within this many words of "lost".
_BESIDE = 4
# After "and" these begin a new clause, as a past tense does.
_FINITE = frozenset(
    {"keep", "was", "were", "is", "are", "end", "did", "does", "has", "have", "had"}
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of a sentence, by token positions in it.

    Attributes:
        start, stop: its tokens.
        mood: whether it reports, advises, or does neither.
        negators: positions of words that deny what follows them.
        losers: positions of words by which something right is gone ("lost its natural curve").
        denied_before: positions whose word denies what stands before it ("sway was not seen").
        stopper: it tells to stop or fix something, which therefore happens.
    """

    start: int
    stop: int
    mood: Mood
    negators: tuple[int, ...]
    losers: tuple[int, ...]
    denied_before: tuple[int, ...]
    stopper: bool

    def denies(self, matched: frozenset[int], *, ideal: bool = False) -> bool:
        """Say whether the clause denies the matched tokens; two negations cancel out.

        Args:
            matched: positions of tokens.
            ideal: they say what is right, which can also be lost.
        """
        inside = [position for position in matched if self.start <= position < self.stop]
        if not inside:
            return False
        before = sum(n not in matched and n < max(inside) for n in self.negators)
        after = sum(p not in matched and p > min(inside) for p in self.denied_before)
        lost = ideal and any(
            n not in matched and min(abs(n - p) for p in inside) <= _BESIDE for n in self.losers
        )
        return (before + after + lost) % 2 == 1


def clauses_of(tokens: Sequence[Token]) -> list[Clause]:
    """Return the clauses of one sentence."""
    stems = [token.stem for token in tokens]
    if not stems:
        return []
    general = any(s in language()["general"] for s in stems[:4]) or stems[-1] == "?"
    clauses: list[Clause] = []
    mood: Mood = "report"
    for start, stop in _spans(stems):
        mood = "none" if general else _mood(tokens[start:stop], mood, first=not clauses)
        clauses.append(
            Clause(
                start=start,
                stop=stop,
                mood=mood,
                negators=tuple(_negators(stems, start, stop)),
                losers=tuple(p for p in range(start, stop) if stems[p] in language()["losers"]),
                denied_before=tuple(_denied_before(stems, start, stop)),
                stopper=_stops(tokens, start, stop),
            )
        )
    return clauses


def _spans(stems: Sequence[str]) -> Iterator[tuple[int, int]]:
    start = 0
    for position in range(1, len(stems)):
        if _begins_clause(stems, position):
            if position > start:
                yield start, position
            start = position
    yield start, len(stems)


def _begins_clause(stems: Sequence[str], position: int) -> bool:
    word = stems[position]
    following = stems[position + 1] if position + 1 < len(stems) else ""
    if not _is_word(word):
        return word not in ("/", "°", '"')
    if word in ("as", "when", "while", "until", "so", "then"):
        return following in language()["and_subjects"]
    if word == "and":
        past = following.endswith("ed") or following in _FINITE
        return following in language()["and_subjects"] or past
    return word in language()["connectives"]


def _mood(tokens: Sequence[Token], previous: Mood, *, first: bool) -> Mood:
    words = [token for token in tokens if _is_word(token.stem)]
    if not words:
        return previous
    stems = [token.stem for token in words]
    if _supposes(stems):
        return "none"
    if _advises(words, may_begin=first or not _is_word(tokens[0].stem) or previous == "advice"):
        return "advice"
    if previous == "none" and not language()["contrast"] & set(stems[:2]):
        return "none"
    if previous == "advice" and stems[0] not in language()["contrast"] | language()["pronouns"]:
        return "advice"
    return "report"


def _is_word(stem: str) -> bool:
    return stem[0].isalnum()


def _supposes(words: Sequence[str]) -> bool:
    for position, word in enumerate(words):
        if word not in language()["hypothetical"]:
            continue
        following = words[position + 1] if position + 1 < len(words) else ""
        before = words[position - 1] if position else ""
        if word == "if" and before in ("as", "even"):
            continue
        if following in ("n't", "not") or following in language()["reported"]:
            continue
        return True
    return words[0] == "should"


def _advises(words: Sequence[Token], *, may_begin: bool) -> bool:
    groups = language()
    stems = [word.stem for word in words]
    if any(stem in groups["modals"] and not _compares(stems, at) for at, stem in enumerate(stems)):
        return True
    text = f" {' '.join(stems)} "
    if any(f" {phrase} " in text for phrase in groups["modal_phrases"]):
        return True
    start = _after_lead_ins(text.strip())
    return (may_begin or start > 0) and start < len(words) and _instructs(words, start)


def _compares(stems: Sequence[str], position: int) -> bool:
    """Tell "lower than it should be" and "when you should have" from advice."""
    following = stems[position + 1] if position + 1 < len(stems) else ""
    before = set(stems[max(0, position - 4) : position])
    return following == "have" or bool(before & language()["comparing"])


def _after_lead_ins(text: str) -> int:
    """Return how many words "Next time," and the like take up at the start."""
    length = 0
    while True:
        rest = text[length:].lstrip()
        found = [p for p in language()["lead_ins"] if f"{rest} ".startswith(f"{p} ")]
        if not found:
            return len(text[:length].split())
        length = len(text) - len(rest) + len(max(found, key=len))


def _instructs(words: Sequence[Token], position: int) -> bool:
    groups = language()
    word = words[position]
    following = words[position + 1].stem if position + 1 < len(words) else ""
    if word.stem == "do" and following in ("n't", "not"):
        return True
    if word.stem == "never":
        return following in groups["imperatives"] and is_base_form(words[position + 1].text)
    if word.stem not in groups["imperatives"] or not is_base_form(word.text):
        return False
    return word.stem not in groups["ambiguous_imperatives"] or (
        following in groups["after_imperative"]
    )


def _negators(stems: Sequence[str], start: int, stop: int) -> Iterator[int]:
    groups = language()
    denied = False
    for position in range(start, stop):
        word = stems[position]
        following = stems[position + 1] if position + 1 < len(stems) else ""
        if word not in groups["negators"] or following in groups["emphatic"]:
            continue
        if word == "nor" and denied:
            continue
        if word in ("instead", "rather") and following not in ("of", "than"):
            continue
        denied = True
        yield position


def _denied_before(stems: Sequence[str], start: int, stop: int) -> Iterator[int]:
    groups = language()
    for position in range(start, stop):
        word = stems[position]
        if word in groups["postnegators"]:
            yield position
        if word in ("not", "n't", "never", "no"):
            following = stems[position + 1 : min(position + 4, stop)]
            if following and following[-1] in groups["unseen"] and position > start + 1:
                yield position


def _stops(tokens: Sequence[Token], start: int, stop: int) -> bool:
    for position in range(start, stop):
        if tokens[position].stem in language()["stoppers"]:
            following = tokens[position + 1].text if position + 1 < len(tokens) else ""
            return tokens[position].stem not in ("stop", "quit") or following.endswith("ing")
    return False
