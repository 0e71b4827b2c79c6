"""Tells a body part from a verb of the same form: "your head", but not "head over to the rack".

    named_as_noun(tokens_of("Your palms face each other."), 2)    # False

Only words that are verbs too are looked at, and only by the words beside them.
"""

from collections.abc import Sequence

from flex.words import Token

# Nouns for body parts that are verbs as well.
_VERBS = frozenset(
    ["head", "face", "hand", "shoulder", "eye", "toe", "palm", "thumb", "elbow", "arm", "foot"]
    + ["stomach", "neck", "back", "heel", "knee", "rib", "trunk", "belly", "leg"]
)
_BENT = ("ing", "ed")
_DETERMINERS = frozenset(["the", "a", "an", "your", "that", "those", "these", "it", "them", "me"])
# A bare form is a verb after one of these.
_BEFORE_VERB = frozenset(
    ["will", "would", "should", "must", "can", "could", "may", "might", "do", "does", "did", "n't"]
    + ["you", "they", "we", "i", "who", "them", "please", "always", "never", "not"]
)
_POSSESSIVE = frozenset(["his", "its", "this"])
_CLAUSE_STARTS = frozenset(["and", "then", "now", "so", "or", "but", "next", "finally"])
# What follows the verb, where a determiner does not.
_AFTER: dict[str, frozenset[str]] = {
    "head": frozenset(["over", "for", "home", "toward", "towards"]),
    "face": frozenset(
        ["forward", "forwards", "away", "each", "out", "outward", "outwards", "inward", "inwards"]
        + ["in", "up", "down", "toward", "towards", "straight"]
    ),
    "back": frozenset(["away", "off", "up"]),
}
_ON_THE_WAY = frozenset(["the", "your", "a", "another"])


def named_as_noun(tokens: Sequence[Token], position: int) -> bool:
    """Say whether the word at a position, a body part by its form, is one in this sentence."""
    word = tokens[position].text.lower()
    base = word.removesuffix("s") if word not in _VERBS else word
    if base not in _VERBS:
        return not (word.endswith(_BENT) and _unbent(word) in _VERBS)
    before = tokens[position - 1].text.lower() if position else ""
    if before in _BEFORE_VERB:
        return False
    follows = _follows_a_verb(tokens, position, base)
    if _is_plural(before) and base in ("head", "face"):
        return False
    starts = not before or not before[0].isalnum() or before in _CLAUSE_STARTS
    return not (follows and (starts or before == "to"))


def _unbent(word: str) -> str:
    for ending in _BENT:
        if word.endswith(ending):
            stripped = word.removesuffix(ending)
            return stripped if stripped in _VERBS else f"{stripped}e"
    return word


def _is_plural(word: str) -> bool:
    return word.endswith("s") and not word.endswith("ss") and word not in _POSSESSIVE


def _follows_a_verb(tokens: Sequence[Token], position: int, word: str) -> bool:
    """Whether what comes next can only follow the verb: "head for", "shoulder the bar"."""
    after = [token.text.lower() for token in tokens[position + 1 : position + 3]]
    if not after:
        return False
    if after[0] in _DETERMINERS or after[0] in _AFTER.get(word, ()):
        return True
    return word == "head" and len(after) == 2 and _leads_on(*after)


def _leads_on(first: str, second: str) -> bool:
    """Tell "head back to", "head to the rack" from "head back, chest out"."""
    return (first == "back" and second == "to") or (first == "to" and second in _ON_THE_WAY)
