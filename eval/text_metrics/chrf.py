"""chrF++: F2 over character 1- to 6-grams and word 1- and 2-grams of the corpus, 0–100."""

import functools
import itertools
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from eval.statistics import Rows

CHARACTERS, WORDS, BETA = 6, 2, 2
SIGNATURE = "chrF2++|refs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|scale:0-100"
COLUMNS = 3 * (CHARACTERS + WORDS)
_BITS = 10
# Dashes and curly quotes, U+2000 to U+206F, are told apart by the numbers of Greek letters.
_PUNCTUATION, _GREEK = range(0x2000, 0x2070), range(0x370, 0x400)
Grams = NDArray[np.int64]
_MARKS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def rows(prediction: str, reference: str) -> list[float]:
    """Return, for each order, n-grams of the prediction, of the reference, and common ones."""
    row = _character_rows(prediction, reference)
    for said, wanted in zip(_word_grams(prediction), _word_grams(reference), strict=True):
        row += _common(said, wanted)
    return row


def finish(sums: Rows) -> Rows:
    """(..., 24) sums → (...) chrF++: F2 of mean precision and mean recall over the orders."""
    said, wanted, common = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
    used = (said > 0) & (wanted > 0)
    orders = np.maximum(used.sum(axis=-1), 1)
    precision = (np.where(used, common, 0) / np.maximum(said, 1)).sum(axis=-1) / orders
    recall = (np.where(used, common, 0) / np.maximum(wanted, 1)).sum(axis=-1) / orders
    bottom = BETA**2 * precision + recall
    safe = np.where(bottom > 0, bottom, 1)
    result: Rows = 100 * (1 + BETA**2) * precision * recall / safe
    return result


def _character_rows(prediction: str, reference: str) -> list[float]:
    said, wanted = "".join(prediction.split()), "".join(reference.split())
    ours_packed, theirs_packed = _packed(said), _packed(wanted)
    if ours_packed is None or theirs_packed is None:
        grams = [(_slices(said, size), _slices(wanted, size)) for size in range(1, CHARACTERS + 1)]
        return [number for pair in grams for number in _common(*pair)]
    row: list[float] = []
    for (ours, our_counts), (theirs, their_counts) in zip(ours_packed, theirs_packed, strict=True):
        if not (len(ours) and len(theirs)):
            row += [our_counts.sum() if len(theirs) else 0, their_counts.sum(), 0]
            continue
        place = np.minimum(np.searchsorted(theirs, ours), len(theirs) - 1)
        both = np.where(theirs[place] == ours, np.minimum(our_counts, their_counts[place]), 0)
        row += [our_counts.sum(), their_counts.sum(), both.sum()]
    return row


@functools.lru_cache(maxsize=1024)
def _packed(line: str) -> list[tuple[Grams, Grams]] | None:
    """Return (n-grams, counts) for each order, an n-gram being one number of 10 bits a character.

    `None` if a character is not among those that 10 bits can tell apart.
    """
    codes = np.frombuffer(line.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    if len(codes) and codes.max() >= _GREEK.start:
        marks = (codes >= _PUNCTUATION.start) & (codes < _PUNCTUATION.stop)
        if (codes[~marks] >= _GREEK.start).any():
            return None
        codes[marks] += _GREEK.start - _PUNCTUATION.start
    grams = codes
    orders = [np.unique_counts(grams)]
    for size in range(2, CHARACTERS + 1):
        grams = (grams[:-1] << _BITS) | codes[size - 1 :]
        orders.append(np.unique_counts(grams))
    return [(order.values, order.counts) for order in orders]


def _slices(line: str, size: int) -> Counter[str]:
    return Counter([line[at : at + size] for at in range(len(line) - size + 1)])


@functools.lru_cache(maxsize=1024)
def _word_grams(text: str) -> tuple[Counter[str], Counter[str]]:
    words = _parts(text)
    return Counter(words), Counter(map(" ".join, itertools.pairwise(words)))


def _common(said: Counter[str], wanted: Counter[str]) -> list[float]:
    common = sum(min(said[gram], wanted[gram]) for gram in said.keys() & wanted.keys())
    total = wanted.total()
    return [said.total() if total else 0, total, common]


def _parts(text: str) -> list[str]:
    """Return the words, with one mark at the end, or else at the start, taken off."""
    parts: list[str] = []
    for word in text.split():
        if len(word) > 1 and word[-1] in _MARKS:
            parts += [word[:-1], word[-1]]
        elif len(word) > 1 and word[0] in _MARKS:
            parts += [word[0], word[1:]]
        else:
            parts.append(word)
    return parts
