"""Holds a plan against a real run: other people and exercises than those the rates are from."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from reproduce.jobs import Job, Jobs
from reproduce.measure import transcoded
from reproduce.rates import Rates

TOLERANCE = 0.25
_CLIPS = ("--subjects", "4", "--actions", "A01,A08,A16", "--reps", "3", "--seed", "1")
COUNT = 36
_FILMED = ("--subjects", "1", "--actions", "A08,A16", "--seed", "1")
_STEPS, _ASKED = 6, 6


class Compared(NamedTuple):
    """One figure: what was predicted and what the run took."""

    what: str
    unit: str
    predicted: float
    measured: float

    @property
    def ratio(self) -> float:
        """Measured over predicted."""
        return self.measured / self.predicted if self.predicted else float("inf")

    @property
    def well(self) -> bool:
        """Whether the run took what was predicted, within the tolerance."""
        return abs(self.ratio - 1) <= TOLERANCE


def check(work: Path, size: int, rates: Rates, tell: Callable[[str], None]) -> list[Compared]:
    """Run a few dozen simulated clips through everything; return what each part took.

    Args:
        work: scratch folder.
        size: height and width of the clips, even.
        rates: this machine's.
        tell: is told what runs.

    Raises:
        InputError: a command failed.
    """
    return list(_compare(Jobs(work, size, tell), size, rates))


def _compare(jobs: Jobs, size: int, rates: Rates) -> Iterator[Compared]:
    def per(name: str) -> float:
        return rates.rates[name].value

    def predicted(name: str, units: float) -> float:
        return rates.rates[name].start + per(name) * units

    film = jobs.films("films", *_FILMED)
    time_s = film.mpx_in * per("decode.core_s") + film.mpx_out * per("encode.core_s")
    yield Compared("films", "core-s", time_s, transcoded(film, size).cpu_s)
    yield Compared("film_bytes", "B", film.mpx_out * per("encode.bytes"), film.bytes_out)
    yield Compared("jpeg_bytes", "B", film.mpx_out * per("jpeg.bytes"), film.jpeg_bytes)
    yield Compared("read", "core-s", film.frames * per("read.core_s"), film.read_s)
    data = jobs.clips("data", *_CLIPS)
    yield Compared("signals", "B", COUNT * per("signals.bytes"), jobs.signals(data).bytes)
    written = jobs.dialogues("qa", data, COUNT)
    yield _of("qa", predicted("qa.core_s", COUNT), written)
    yield Compared("qa_bytes", "B", predicted("qa.bytes", COUNT), written.bytes)
    tuned = jobs.tune("sft", data, jobs.work / "qa", steps=_STEPS)
    yield _of("sft", predicted("sft.core_s", tuned.units), tuned)
    asked = jobs.ask("eval", data, jobs.work / "qa", jobs.work / "sft", _ASKED)
    yield _of("eval", predicted("eval.core_s", _ASKED), asked)
    yield _of("aqa", predicted("aqa.core_s", COUNT), jobs.score("aqa", data, COUNT))
    yield _of("emg", predicted("emg.core_s", COUNT), jobs.muscles("emg", data, COUNT))


def _of(what: str, predicted_s: float, job: Job) -> Compared:
    return Compared(what, "core-s", predicted_s, job.cpu_s)
