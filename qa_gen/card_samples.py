"""Chooses the sample dialogues of the data card: spread over actions and scores, always the same.

While dialogues stream by, one candidate is kept for each action and band of scores — the one whose
clip has the smallest hash — so memory stays flat and the order of the dialogues does not matter.
"""

from flex.files import hash_text
from qa_gen.dialogue import Dialogue

SAMPLES = 10
BAND = 10.0


class SampleChooser:
    """Collects candidates with `add`; `chosen` returns at most ten, the lowest score first."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], tuple[str, Dialogue]] = {}

    def add(self, dialogue: Dialogue) -> None:
        """Consider a dialogue."""
        place = (dialogue.action, int(dialogue.facts.score // BAND))
        rank = hash_text(dialogue.clip)
        if place not in self._kept or rank < self._kept[place][0]:
            self._kept[place] = (rank, dialogue)

    def chosen(self) -> list[Dialogue]:
        """Walk evenly from the lowest score to the highest; prefer actions not used yet."""
        left = sorted(
            (dialogue for _, dialogue in self._kept.values()),
            key=lambda dialogue: (dialogue.facts.score, dialogue.clip),
        )
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
