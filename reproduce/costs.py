"""What steps cost: hours of processors and GPUs, and money where a price is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reproduce.record import StepRecord


@dataclass(frozen=True)
class Prices:
    """What an hour costs; `None` where nobody has said.

    Attributes:
        core_hour: of one processor core.
        gpu_hour: of one GPU.
        currency: of both.
    """

    core_hour: float | None = None
    gpu_hour: float | None = None
    currency: str = "USD"

    @property
    def known(self) -> bool:
        """Whether any price was stated."""
        return self.core_hour is not None or self.gpu_hour is not None


class Total(NamedTuple):
    """All steps together."""

    seconds: float
    cpu_s: float
    cost: str


def cost_of(record: StepRecord, prices: Prices) -> str:
    """Return what a step cost, as in "0.31 core-h" or "2.10 GPU-h, 0.42 USD"."""
    return _cost([record], prices)


def total_of(records: Sequence[StepRecord], prices: Prices) -> Total:
    """Return what all steps took and cost."""
    seconds, cpu_s = (sum(getattr(r, name) for r in records) for name in ("seconds", "cpu_s"))
    return Total(seconds, cpu_s, _cost(records, prices))


def duration(seconds: float) -> str:
    """Return "4.2 s", "3 min 5 s" or "2 h 7 min"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _cost(records: Iterable[StepRecord], prices: Prices) -> str:
    records = list(records)
    core_h = sum(record.cpu_s for record in records) / 3600
    gpu_h = sum(record.seconds * record.gpus for record in records) / 3600
    money: dict[str, float] = {}
    if prices.known:
        own = core_h * (prices.core_hour or 0.0) + gpu_h * (prices.gpu_hour or 0.0)
        money[prices.currency] = own
    for record in records:
        if record.money is not None:
            currency = record.currency or prices.currency
            money[currency] = money.get(currency, 0.0) + record.money
    told = [f"{core_h:.3f} core-h"] + ([f"{gpu_h:.2f} GPU-h"] if gpu_h else [])
    return ", ".join([*told, *(f"{sum_:.2f} {currency}" for currency, sum_ in money.items())])
