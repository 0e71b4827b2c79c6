"""The numbers that a text states, in digits or in words: what the fact check holds to the facts."""

import re

_TENS = {
    "ten": 10,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "hundred": 100,
}
_UNITS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
}
_DIGITS = r"\d+(?:\.\d+)?"
_TENS_WORDS = "|".join(_TENS)
_UNIT_WORDS = "|".join(_UNITS)
_NUMBER = re.compile(
    rf"(?<![\w.])(?P<digits>{_DIGITS})"
    rf"|\b(?P<tens>{_TENS_WORDS})(?:[- ](?P<unit>{_UNIT_WORDS}))?\b",
    re.IGNORECASE,
)


def numbers_in(text: str) -> list[float]:
    """Return the numbers of a text in order.

    Digits count ("2.62 s", "30–45°", "77.02"), and words from ten on ("forty-five degrees").
    Smaller words ("one arm", "two hands") are everyday language and do not.
    """
    found = []
    for match in _NUMBER.finditer(text):
        if match["digits"]:
            found.append(float(match["digits"]))
        else:
            unit = match["unit"]
            found.append(
                float(_TENS[match["tens"].lower()] + (_UNITS[unit.lower()] if unit else 0))
            )
    return found
