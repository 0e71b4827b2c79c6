"""Corpus BLEU: 13a tokens, orders 1 to 4, no smoothing, 0–1 (the paper's scale)."""

import functools
import re
from collections import Counter

import numpy as np

from eval.statistics import Rows

ORDER = 4
SIGNATURE = "bleu|refs:1|case:mixed|tok:13a|order:4|smooth:none|scale:0-1"
COLUMNS = 2 + 2 * ORDER
# mteval-v13a: marks stand alone, but for a full stop, comma or hyphen inside a number.
_MARKS = str.maketrans({mark: f" {mark} " for mark in ' !"#$%&()*+/:;<=>?@[\\]^_`{|}~'})
_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"([^0-9])([\.,])", r"\1 \2 "),
        (r"([\.,])([^0-9])", r" \1 \2"),
        (r"([0-9])(-)", r"\1 \2 "),
    )
)
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))


def rows(prediction: str, reference: str) -> list[float]:
    """Return both lengths, then matches and n-grams of the prediction for each order."""
    said, wanted = _ngrams(prediction), _ngrams(reference)
    row = [float(said[0].total()), float(wanted[0].total())]
    for ours, theirs in zip(said, wanted, strict=True):
        small, large = (ours, theirs) if len(ours) < len(theirs) else (theirs, ours)
        common = sum(min(small[gram], large[gram]) for gram in small.keys() & large.keys())
        row += [common, ours.total()]
    return row


def finish(sums: Rows) -> Rows:
    """(..., 10) sums → (...) BLEU: the geometric mean of the precisions × the brevity penalty."""
    said, wanted = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2::2], sums[..., 3::2]
    usable = (matches > 0).all(axis=-1) & (said > 0)
    safe = np.where(usable[..., None], matches / np.maximum(totals, 1), 1.0)
    brevity = np.exp(np.minimum(0.0, 1 - wanted / np.maximum(said, 1)))
    result: Rows = np.where(usable, brevity * np.exp(np.log(safe).mean(axis=-1)), 0.0)
    return result


@functools.lru_cache(maxsize=4096)
def _ngrams(text: str) -> tuple[Counter[tuple[str, ...]], ...]:
    words = tokens_13a(text)
    return tuple(
        Counter(zip(*(words[n:] for n in range(size)), strict=False))
        for size in range(1, ORDER + 1)
    )


def tokens_13a(text: str) -> list[str]:
    """Return the tokens of NIST's mteval-v13a script."""
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
    text = f" {text} ".translate(_MARKS)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.split()
