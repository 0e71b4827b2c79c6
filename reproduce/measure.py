"""Measures this machine's rates by short real runs on simulated people.

Each rate is the slope between a small and a large run, so that what a command takes to start is
not counted for every clip; times are of processors, so that other work does not count.
"""

from collections.abc import Callable
from pathlib import Path

from reproduce.jobs import Job, Jobs, slope
from reproduce.machine import describe
from reproduce.rates import Rate, Rates
from reproduce.record import now
from reproduce.transcode import Work

_FEW, _MANY = 100, 1000  # labels
_CLIPS = ("--preset", "tiny", "--reps", "4")
_PER_ACTION, _ACTIONS = 12, 3
_FIRST = "A05"
_FILMED = ("--subjects", "1", "--actions", "A05,A17")
_ASKED = (2, 8)


def measure(work: Path, size: int, llm: Path, tell: Callable[[str], None]) -> Rates:
    """Return the rates of this machine.

    Args:
        work: scratch folder.
        size: height and width of the clips, even.
        llm: config of the language model whose tokens are counted; nothing is asked of it.
        tell: is told what is measured.

    Raises:
        InputError: a command failed; the end of its log is in the message.
    """
    jobs, found = Jobs(work, size, tell), _Found()
    film = jobs.films("films", *_FILMED)
    found.add("decode.core_s", film.decode_s / film.mpx_in, transcoded(film, size))
    found.add("encode.core_s", film.encode_s / film.mpx_out, transcoded(film, size))
    found.add("encode.bytes", film.bytes_out / film.mpx_out, transcoded(film, size))
    data = jobs.clips("data", *_CLIPS)
    signals = jobs.signals(data)
    found.add("signals.bytes", signals.bytes / signals.units, signals)
    found.add("read.core_s", film.read_s / film.frames, transcoded(film, size))
    found.add("jpeg.bytes", film.jpeg_bytes / film.mpx_out, transcoded(film, size))
    labels = jobs.labels("labels", _MANY)
    written = [jobs.dialogues(f"qa-{count}", labels, count) for count in (_FEW, _MANY)]
    found.slope("qa", written)
    found.slope("qa", written, "bytes", lambda job: job.bytes)
    found.add("qa.memory", written[1].memory_mib, written[1])
    prompt, completion = jobs.tokens(labels, llm, _MANY)
    dry = written[1]._replace(command=f"python -m qa_gen generate --dry-run --config {llm}")
    found.add("llm.prompt_tokens", prompt, dry)
    found.add("llm.written_tokens", completion, dry)
    _coach(jobs, found, data)
    _heads(jobs, found, data)
    return Rates(rates=found.rates)


def transcoded(work: Work, size: int) -> Job:
    """Return the decoding and encoding of films as a job."""
    command = f"libav, one core: 1080 × 1080 at 30 a second to {size} × {size}, H.264, crf 23"
    return Job(work.mpx_in, work.decode_s + work.encode_s, 0.0, work.bytes_out, command)


def _coach(jobs: Jobs, found: "_Found", data: Path) -> None:
    """Tune and ask the tiny coach."""
    dialogues = jobs.work / "qa-clips"
    jobs.dialogues("qa-clips", data, _PER_ACTION * _ACTIONS)
    tuned = [jobs.tune(f"sft-{steps}", data, dialogues, steps=steps) for steps in (2, 10)]
    found.slope("sft", tuned)
    found.add("sft.tokens", jobs.sample_tokens(jobs.work / "sft-10"), tuned[1])
    found.add("sft.memory", tuned[1].memory_mib, tuned[1])
    adapter = jobs.work / "sft-10"
    asked = [jobs.ask(f"eval-{count}", data, dialogues, adapter, count) for count in _ASKED]
    found.slope("eval", asked)


def _heads(jobs: Jobs, found: "_Found", data: Path) -> None:
    """Train the small models on one exercise and on all."""
    every = _PER_ACTION * _ACTIONS
    scored = [
        jobs.score("aqa-one", data, _PER_ACTION, f"actions=[{_FIRST}]"),
        jobs.score("aqa-all", data, every),
    ]
    found.slope("aqa", scored)
    found.add("aqa.memory", scored[1].memory_mib, scored[1])
    muscles = [
        jobs.muscles("emg-one", data, _PER_ACTION, f"actions=[{_FIRST}]"),
        jobs.muscles("emg-all", data, every),
    ]
    found.slope("emg", muscles)
    found.add("emg.memory", muscles[1].memory_mib, muscles[1])


class _Found:
    """Rates as they are found, with the machine and the date."""

    def __init__(self) -> None:
        self.rates: dict[str, Rate] = {}
        self._machine, self._date = describe(), now()

    def add(self, name: str, value: float, job: Job, start: float = 0.0) -> None:
        """Add a rate."""
        self.rates[name] = Rate(
            value=value,
            start=start,
            command=job.command,
            data="simulated",
            date=self._date,
            machine=self._machine,
        )

    def slope(
        self,
        room: str,
        jobs: list[Job],
        name: str = "core_s",
        what: Callable[[Job], float] = lambda job: job.cpu_s,
    ) -> None:
        """Add what a unit takes, from a small and a large job."""
        value, start = slope(jobs, what)
        self.add(f"{room}.{name}", value, jobs[1], start)
