"""Cohen's κ between two people who answered the same yes-or-no questions.

kappa_of(Answers(both=20, first=5, second=10, neither=15)).kappa    # 0.4
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Answers:
    """How often two people said yes: both, only the first, only the second, neither."""

    both: int = 0
    first: int = 0
    second: int = 0
    neither: int = 0

    def __add__(self, other: "Answers") -> "Answers":
        return Answers(
            self.both + other.both,
            self.first + other.first,
            self.second + other.second,
            self.neither + other.neither,
        )

    @property
    def units(self) -> int:
        """How many questions both answered."""
        return self.both + self.first + self.second + self.neither


@dataclass(frozen=True)
class Kappa:
    """Agreement of two people beyond chance.

    Attributes:
        kappa: 1 is perfect, 0 is chance; `None` if it is not defined.
        units: questions that both answered.
        same: the share of them with the same answer.
        why: why κ is not defined.
    """

    kappa: float | None
    units: int
    same: float
    why: str | None = None


def kappa_of(answers: Answers) -> Kappa:
    """Return Cohen's κ; it is not defined where both always give one and the same answer."""
    units = answers.units
    if not units:
        return Kappa(None, 0, 0.0, "they judged nothing in common")
    same = (answers.both + answers.neither) / units
    first = (answers.both + answers.first) / units
    second = (answers.both + answers.second) / units
    chance = first * second + (1 - first) * (1 - second)
    if answers.both == units or answers.neither == units:
        said = "yes" if answers.both else "no"
        return Kappa(None, units, same, f"both always said {said}: there is no variation")
    return Kappa((same - chance) / (1 - chance), units, same)
