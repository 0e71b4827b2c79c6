"""Words of a text by stem, so that "swayed", "swaying" and "sway" are one.

A fixed list brings together what a stemmer cannot ("feet" and "foot", "rose" and "raised").
"""

import functools
import re
from pathlib import Path
from typing import NamedTuple

import snowballstemmer
import yaml

LANGUAGE_FILE = Path(__file__).with_name("language.yaml")
_TOKEN = re.compile(
    r"n['’]t\b|[A-Za-z]+(?=n['’]t\b)|\d+(?:\.\d+)?|[A-Za-z]+|(?<=\s)-(?=\s)|[^\sA-Za-z0-9'’-]"
)
_STEMMER = snowballstemmer.stemmer("english")


class Token(NamedTuple):
    """A word or mark; `stem` is what is compared, `start` and `end` its place in the text."""

    text: str
    stem: str
    start: int
    end: int


@functools.cache
def language() -> dict[str, frozenset[str]]:
    """Return the word groups of `language.yaml`, as stems; phrases keep their blanks."""
    groups = yaml.safe_load(LANGUAGE_FILE.read_text(encoding="utf-8"))
    return {
        name: frozenset(" ".join(map(stem, str(entry).split())) for entry in entries)
        for name, entries in groups.items()
        if name not in ("irregular", "base_forms")
    } | {"base_forms": frozenset(groups["base_forms"])}


@functools.cache
def _irregular() -> dict[str, str]:
    forms: dict[str, str] = yaml.safe_load(LANGUAGE_FILE.read_text(encoding="utf-8"))["irregular"]
    return {form: _STEMMER.stemWord(base) for form, base in forms.items()}


def is_base_form(word: str) -> bool:
    """Say whether a word may be an infinitive or an imperative: "keep", not "kept" or "keeping"."""
    lower = word.lower()
    if lower in language()["base_forms"]:
        return True
    bent = lower.endswith(("ing", "ed")) or (lower.endswith("s") and not lower.endswith("ss"))
    return not bent and lower not in _irregular()


@functools.lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the stem of a word, in lower case."""
    lower = word.lower().replace("’", "'")
    if lower in _irregular():
        return _irregular()[lower]
    stemmed: str = _STEMMER.stemWord(lower)
    return _irregular().get(stemmed, stemmed)


def tokens_of(text: str) -> list[Token]:
    """Return the words and marks of a text; "didn't" is "did" and "n't"."""
    return [Token(m[0], stem(m[0]), m.start(), m.end()) for m in _TOKEN.finditer(text)]


@functools.lru_cache(maxsize=65536)
def content_stems(text: str) -> frozenset[str]:
    """Return the stems of the words that carry a fact; two texts that share them say the same."""
    return frozenset(
        token.stem
        for token in tokens_of(text)
        if token.text[0].isalnum() and token.stem not in language()["light"]
    )
