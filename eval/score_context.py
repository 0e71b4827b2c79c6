"""What stands beside a number: is it a score, part of a range, on another scale, or no score?

Answers are read clause by clause. Only a window beside each number is looked at, so that the cost
grows with the text and no faster. The words are in `score_words.yaml`.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import yaml

from eval.score_numbers import Written, written_numbers

WORDS_FILE = Path(__file__).with_name("score_words.yaml")
# Forms in which a number is a score, the clearest first.
OF_100, NAMED, POINTS, GIVEN, ALONE = range(5)
Bad = Literal["range", "other scale"]
_BEFORE, _AFTER = 90, 60
_LONGEST_ALONE = 200  # characters of a clause that may be a number and nothing else
_HIGHEST_BULLET = 20
_SEGMENT = re.compile(
    r"(?<=[.!?;])\s+|\n+|,(?!\d)|[;?]|\s+(?=(?:but|while|whereas|yet|however|so)\b)", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[;\n]")
_TOTAL = r"(?:the\s+|a\s+)?(?:possible\s+|total\s+(?:of\s+)?)?"
_OF = re.compile(
    r"\s*(?:points?|pts?|marks?|percent|%)?\s*\(?\s*(?:/|out\s+of\b|over\b|von\b|sur\b|de\b|"
    rf"of(?=\s+{_TOTAL}\d+(?:\.0+)?(?:\s+points)?\s*(?:[.,;:!)]|$)))\s*{_TOTAL}"
    r"(\d+(?:[.,]\d+)?)(?![\d.,]*\d)",
    re.IGNORECASE,
)
_TO = re.compile(
    r"\s*(?:points?|%)?\s*(?:[-–—~]|\b(?:to|bis|until|or)\b|\b(and)\b)\s*(?:an?\s+)?", re.IGNORECASE
)
_FROM = re.compile(r"\bfrom\W*$", re.IGNORECASE)
# What may follow a number and adds none: a tolerance, or the number again.
_AGAIN = re.compile(r"\s*(?:±\s*[\d.,]+|\(\s*[\d.,]+\s*\))")


class Found(NamedTuple):
    """A number that counts as a score.

    Attributes:
        form: how clearly, 0 being the clearest.
        final, later: whether the answer says that it is the one, outright or by its order.
        text: the words it was read from.
    """

    number: Written
    form: int
    final: bool
    later: bool
    text: str


class Unread(NamedTuple):
    """Numbers that would be a score, if they did not say so much: a range, another scale."""

    kind: Bad
    text: str


class _Clause(NamedTuple):
    text: str
    numbers: tuple[Written, ...]
    elsewhere: bool  # about another time, another lift, or under a condition
    own_line: bool  # the first or last line of the answer

    def before(self, number: Written) -> str:
        return self.text[max(0, number.start - _BEFORE) : number.start]

    def after(self, number: Written) -> str:
        return self.text[number.end : number.end + _AFTER]


def read_numbers(text: str, *, alone: bool) -> Iterator[Found | Unread]:
    """Yield what the numbers of a text (from `score_numbers.plain`) are, in order.

    Args:
        text: the answer.
        alone: whether a number counts that has nothing beside it.
    """
    for clause in _clauses(text):
        taken = -1
        for position, number in enumerate(clause.numbers):
            if number.start < taken:
                continue
            ranged = _range(clause, position)
            if ranged:
                taken = clause.numbers[position + 1].end
                if isinstance(ranged, Unread):
                    yield ranged
                continue
            of = _OF.match(clause.after(number))
            if of:
                taken = number.end + of.end()
            if not _is_other(clause, number):
                read = _score(clause, number, of, alone or clause.own_line)
                if read:
                    yield read


def _clauses(text: str) -> Iterator[_Clause]:
    numbers = list(written_numbers(text))
    number = 0
    for sentence_start, sentence_stop in _spans(text, 0, len(text), _SENTENCE_END):
        conditional = _words()["condition"].search(text, sentence_start, sentence_stop) is not None
        held = False
        for start, stop in _spans(text, sentence_start, sentence_stop, _SEGMENT):
            own = []
            while number < len(numbers) and numbers[number].start < stop:
                one = numbers[number]
                own.append(one._replace(start=one.start - start, end=one.end - start))
                number += 1
            clause = text[start:stop]
            if own:
                yield _Clause(
                    clause,
                    tuple(own),
                    elsewhere=held or _elsewhere(clause, conditional),
                    own_line=_is_own_line(text, start, stop),
                )
            held = not own and _has("begins_elsewhere", clause) and not _has("gives_now", clause)


def _spans(text: str, start: int, stop: int, end: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    for match in end.finditer(text, start, stop):
        yield start, match.end()
        start = match.end()
    if start < stop:
        yield start, stop


def _is_own_line(text: str, start: int, stop: int) -> bool:
    """Whether a clause is the first or the last line of the answer."""
    first = start == 0 and "\n" in text[stop - 1 : stop + 1]
    return first or (stop == len(text) and "\n" in text[max(0, start - 1) : start])


def _elsewhere(clause: str, conditional: bool) -> bool:
    """Whether a clause is about another time or lift; a condition makes "would be" one of these."""
    if clause.rstrip().endswith("?"):
        return True
    now = _words()["gives_now"].sub(" ", clause)
    if not conditional:
        now = _words()["cautious"].sub(" ", now)
    return _has("elsewhere", now)


def _range(clause: _Clause, position: int) -> Unread | bool:
    """Return the range that two neighbours make, or whether they belong together otherwise."""
    if position + 1 == len(clause.numbers):
        return False
    low, high = clause.numbers[position : position + 2]
    link = _TO.fullmatch(clause.text, low.end, high.start)
    if not link or (link[1] and not re.search(r"\bbetween\W*$", clause.before(low), re.IGNORECASE)):
        return False
    before = clause.before(low)
    if _named_other(_FROM.sub("", before)) or _has("moved", before):
        return False
    counted = re.match(r"\s*=", clause.after(high)) or _counts_other(clause.after(high))
    if counted or clause.elsewhere:
        return True
    return Unread("range", clause.text[low.start : high.end])


def _is_other(clause: _Clause, number: Written) -> bool:
    """Whether a number is no score of this lift, whatever else it is."""
    return (
        clause.elsewhere
        or _counts_other(clause.after(number))
        or _named_other(clause.before(number))
        or _is_bullet(clause, number)
    )


def _counts_other(after: str) -> bool:
    return any(_starts(name, after) for name in ("unit", "change_after", "share", "other_after"))


def _named_other(before: str) -> bool:
    return any(_has(n, before) for n in ("named", "change_before", "other_before", "denied"))


def _is_bullet(clause: _Clause, number: Written) -> bool:
    alone = not clause.text[: number.start].strip()
    mark = re.match(r"[.)]\s*(\S?)", clause.after(number))
    small = number.value <= _HIGHEST_BULLET and number.value.is_integer()
    return alone and mark is not None and small


def _score(
    clause: _Clause, number: Written, of: re.Match[str] | None, alone: bool
) -> Found | Unread | None:
    before, after = clause.before(number), clause.after(number)
    words = f"{before[-40:]}{clause.text[number.start : number.end]}{after[:20]}".strip()
    if of and float(of[1].replace(",", ".")) != 100:
        return Unread("other scale", words)
    form = OF_100 if of else _form(clause, number, before, after, alone)
    if form is None:
        return None
    if _has("bound_before", before) or _starts("bound_after", after):
        return Unread("range", words)
    final = _has("final", before) or _has("final", after)
    return Found(number, form, final, _has("later", before) or _has("later", after[:15]), words)


def _form(clause: _Clause, number: Written, before: str, after: str, alone: bool) -> int | None:
    if _named().search(before):
        return NAMED
    if _starts("points", after):
        return POINTS
    if _given().search(before) or _starts("remains", after):
        return GIVEN
    if len(clause.text) > _LONGEST_ALONE:
        return None
    rest = f"{clause.text[: number.start]} {_AGAIN.sub('', clause.text[number.end :])}"
    if alone and not re.search(r"\w", _words()["filler"].sub(" ", rest)):
        return ALONE
    return None


def _has(name: str, text: str) -> bool:
    return _words()[name].search(text) is not None


def _starts(name: str, text: str) -> bool:
    return _words()[name].match(text) is not None


@functools.cache
def _sources() -> dict[str, str]:
    sources: dict[str, str] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return {name: source.replace("| ", "|") for name, source in sources.items()}


@functools.cache
def _words() -> dict[str, re.Pattern[str]]:
    return {name: re.compile(source, re.IGNORECASE) for name, source in _sources().items()}


@functools.cache
def _named() -> re.Pattern[str]:
    return re.compile(f"(?:{_sources()['name']}){_sources()['link']}$", re.IGNORECASE)


@functools.cache
def _given() -> re.Pattern[str]:
    return re.compile(f"(?:{_sources()['gives']})$", re.IGNORECASE)
