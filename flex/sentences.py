"""Splits text into sentences: "30.5 s", "e.g." and "No. 1" do not end one, a line break does.

What runs on without an end is cut, at a comma or a blank if there is one, so that reading a text
sentence by sentence costs no more than in proportion to its length.
"""

import re
from collections.abc import Iterator

# The longest sentence in characters; longer ones, as of machines that repeat themselves, are cut.
LONGEST = 600
_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])|\n")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|approx|vs|cf|no|fig|etc)\.$", re.IGNORECASE)
_LONGEST_ABBREVIATION = len(" approx.")
_BULLET = re.compile(r"^(?:[-*•]|\d{1,4}[.)])\s+")
_LONGEST_BULLET = len("1234. ")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each sentence, without bullets and surrounding space."""
    spans = []
    start = 0
    for match in _END.finditer(text):
        if "\n" not in match[0] and _goes_on(text, start, match.start()):
            continue
        spans.append((start, match.start()))
        start = match.end()
    spans.append((start, len(text)))
    pieces = (piece for span in spans for piece in _pieces(text, *_trim(text, *span)))
    return [(start, end) for start, end in pieces if start < end]


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether what stands before a full stop is an abbreviation, or the number of a list."""
    if _ABBREVIATION.search(text[max(start, end - _LONGEST_ABBREVIATION) : end]):
        return True
    short = end - start < _LONGEST_BULLET
    return short and _BULLET.fullmatch(text[start:end] + " ") is not None


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    end -= len(piece) - len(piece.rstrip())
    bullet = _BULLET.match(text[start:end])
    return (start + bullet.end() if bullet else start), end


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > LONGEST:
        half, full = start + LONGEST // 2, start + LONGEST
        cut = next((c for mark in ", " if (c := text.rfind(mark, half, full)) >= 0), full - 1) + 1
        yield _trim(text, start, cut)
        start = cut
    yield _trim(text, start, end)
