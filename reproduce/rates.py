"""Measured rates: time, bytes and tokens that one unit takes; kept in runs/plan/rates.json."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from flex.files import write_text
from flex.problems import InputError, Problem, problems_of

GPU = "gpu."


class Rate(BaseModel):
    """What one unit takes, with what says where the number is from.

    Attributes:
        value: per unit, in the unit of its name in prompts/reproduce/plan.yaml.
        start: what a run takes before its first unit, in the same unit of measure.
        command: what was run.
        data: on what.
        date: UTC.
        machine: in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    start: float = 0.0
    command: str
    data: str
    date: str
    machine: str


class Rates(BaseModel):
    """Rates by name, as "qa.core_s"; those of GPUs begin with "gpu."."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rates: dict[str, Rate]

    def joined(self, others: Iterable["Rates"]) -> "Rates":
        """Return these rates with those of other machines added, whose names win."""
        found = dict(self.rates)
        for other in others:
            found.update(other.rates)
        return Rates(rates=found)


def write_rates(path: Path, rates: Rates) -> None:
    """Write rates as JSON, atomically."""
    write_text(path, json.dumps(rates.model_dump(), indent=1, ensure_ascii=False) + "\n")


def read_rates(path: Path, known: Iterable[str]) -> Rates:
    """Read rates.

    Args:
        path: the file.
        known: names that a rate may have.

    Raises:
        InputError: no such file, not of this form, or a rate that nothing uses.
    """
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except ValueError as error:
        raise InputError([Problem(str(path), f"is no JSON: {error}")]) from error
    try:
        rates = Rates.model_validate(content)
    except ValidationError as error:
        keys = sorted(Rate.model_fields)
        raise InputError(
            problems_of(error, lambda loc: f"{path}, {'.'.join(map(str, loc))}", keys)
        ) from error
    names = sorted(known)
    unknown = [name for name in rates.rates if name not in names]
    if unknown:
        told = ", ".join(names)
        raise InputError(
            Problem(str(path), f"nothing is reckoned with {name!r}; there are {told}")
            for name in unknown
        )
    return rates
