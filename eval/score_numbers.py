"""Numbers as answers write them: with a comma or a point, an exponent, thousands, in words.

[n.value for n in written_numbers(plain("Score: 87,5 (ninety at best)"))]    # [87.5, 90.0]
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from flex.numbers import find_numbers

_MARKUP = re.compile(r"\*+|__+|`+")
_FRACTIONS = {"½": ".5", "¼": ".25", "¾": ".75"}
# Not inside a word, a decimal, a fraction or a time of day; letters other than ours may touch it.
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,])(?<!\d[:/])(?<!\d/ )(?<!\d / )"
    r"(?P<sign>(?<![\w)\]%])[-−])?"
    r"(?P<digits>\d{1,3}(?:[.,]\d{3}){2,}|\d{1,3}(?:['’ ]\d{3})+|\d+(?:[.,]\d+)?)"
    r"(?:[eE](?P<power>[-+]?\d{1,3}))?"
    r"(?![:.,]?\d)(?!(?!ish\b|pts?\b)[A-Za-z_])"
)


class Written(NamedTuple):
    """A number at characters `start` to `end`.

    Attributes:
        value: the number; thousands are thousands, and a comma with one or two digits is decimal.
        clear: whether it can only be meant so: a part of one ("0.85", "1,00") may be on 0–1, and
            a comma before four digits is nothing that anybody writes.
    """

    value: float
    start: int
    end: int
    clear: bool


def plain(text: str) -> str:
    """Return the text without markup, with wide digits as digits and number words as digits."""
    for sign, decimals in _FRACTIONS.items():
        text = re.sub(rf"(?<=\d)\s?{sign}", decimals, text)
    text = unicodedata.normalize("NFKC", _MARKUP.sub("", text)).replace("+/-", "±")
    parts, done = [], 0
    for number in find_numbers(text):
        if not text[number.start].isdigit():
            parts += [text[done : number.start], f"{number.value:g}"]
            done = number.end
    return "".join([*parts, text[done:]])


def written_numbers(text: str) -> Iterator[Written]:
    """Yield the numbers of a text that `plain` gave, in order."""
    for match in _NUMBER.finditer(text):
        value, clear = _value(match["digits"])
        if match["power"]:
            value = float(f"{value}e{int(match['power'])}")
            clear = clear or match["digits"].isdigit()
        elif match["sign"]:
            value = -value
        written_as_part = not match["digits"].isdigit() or bool(match["power"])
        part_of_one = 0 < abs(value) <= 1 and written_as_part
        yield Written(value, match.start(), match.end(), clear and not part_of_one)


def _value(digits: str) -> tuple[float, bool]:
    parts = re.split(r"[.,'’ ]", digits)
    if len(parts) == 1:
        return float(digits), True
    if len(parts) > 2 or ("." not in digits and len(parts[1]) == 3):
        return float("".join(parts)), True
    return float(".".join(parts)), "," not in digits or len(parts[1]) < 3
