"""The words by which an answer judges a lift (`verdict.yaml`), looked for in one written form.

has("right", normal("It isn't correct."))     # True; the text is "it is NEG correct."
"""

import functools
import re
from pathlib import Path

import yaml

VERDICT_FILE = Path(__file__).with_name("verdict.yaml")
_MARKUP = re.compile(r"[*_`~|]+|^\s*(?:[#>]+|[-•]\s)\s*")
_CONTRACTIONS = (
    (re.compile(r"[’`]"), "'"),
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"\b(it|that|this|there|he|she|everything|what)'s\b"), r"\1 is"),
)


def normal(sentence: str) -> str:
    """Return a sentence in lower case, without markup, with NEG for what denies."""
    text = _MARKUP.sub(" ", sentence).lower().strip()
    for pattern, replacement in _CONTRACTIONS:
        text = pattern.sub(replacement, text)
    text = words()["superlative"].sub("perfect", text)
    text = words()["not_it"].sub("is wrong", text)
    text = words()["emphatic"].sub(" ", text)
    return words()["negators"].sub("NEG", text)


def has(name: str, text: str) -> bool:
    """Say whether the words of a name stand in a text."""
    return words()[name].search(text) is not None


@functools.cache
def of_lift() -> tuple[tuple[bool, re.Pattern[str]], ...]:
    """Return patterns of words that judge only a lift: "the form is good", "did it well"."""
    written = sources()
    lift, does = written["lift"], written["does"]
    found: list[tuple[bool, re.Pattern[str]]] = []
    for good, word in ((True, written["fair"]), (False, written["bad"])):
        named = rf"\b(?:{lift}|it|this|that|you)\b[^,;]{{0,40}}?"
        linked = (
            r"\b(?:is|was|are|were|looks?|looked|seems?|seemed|appears?(?:\s+to\s+be)?|stays?|be)"
        )
        found += [
            (good, re.compile(rf"{named}{linked}\s+(?:\w+\s+){{0,3}}?{word}\b")),
            (good, re.compile(rf"\b{word}\s+(?:\w+\s+)?{lift}\b")),
            (good, re.compile(rf"\b{word}\s+(?:performed|executed)\b")),
            (good, re.compile(rf"\b(?:all|looks?|looking)\s+(?:\w+\s+)?{word}\b")),
            (good, re.compile(rf"\b{does}\b[^,;]{{0,40}}?\s{word}\W*$")),
        ]
    return tuple(found)


@functools.cache
def words() -> dict[str, re.Pattern[str]]:
    """Return name → pattern."""
    return {name: re.compile(source) for name, source in sources().items()}


@functools.cache
def sources() -> dict[str, str]:
    """Return name → regular expression of `verdict.yaml`, without the blanks of its lines."""
    written: dict[str, str] = yaml.safe_load(VERDICT_FILE.read_text(encoding="utf-8"))
    return {name: source.replace("| ", "|") for name, source in written.items()}
