"""Reads the score out of an answer, or says why it cannot: never the first number that comes.

parse_score("3 sets of 10. I give it 72.05 out of 100.")   # ParsedScore("stated", 72.05, …)
parse_score("Do 3 sets of 10.")                            # ParsedScore("missing", None, …)
"""

import re
from typing import Literal, NamedTuple

from eval.reading import says_refusal

Kind = Literal[
    "stated", "missing", "refused", "ambiguous", "range", "other scale", "out of range", "empty"
]


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_NUMBER = r"(?<![\w.,/-])(\d+(?:\.\d+)?)"
_TO = r"\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)"
_NAME = r"\b(?:scores?|scored|marks?|grade|rating|total)\b"
# "66 of 100." is a score, "3 of 100 clips" is none.
_OF = r"of(?=\s+100(?:\s+points)?\s*(?:[.,;:!)]|$))"
_OUT_OF = _words(rf"{_NUMBER}\s*(?:points?\s*)?(?:/|out\s+of|{_OF})\s*(\d+(?:\.\d+)?)(?![\d.]*\d)")
_AFTER_NAME = _words(
    rf"{_NAME}(?:\s+(?:for|of)\s+(?:this|the|your)\s+\w+)?"
    rf"\s*(?:is|was|of|at|would\s+be|comes\s+to|equals|as|to|[:=])*\s*(?:about|around|roughly)?\s*"
    rf"{_NUMBER}"
)
_POINTS = _words(rf"{_NUMBER}\s*(?:points?\b(?!\s*(?:were|are|was)?\s*lost)|%|percent\b)")
_RANGES = (
    _words(rf"{_NUMBER}{_TO}\s*(?:out\s+of|/|points?|%)"),
    _words(rf"{_NAME}[^.\d]{{0,30}}{_NUMBER}{_TO}\b"),
    _words(rf"\bbetween\s+{_NUMBER}\s+and\s+(\d+(?:\.\d+)?)\b(?!\s*(?:s\b|sec|kg))"),
)
_ONLY = _words(r"\W*(\d+(?:\.\d+)?)\s*[.!]*\s*")
# What other numbers count: "72 kg" or "3 sets" after a score word is no score.
_COUNTED = _words(
    r"\s*(?:sets?|reps?|repetitions?|times|kg|lbs?|kilos?|pounds|seconds?|secs?|minutes?|s\b|cm|"
    r"inch(?:es)?|degrees?|°|errors?|mistakes?|faults?|frames?|of\s+\d+\s+penalty|penalty|x\s*\d)"
)
_PENALTY = _words(
    r"\s*(?:penalty|weight|points?\s+(?:were\s+|are\s+|was\s+)?(?:lost|off|deducted))"
)


class ParsedScore(NamedTuple):
    """What an answer gives as its score.

    Attributes:
        kind: "stated" for one score on 0–100, else why there is none.
        value: the score, only if stated.
        text: the words it was read from.
    """

    kind: Kind
    value: float | None
    text: str


def parse_score(text: str) -> ParsedScore:
    """Return the one score on 0–100 that an answer states.

    The clearest form decides: "72 out of 100", "72 of 100." or "72/100", then "score: 72", then
    "72 points" or "72 %", then an answer that is a number only. Two different scores of that form
    are ambiguous; a range, another scale such as 7/10, and a number outside 0–100 are said to be
    so.
    """
    if not text.strip():
        return ParsedScore("empty", None, "")
    text = text.replace("*", "").replace("__", "")
    for pattern in _RANGES:
        if match := pattern.search(text):
            return ParsedScore("range", None, match[0])
    stated = [m for m in _OUT_OF.finditer(text) if not _PENALTY.match(text, m.end())]
    hundreds = [m for m in stated if float(m[2]) == 100]
    if hundreds:
        return _settle(hundreds)
    if stated:
        return ParsedScore("other scale", None, stated[0][0])
    for pattern in (_AFTER_NAME, _POINTS):
        found = [m for m in pattern.finditer(text) if not _COUNTED.match(text, m.end())]
        if found:
            return _settle(found)
    if match := _ONLY.fullmatch(text):
        return _settle([match])
    return ParsedScore("refused" if says_refusal(text) else "missing", None, "")


def _settle(matches: list[re.Match[str]]) -> ParsedScore:
    values = {float(match[1]) for match in matches}
    words = "; ".join(match[0].strip() for match in matches)
    if len(values) > 1:
        return ParsedScore("ambiguous", None, words)
    value = values.pop()
    if not 0 <= value <= 100:
        return ParsedScore("out of range", None, words)
    return ParsedScore("stated", value, words)
