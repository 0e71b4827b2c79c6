"""Jobs that run nothing and take what a formula says, to work the numbers of a plan by hand."""

from pathlib import Path

from reproduce.jobs import Job, Jobs
from reproduce.transcode import Work


class KnownJobs(Jobs):
    """Every job takes a start and so much for each unit."""

    def films(self, name: str, *options: str) -> Work:
        return Work(50, 4, 100, decode_s=5, encode_s=2, read_s=1, bytes_out=800, jpeg_bytes=4000)

    def clips(self, name: str, *options: str) -> Path:
        return self.work

    def labels(self, name: str, clips: int) -> Path:
        return self.work

    def signals(self, data: Path) -> Job:
        return Job(36, 0, 0, 360, "signals")

    def dialogues(self, name: str, data: Path, limit: int) -> Job:
        return Job(limit, 3 + 0.5 * limit, 70, 100 + 20 * limit, "dialogues")

    def tokens(self, labels: Path, config: Path, limit: int) -> tuple[float, float]:
        return 900.0, 300.0

    def learners(self, data: Path) -> int:
        return 12

    def tune(self, name: str, data: Path, dialogues: Path, *, steps: int) -> Job:
        return Job(6 * steps, 10 + 6 * steps * 0.25, 90, 0, "tune")

    def sample_tokens(self, run: Path) -> float:
        return 800.0

    def ask(self, name: str, data: Path, dialogues: Path, adapter: Path, limit: int) -> Job:
        return Job(limit, 7 + 4 * limit, 95, 0, "ask")

    def score(self, name: str, data: Path, clips: int, *settings: str) -> Job:
        return Job(clips, 8 + clips, 100, 0, "score")

    def muscles(self, name: str, data: Path, clips: int, *settings: str) -> Job:
        return Job(clips, 9 + 3 * clips, 110, 0, "muscles")
