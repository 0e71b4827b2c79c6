"""Splits text into sentences: "30.5 s", "e.g." and "No. 1" do not end one, a line break does."""

import re

_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])|\s*\n+\s*")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|approx|vs|cf|no|fig|etc)\.$", re.IGNORECASE)
_BULLET = re.compile(r"^(?:[-*•]|\d+[.)])\s+")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each sentence, without bullets and surrounding space."""
    spans = []
    start = 0
    for match in _END.finditer(text):
        piece = text[start : match.start()]
        if "\n" not in match[0] and (_ABBREVIATION.search(piece) or _BULLET.fullmatch(piece + " ")):
            continue
        spans.append((start, match.start()))
        start = match.end()
    spans.append((start, len(text)))
    return [span for span in (_trim(text, *span) for span in spans) if span[0] < span[1]]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    end -= len(piece) - len(piece.rstrip())
    bullet = _BULLET.match(text[start:end])
    return (start + bullet.end() if bullet else start), end
