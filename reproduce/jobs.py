"""Short real runs of the rooms' commands, measured: what `flex plan` takes its rates from."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from flex.files import read_jsonl, write_text
from flex.problems import InputError, Problem
from flex.yaml_places import read_yaml
from reproduce.execute import Usage, measured, tail
from reproduce.transcode import Work, fastest, transcode_all

_TOKENS = re.compile(r"about ([\d,]+) prompt and ([\d,]+) completion tokens")
_FILM_SIZE = 1080
_ROUNDS = 7  # of the same films; the fastest counts, since other work only adds
_SIGNALS = ("Skeleton", "EMG", "Physiology")


class Job(NamedTuple):
    """What a run took.

    Attributes:
        units: how many clips, dialogues or samples.
        bytes: what it wrote.
        command: for the file of rates, without this machine's paths.
    """

    units: float
    cpu_s: float
    memory_mib: float
    bytes: int
    command: str


class Jobs:
    """Runs jobs in a scratch folder, each in a folder of its own.

    What a job took is kept there, so that a run that was stopped goes on at the next job.
    """

    def __init__(self, work: Path, size: int, tell: Callable[[str], None]) -> None:
        self.work, self.size, self._tell = work, size, tell

    def simulate(self, name: str, *options: str) -> Path:
        """Write a simulated data folder; return it."""
        folder = self.work / name
        self._job(name, 0, [folder], "sim", "--out", str(folder), *options)
        return folder

    def clips(self, name: str, *options: str) -> Path:
        """Write a simulated data folder with video of two cameras at the planned size."""
        return self.simulate(name, *options, "--views", "1,2", "--size", str(self.size))

    def labels(self, name: str, clips: int) -> Path:
        """Write simulated labels only; return their folder."""
        folder = self.work / name
        self._job(name, 0, [folder], "sim", "labels", "--out", str(folder), "--clips", str(clips))
        return folder

    def films(self, name: str, *options: str) -> Work:
        """Decode, shrink and encode simulated video of 1080 × 1080."""
        size = str(_FILM_SIZE)
        folder = self.simulate(name, *options, "--views", "1", "--size", size, "--reps", "1")
        self._tell("decode, shrink, encode")
        films = sorted(folder.rglob("View-1.mp4"))
        small = self.work / f"{name}-small"
        return fastest([transcode_all(films, small, self.size) for _ in range(_ROUNDS)])

    def signals(self, data: Path) -> Job:
        """Return the bytes of the skeletons, sEMG and vitals of a data folder."""
        count = len(list(read_jsonl(data / "annotations.jsonl")))
        size = sum(bytes_in(data / folder) for folder in _SIGNALS)
        return Job(count, 0.0, 0.0, size, f"bytes of {', '.join(_SIGNALS)}")

    def dialogues(self, name: str, data: Path, limit: int) -> Job:
        """Write and export dialogues of the first clips from templates."""
        out = self.work / name
        options = ["--data", str(data), "--out", str(out), "--writer", "template"]
        return self._job(name, limit, [out], "qa_gen", "dataset", *options, "--limit", str(limit))

    def tokens(self, labels: Path, config: Path, limit: int) -> tuple[float, float]:
        """Return prompt and written tokens a clip, as the dialogue writer reckons them.

        Raises:
            InputError: the writer does not say them.
        """
        key = read_yaml(config).data.get("api_key_env")
        # Nothing is asked, so that any key will do.
        environment = {key: os.environ.get(key, "none")} if key else {}
        options = ["--writer", "llm", "--config", str(config), "--dry-run", "--limit", str(limit)]
        target = ["--data", str(labels), "--out", str(self.work / "tokens")]
        _, log = self._run(
            "tokens", "qa_gen", "generate", *target, *options, environment=environment
        )
        text = " ".join(log.read_text(encoding="utf-8").split())
        found = _TOKENS.search(text)
        if found is None:
            raise InputError([Problem(str(log), "expected the numbers of tokens of a dry run")])
        prompt, written = (float(number.replace(",", "")) for number in found.groups())
        return prompt / limit, written / limit

    def tune(self, name: str, data: Path, dialogues: Path, *, steps: int) -> Job:
        """Tune the tiny coach for some steps; the unit is a dialogue that was learnt from.

        Frames and vision features are made anew each time, so that they belong to the start.
        """
        out, kept = self.work / name, self.work / f"{name}-cache"
        settings = {"steps": steps, "log_every": 1, "frame_cache": kept / "frames"}
        settings |= {"feature_cache": kept / "features"}
        options = ["--config", "configs/sft/tiny.yaml", "--data", str(data)]
        options += ["--dialogues", str(dialogues / "dialogues.jsonl"), "--out", str(out)]
        options += [f"--set={key}={value}" for key, value in settings.items()]
        job = self._job(name, 0, [out, kept], "sft", "train", *options)
        return job._replace(units=self.learnt(out, data))

    def learnt(self, run: Path, data: Path) -> float:
        """Return from how many dialogues a tuning has learnt, with repeats."""
        rows = [row for _, row in read_jsonl(run / "metrics.jsonl") if isinstance(row, dict)]
        return float(rows[-1]["epoch"]) * self.learners(data)

    def learners(self, data: Path) -> int:
        """Return how many clips of a simulated folder are for training."""
        from flex.annotations import load_annotations
        from flex.graph_file import load_graph
        from flex.splits import split_by_subject

        records = load_annotations(data / "annotations.jsonl", load_graph())
        return len(split_by_subject(records).clips_of("train"))

    def sample_tokens(self, run: Path) -> float:
        """Return the tokens of a dialogue, its frames included, as a tuning logged them."""
        rows = [row for _, row in read_jsonl(run / "metrics.jsonl") if isinstance(row, dict)]
        tokens: float = sum(row["tokens_per_s"] / row["samples_per_s"] for row in rows)
        return tokens / len(rows)

    def ask(self, name: str, data: Path, dialogues: Path, adapter: Path, limit: int) -> Job:
        """Ask the tiny coach about test clips in its three modes; the unit is a clip."""
        out = self.work / name
        options = ["--adapter", str(adapter), "--data", str(data), "--out", str(out)]
        options += ["--dialogues", str(dialogues / "dialogues.jsonl"), "--limit", str(limit)]
        return self._job(name, limit, [out], "eval", "predict", *options)

    def score(self, name: str, data: Path, clips: int, *settings: str) -> Job:
        """Train the small scoring model on two cameras; features are made anew."""
        return self._train(name, data, clips, "aqa", "configs/aqa/mv.yaml", "voters=3", *settings)

    def muscles(self, name: str, data: Path, clips: int, *settings: str) -> Job:
        """Train muscle activation from skeletons."""
        return self._train(name, data, clips, "emg", "configs/emg/small.yaml", *settings)

    def _train(
        self, name: str, data: Path, clips: int, room: str, config: str, *settings: str
    ) -> Job:
        out = self.work / name
        options = ["--config", config, "--data", str(data), "--out", str(out)]
        cache = self.work / f"{name}-cache"
        options.append(f"cache={cache}")
        return self._job(name, clips, [out, cache], room, "train", *options, *settings)

    def _job(self, name: str, units: float, makes: Sequence[Path], *words: str) -> Job:
        """Run a command, or return what it took before; what it makes is made from nothing."""
        command = f"python -m {' '.join(words)}".replace(str(self.work), "WORK")
        kept = self.work / "done" / f"{name}.json"
        if kept.is_file():
            job = Job(**json.loads(kept.read_text(encoding="utf-8")))
            if job.command == command:
                return job
        for folder in makes:
            shutil.rmtree(folder, ignore_errors=True)
        used, _ = self._run(name, *words)
        job = Job(units, used.cpu_s, used.memory_mib, bytes_in(makes[0]), command)
        write_text(kept, json.dumps(job._asdict()) + "\n")
        return job

    def _run(
        self, name: str, *words: str, environment: dict[str, str] | None = None
    ) -> tuple[Usage, Path]:
        self._tell(name)
        log = self.work / "logs" / f"{name}.log"
        log.unlink(missing_ok=True)
        used = measured([sys.executable, "-m", *words], log, environment=environment)
        if used.code:
            message = f"`python -m {' '.join(words[:2])}` failed with {used.code}:\n{tail(log)}"
            raise InputError([Problem(str(log), message)])
        return used, log


def bytes_in(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def slope(jobs: Sequence[Job], what: Callable[[Job], float]) -> tuple[float, float]:
    """Return what a unit takes and what the start takes, from a small and a large job."""
    small, large = jobs
    value = max(0.0, (what(large) - what(small)) / (large.units - small.units))
    return value, max(0.0, what(small) - value * small.units)
