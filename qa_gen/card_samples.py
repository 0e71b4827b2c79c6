"""Chooses the sample dialogues of the data card: spread over actions and scores, always the same.

While dialogues stream by, one candidate is kept for each action and band of scores, and ten from
anywhere for data sets with few actions. Those whose clip has the smallest hash are kept, so memory
stays flat and the order of the dialogues does not matter.
"""

import bisect

from flex.files import hash_text
from qa_gen.dialogue import Dialogue

SAMPLES = 10
BAND = 10.0


class SampleChooser:
    """Collects candidates with `add`; `chosen` returns at most ten, the lowest score first."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], tuple[str, Dialogue]] = {}
        self._anywhere: list[tuple[str, Dialogue]] = []

    def add(self, dialogue: Dialogue) -> None:
        """Consider a dialogue."""
        place = (dialogue.action, int(dialogue.facts.score // BAND))
        rank = hash_text(dialogue.clip)
        if place not in self._kept or rank < self._kept[place][0]:
            self._kept[place] = (rank, dialogue)
        bisect.insort(self._anywhere, (rank, dialogue), key=lambda item: item[0])
        del self._anywhere[SAMPLES:]

    def chosen(self) -> list[Dialogue]:
        """Walk evenly from the lowest score to the highest; prefer actions not used yet."""
        found = dict([*self._anywhere, *self._kept.values()])
        left = sorted(found.values(), key=lambda dialogue: (dialogue.facts.score, dialogue.clip))
        if len(left) <= SAMPLES:
            return left
        low, high = left[0].facts.score, left[-1].facts.score
        used: list[Dialogue] = []
        for step in range(SAMPLES):
            wanted = low + (high - low) * step / (SAMPLES - 1)
            best = min(left, key=lambda dialogue: _misfit(dialogue, wanted, used))
            left.remove(best)
            used.append(best)
        return sorted(used, key=lambda dialogue: (dialogue.facts.score, dialogue.clip))


def _misfit(dialogue: Dialogue, wanted: float, used: list[Dialogue]) -> tuple[int, float, str]:
    times = sum(other.action == dialogue.action for other in used)
    return times, abs(dialogue.facts.score - wanted), dialogue.clip
