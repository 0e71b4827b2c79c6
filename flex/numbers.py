"""The numbers that a text states, in digits or in words.

numbers_in("about forty-five degrees")      # [45.0]
numbers_in("about two inches")              # [2.0]
numbers_in("one arm, two hands")            # []
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_TEENS = {
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
}
_UNITS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
}
_SMALL = {"zero": 0, "half": 0.5, **_UNITS}
_TENS_WORDS = "|".join(_TENS)
_UNIT_WORDS = "|".join(_UNITS)
# What is measured or counted: a small number before one of these is a fact, not a manner of speech.
MEASURES = (
    r"(?:inch(?:es)?|cm|cent[ie]met(?:er|re)s?|mm|met(?:er|re)s?|feet\s+(?:away|wide|too)|"
    r"degrees?|seconds?|secs?|minutes?|mins?|hours?|days?|weeks?|months?|years?|counts?|beats?|"
    r"sets?|reps?|repetitions?|times|kilos?|kilograms?|kg|lbs?|pounds?|plates?|points?|percent|"
    r"per\s+cent|frames?|fingers?(?:-?\s*widths?)|hand-?\s*widths?|out\s+of)\b"
)
_NUMBER = re.compile(
    r"(?<![\w.])(?P<digits>\d+(?:\.\d+)?)"
    rf"|\b(?P<tens>{_TENS_WORDS})(?:[- ](?P<unit>{_UNIT_WORDS}))?\b"
    rf"|\b(?P<teen>{'|'.join(_TEENS)})\b"
    r"|\b(?:(?:a|one)\s+)?(?P<hundred>hundred)\b"
    rf"|\b(?P<small>{'|'.join(_SMALL)})\b(?=(?:\s+(?:or|to|and)\s+\w+|\s+(?:an?|more|extra|full))?"
    rf"[\s-]+{MEASURES})",
    re.IGNORECASE,
)


class Number(NamedTuple):
    """A number at characters `start` to `end` of a text."""

    value: float
    start: int
    end: int


def find_numbers(text: str) -> Iterator[Number]:
    """Yield the numbers of a text, in digits and in words, in order.

    Digits count ("2.62 s", "30–45°", "77.02"), words from ten on ("forty-five degrees"), and
    smaller words where a measure follows ("two inches", "three or four seconds"). Without one they
    are everyday language ("one arm, two hands").
    """
    for match in _NUMBER.finditer(text):
        yield Number(_value(match), match.start(), match.end())


def numbers_in(text: str) -> list[float]:
    """Return the numbers of a text in order; which words count says `find_numbers`."""
    return [number.value for number in find_numbers(text)]


def _value(match: re.Match[str]) -> float:
    if match["digits"]:
        return float(match["digits"])
    if match["tens"]:
        unit = match["unit"]
        return float(_TENS[match["tens"].lower()] + (_UNITS[unit.lower()] if unit else 0))
    if match["teen"]:
        return float(_TEENS[match["teen"].lower()])
    if match["hundred"]:
        return 100.0
    return float(_SMALL[match["small"].lower()])
