"""METEOR as NLTK computes it (α .9, β 3, γ .5, WordNet synonyms), mean over answers, 0–1.

Without WordNet there is no METEOR: an alignment without synonyms would be another measure.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from eval.text_metrics.wordnet import HOW_TO, load_wordnet
from flex.sentences import split_sentences

SIGNATURE = (
    "meteor|nltk|alpha:0.9|beta:3|gamma:0.5|tok:nltk-treebank-by-sentence|case:lower|"
    "mean-of-answers|scale:0-1"
)
ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5
COLUMNS = 2
Placed = tuple[int, str]


def missing() -> str | None:
    """Say what METEOR lacks on this machine and how to get it, or `None` if nothing."""
    try:
        found = load_wordnet()
    except ImportError:
        return "NLTK is not installed: pip install nltk"
    return None if found is not None else f"WordNet is not installed: {HOW_TO}"


def signature() -> str:
    """Return what the figure was computed with, the version of WordNet included."""
    import nltk

    reader = _wordnet_reader()
    return f"{SIGNATURE}|nltk:{nltk.__version__}|wordnet:{reader.get_version()}"


def rows(prediction: str, reference: str) -> list[float]:
    """Return METEOR of one answer, and 1.

    Raises:
        LookupError: WordNet is not at hand; ask `missing` first.
    """
    said, wanted = tokens(prediction), tokens(reference)
    matches = align(said, wanted)
    if not matches:
        return [0.0, 1.0]
    chunks = 1 + sum(
        (after[0] - before[0], after[1] - before[1]) != (1, 1)
        for before, after in itertools.pairwise(matches)
    )
    precision, recall = len(matches) / len(said), len(matches) / len(wanted)
    mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    return [mean * (1 - GAMMA * (chunks / len(matches)) ** BETA), 1.0]


def align(said: Sequence[str], wanted: Sequence[str]) -> list[tuple[int, int]]:
    """Return the matched positions in both texts: same word, else same stem, else a synonym.

    As in NLTK, words are matched from the last to the first, each with the last free one; and,
    as there, what is left after the exact matches goes on as stems, which are then looked up.
    """
    ours, theirs = list(enumerate(said)), list(enumerate(wanted))
    matches, ours, theirs = _match(ours, theirs, None)
    ours = [(place, _stem(word)) for place, word in ours]
    theirs = [(place, _stem(word)) for place, word in theirs]
    stemmed, ours, theirs = _match(ours, theirs, None)
    related, _, _ = _match(ours, theirs, _synonyms)
    return sorted(matches + stemmed + related)


def _match(
    ours: list[Placed], theirs: list[Placed], group: Callable[[str], frozenset[str]] | None
) -> tuple[list[tuple[int, int]], list[Placed], list[Placed]]:
    """Return matched positions and what is left; `group` gives the words that count as equal."""
    free: dict[str, list[int]] = {}
    for number, (_, word) in enumerate(theirs):
        free.setdefault(word, []).append(number)
    matches, used, left = [], set(), []
    for place, word in reversed(ours):
        best = word if group is None else _last(free, group(word))
        if not free.get(best):
            left.append((place, word))
            continue
        last = free[best].pop()
        used.add(last)
        matches.append((place, theirs[last][0]))
    return matches, left[::-1], [item for n, item in enumerate(theirs) if n not in used]


def _last(free: dict[str, list[int]], words: frozenset[str]) -> str:
    """Return the word whose free place is the last of all, or nothing."""
    return max(((free[w][-1], w) for w in words & free.keys() if free[w]), default=(-1, ""))[1]


@functools.lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[str, ...]:
    """Return NLTK's Treebank words of each sentence, in lower case."""
    words: list[str] = []
    for start, end in split_sentences(text):
        words += _sentence_tokens(text[start:end])
    return tuple(words)


@functools.lru_cache(maxsize=32768)
def _sentence_tokens(sentence: str) -> Iterable[str]:
    return tuple(word.lower() for word in _tokenizer().tokenize(sentence))


@functools.cache
def _tokenizer() -> Any:
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return NLTKWordTokenizer()


@functools.cache
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


@functools.lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    stemmed: str = _stemmer().stem(word)
    return stemmed


@functools.lru_cache(maxsize=65536)
def _synonyms(word: str) -> frozenset[str]:
    """Return the word and every single word that shares a meaning with it."""
    names = (name for group in _wordnet_reader().synsets(word) for name in group.lemma_names())
    return frozenset([word, *(name for name in names if "_" not in name)])


@functools.cache
def _wordnet_reader() -> Any:
    reader = load_wordnet()
    if reader is None:
        raise LookupError(f"WordNet is not installed: {HOW_TO}")
    return reader
