"""Tells a body part from a verb of the same form: "your head", but not "head over to the rack".

    named_as_noun(tokens_of("Your palms face each other."), 2)    # False

Only words that are verbs too are looked at, and only by the words beside them (`nouns.yaml`).
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from flex.words import Token

_FILE = Path(__file__).with_name("nouns.yaml")


def named_as_noun(tokens: Sequence[Token], position: int) -> bool:
    """Say whether the word at a position, a body part by its form, is one in this sentence."""
    words = _words()
    word = tokens[position].text.lower()
    base = word if word in words["verbs"] else word.removesuffix("s")
    if base not in words["verbs"]:
        return not _is_bent_verb(word)
    before = tokens[position - 1].text.lower() if position else ""
    if before in words["before_verb"] or (base in words["of_plurals"] and _is_plural(before)):
        return False
    starts = not before or not before[0].isalnum() or before in words["clause_starts"]
    return not ((starts or before == "to") and _follows_a_verb(tokens, position, base))


def _is_bent_verb(word: str) -> bool:
    """Tell "facing" and "headed", whose stems are those of body parts."""
    return any(
        word.endswith(ending) and {bare, f"{bare}e"} & set(_words()["verbs"])
        for ending in ("ing", "ed")
        for bare in [word.removesuffix(ending)]
    )


def _is_plural(word: str) -> bool:
    return word.endswith("s") and not word.endswith("ss") and word not in _words()["singular"]


def _follows_a_verb(tokens: Sequence[Token], position: int, word: str) -> bool:
    """Whether what comes next can only follow the verb: "head for", "shoulder the bar"."""
    words = _words()
    first, second = (
        tokens[n].text.lower() if n < len(tokens) else "" for n in (position + 1, position + 2)
    )
    if first in words["objects"] or first in words["after"].get(word, ()):
        return True
    leads_on = (first == "back" and second == "to") or (
        first == "to" and second in words["on_the_way"]
    )
    return word == "head" and leads_on


@functools.cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return words
