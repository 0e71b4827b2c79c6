"""Finds where an answer begins to repeat itself, while it is written.

    watch = Repetition()
    for piece in pieces:
        if (end := watch.add(piece)) is not None:
            answer = answer[:end]          # up to the end of what is repeated, said once
            break

A repetition is a passage of up to `LONGEST` characters that is said several times on end: a
character, words, sentences or lines, in any script. Case and the numbers of a list do not count:
lines that go on differently after the same beginning are none. Each character costs the same,
however long the answer is.
"""

import numpy as np

# The longest passage that is watched for, in characters.
LONGEST = 600
# What is said on end has to be so long in all, so that "very, very good" is none ...
_LEAST = 36
# ... has to be said so often ...
_TIMES = 3
# ... and single characters even longer: rows of dots and dashes are used to set things apart.
_LEAST_SINGLE = 100


class Repetition:
    """Watches one answer."""

    def __init__(self) -> None:
        self._text: list[str] = []
        # Where each character that counts is in the text.
        self._places: list[int] = []
        # The last of them as numbers, written twice so that any stretch lies in one piece.
        self._ring = np.full(2 * LONGEST, -1, np.int64)
        # How many of the last are as those one period before them, for each period.
        self._runs = np.zeros(LONGEST, np.int64)
        self._periods = np.arange(1, LONGEST + 1)
        whole = np.maximum(_TIMES * self._periods, _LEAST)
        whole[0] = _LEAST_SINGLE
        self._needed = whole - self._periods
        self._line_begins = True

    def add(self, piece: str) -> int | None:
        """Take in what comes next; returns where the answer is to end, once it repeats itself."""
        for character in piece:
            self._text.append(character)
            if self._is_of_list_number(character):
                continue
            self._places.append(len(self._text) - 1)
            if period := self._match(ord(character.casefold()[0])):
                return self._end(period)
        return None

    def _is_of_list_number(self, character: str) -> bool:
        if character == "\n":
            self._line_begins = True
        elif not (character.isdigit() or character.isspace()):
            self._line_begins = False
        return self._line_begins and character.isdigit()

    def _match(self, code: int) -> int:
        """Take in a character; returns the period with which the text now ends, 0 if none."""
        at = (len(self._places) - 1) % LONGEST
        same = self._ring[at : at + LONGEST][::-1] == code
        self._runs += 1
        self._runs *= same
        self._ring[at] = self._ring[at + LONGEST] = code
        found = self._runs >= self._needed
        if not found.any():
            return 0
        # A row of one character has every period.
        found[1:] &= (self._runs + self._periods)[1:] > self._runs[0] + 1
        return int(self._periods[found.argmax()]) if found.any() else 0

    def _end(self, period: int) -> int:
        """Return where the passage has been said once, at the end of a sentence or word if any."""
        first = len(self._places) - int(self._runs[period - 1])
        once = self._places[first - 1] + 1
        twice = self._places[min(first + period, len(self._places) - 1)]
        ends = [self._without_space(place) for place in range(once, twice + 1)]
        for fits in (self._ends_sentence, self._ends_word):
            if fitting := next((end for end in ends if fits(end)), None):
                return fitting
        return ends[0]

    def _without_space(self, end: int) -> int:
        while end and self._text[end - 1].isspace():
            end -= 1
        return end

    def _ends_sentence(self, end: int) -> bool:
        if end in (0, len(self._text)):
            return False
        before, after = self._text[end - 1], self._text[end]
        return after == "\n" or before in "。！？" or (before in ".!?…" and after.isspace())

    def _ends_word(self, end: int) -> bool:
        return 0 < end < len(self._text) and self._text[end].isspace()
