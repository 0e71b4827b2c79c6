"""What a run costs: lines that are products of inputs and rates, with their arithmetic shown.

    plan = estimate(Inputs(clips=7512), rates)
    plan.lines[0].arithmetic        # "7,512 clips × 5 views × … = 1.2 GB"

Which lines there are is data: prompts/reproduce/plan.yaml.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from flex.dataset import FRAMES_PER_CLIP
from flex.templates import wording
from reproduce.rates import GPU, Rate, Rates

# The paper, section 3.3: mean duration; section 3.2: cameras.
_REPETITION_S = 233.76 / 120
_CAMERA_MPX_S = (4 * 3840 * 2160 * 120 + 1920 * 1080 * 60) / 1e6
_TRAIN, _TEST, _MODES = 0.7, 0.2, 3
_EPOCHS, _TINY_EPOCHS = 2, 8  # configs/sft/best.yaml and paper.yaml; tiny.yaml


class Inputs(BaseModel):
    """What is planned.

    Attributes:
        size: height and width of the clips, pixels.
        raw_tb: of raw recordings to prepare, 10^12 bytes; 0 for none.
        recorded_h: hours that the cameras recorded; `None`: the repetitions alone count.
        price_in: money for a prompt token; `price_out` for a written one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clips: int = Field(default=7512, ge=1)
    views: int = Field(default=5, ge=1)
    frames: int = Field(default=FRAMES_PER_CLIP, ge=1)
    size: int = Field(default=224, ge=16)
    gpus: int = Field(default=1, ge=1)
    cores: int = Field(default=1, ge=1)
    raw_tb: float = Field(default=3.0, ge=0)
    recorded_h: float | None = Field(default=None, gt=0)
    price_in: float = Field(default=0.0, ge=0)
    price_out: float = Field(default=0.0, ge=0)
    currency: str = "USD"
    model: str = ""

    @property
    def numbers(self) -> dict[str, float]:
        """The factors that are no rates, by name."""
        return {
            "clips": self.clips,
            "views": self.views,
            "frames": self.frames,
            "size": self.size,
            "gpus": self.gpus,
            "train_clips": round(_TRAIN * self.clips),
            "test_clips": round(_TEST * self.clips),
            "modes": _MODES,
            "epochs": _EPOCHS,
            "tiny_epochs": _TINY_EPOCHS,
            "frame_mpx": self.size**2 / 1e6,
            "repetition_s": _REPETITION_S,
            "camera_mpx_s": _CAMERA_MPX_S,
            "recorded_s": (self.recorded_h or 0.0) * 3600,
            "raw_b": self.raw_tb * 1e12,
            "price_in": self.price_in,
            "price_out": self.price_out,
            "hour": 3600,
        }


class Line(NamedTuple):
    """One line of a plan.

    Attributes:
        value: `None` where a rate is not known.
        arithmetic: its factors and the result, in words.
        note: says where a rate of another machine is from, or that there is none.
    """

    step: str
    what: str
    unit: str
    value: float | None
    arithmetic: str
    note: str


class Plan(NamedTuple):
    """All lines, and the sums of those that add up: unit → sum."""

    lines: tuple[Line, ...]
    totals: dict[str, float]


def words() -> dict[str, Any]:
    """Return the lines of a plan and what all is called."""
    return wording("reproduce/plan.yaml")


def estimate(inputs: Inputs, rates: Rates) -> Plan:
    """Return what a run costs.

    A line one of whose rates is not known has no value: nothing is put in its place.
    """
    lines = [
        _line(spec, inputs, rates.rates) for spec in words()["lines"] if _applies(spec, inputs)
    ]
    totals: dict[str, float] = {}
    for line in lines:
        if line.unit in words()["totals"] and line.value is not None:
            totals[line.unit] = totals.get(line.unit, 0.0) + line.value
    return Plan(tuple(lines), totals)


def said(value: float, unit: str) -> str:
    """Return a value for people: bytes as kB to TB, others with three digits that matter."""
    if unit != "B":
        return f"{plain(value)} {unit}"
    for name in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{plain(value)} {name}"
        value /= 1000
    return f"{plain(value)} TB"


def plain(value: float) -> str:
    """Return a number with its thousands apart and, below 1,000, four digits that matter."""
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-3 else f"{value:.2e}"


def _applies(spec: Mapping[str, Any], inputs: Inputs) -> bool:
    raw = inputs.raw_tb > 0
    return {
        None: True,
        "raw": raw,
        "repetitions": raw and inputs.recorded_h is None,
        "recorded": raw and inputs.recorded_h is not None,
    }[spec.get("when")]


def _line(spec: Mapping[str, Any], inputs: Inputs, rates: Mapping[str, Rate]) -> Line:
    unit = str(spec["unit"]).replace("money", inputs.currency)
    factors = [str(name) for name in spec["factors"]]
    lacking = [name for name in factors if "." in name and name not in rates]
    terms = _terms(factors, inputs, rates)
    if lacking:
        return Line(spec["step"], spec["what"], spec["unit"], None, terms, words()["not_here"])
    value = 1.0
    for name in factors:
        number = _number(name.lstrip("/"), inputs, rates)
        value = value / number if name.startswith("/") else value * number
    note = "; ".join(dict.fromkeys(_from(rates[n]) for n in factors if n.startswith(GPU)))
    told = terms if len(factors) == 1 and unit != "B" else f"{terms} = {said(value, unit)}"
    return Line(spec["step"], spec["what"], spec["unit"], value, told, note)


def _terms(factors: Iterable[str], inputs: Inputs, rates: Mapping[str, Rate]) -> str:
    text = ""
    for name in factors:
        bare = name.lstrip("/")
        known = "." not in bare or bare in rates
        number = plain(_number(bare, inputs, rates)) if known else "?"
        label = words()["rates" if "." in bare else "inputs"][bare]
        label = label.format(currency=inputs.currency, model=inputs.model)
        sign = "" if not text else " ÷ " if name.startswith("/") else " × "
        text += f"{sign}{number} {label}"
    return text


def _number(name: str, inputs: Inputs, rates: Mapping[str, Rate]) -> float:
    return rates[name].value if "." in name else inputs.numbers[name]


def _from(rate: Rate) -> str:
    return str(words()["elsewhere"].format(machine=rate.machine, date=rate.date))
