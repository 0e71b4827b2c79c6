"""Reads the score out of an answer, or says why it cannot: never the first number that comes.

parse_score("3 sets of 10. I give it 72.05 out of 100.")   # ParsedScore("stated", 72.05, …)
parse_score("Do 3 sets of 10.")                            # ParsedScore("missing", None, …)

What stands beside a number decides whether it is a score (`eval.score_context`). Of those that are,
the answer's own final one is taken; docs/judging.md states the rule.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from eval.score_context import Found, Unread, read_numbers
from eval.score_numbers import plain
from eval.verdict import says_refusal

Kind = Literal[
    "stated",
    "missing",
    "refused",
    "ambiguous",
    "range",
    "other scale",
    "out of range",
    "unclear",
    "empty",
]
# A number with nothing beside it counts only in an answer of at most so many words.
_SHORT = 20


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
    "72 points" or "72 %", then "I give it 72", then an answer that is a number only. Among several
    of that form the one that is said to be final counts; without one they are ambiguous. Numbers
    with a unit, points lost or gained, averages, bounds, what is denied, and what belongs to
    another time or a condition do not count. A range, another scale such as 7/10, a part of one
    ("0.85") and a number outside 0–100 are said to be so.
    """
    if not text.strip():
        return ParsedScore("empty", None, "")
    text = plain(text)
    short = len(text.split()) <= _SHORT
    read = list(read_numbers(text, alone=short))
    found = [one for one in read if isinstance(one, Found)]
    if found:
        return _settle(found)
    unread = next((one for one in read if isinstance(one, Unread)), None)
    if unread:
        return ParsedScore(unread.kind, None, unread.text)
    return ParsedScore("refused" if says_refusal(text) else "missing", None, "")


def _settle(found: Sequence[Found]) -> ParsedScore:
    finals = [one for one in found if one.final]
    if len({one.number.value for one in finals}) != 1:
        clearest = min(one.form for one in found)
        finals = [one for one in found if one.form == clearest]
    if len({one.number.value for one in finals}) > 1:
        later = [one for one in finals if one.later]
        finals = later if len({one.number.value for one in later}) == 1 else finals
    words = "; ".join(dict.fromkeys(one.text for one in finals))
    if len({one.number.value for one in finals}) > 1:
        return ParsedScore("ambiguous", None, words)
    number = finals[0].number
    if not 0 <= number.value <= 100:
        return ParsedScore("out of range", None, words)
    if not number.clear:
        return ParsedScore("unclear", None, words)
    return ParsedScore("stated", number.value, words)
