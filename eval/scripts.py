"""Which script a text is written in, by its letters: a measure says whether it can read that.

    script_of("深蹲时膝盖内扣")     # "Han"

No language is guessed. A script is that of most letters, by the names that Unicode gives them.
"""

import functools
import unicodedata
from collections import Counter
from collections.abc import Iterable

# Letters whose Unicode names begin with another word than their script's.
_NAMES = {
    "CJK": "Han",
    "IDEOGRAPHIC": "Han",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "KATAKANA-HIRAGANA": "Japanese",
    "HANGUL": "Hangul",
    "FEMININE": "Latin",
    "MASCULINE": "Latin",
    "MICRO": "Greek",
    "MODIFIER": "Latin",
}
# Scripts that write no blank between words, where words by blanks are whole sentences.
UNSPACED = frozenset({"Han", "Japanese", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan"})


@functools.lru_cache(maxsize=4096)
def script_of(text: str) -> str:
    """Return the script of most letters; "Latin" for a text without any.

    Kana among Han letters makes a text Japanese.
    """
    counts = Counter(_script(letter) for letter in text if letter.isalpha())
    if counts["Japanese"] and counts["Han"]:
        counts["Japanese"] += counts.pop("Han")
    return max(counts, key=lambda name: (counts[name], name)) if counts else "Latin"


def unreadable(texts: Iterable[str], *, latin_only: bool) -> dict[int, str]:
    """Return position → script of the texts that a measure of words cannot read.

    Args:
        texts: what would be measured.
        latin_only: the measure knows words in Latin letters only; else any script with blanks
            between words.
    """
    scripts = ((number, script_of(text)) for number, text in enumerate(texts))
    return {
        number: script
        for number, script in scripts
        if (script != "Latin" if latin_only else script in UNSPACED)
    }


@functools.lru_cache(maxsize=8192)
def _script(letter: str) -> str:
    first = unicodedata.name(letter, "").split(" ")[0]
    return _NAMES.get(first, first.capitalize() or "Latin")
