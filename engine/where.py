"""Where work runs: processes of this machine, or a Ray cluster; the same bytes come out.

Engine(jobs=4)              # four processes here
Engine(ray="auto")          # the Ray cluster that this machine belongs to
Engine(ray="ray://head:10001", retry=True)
"""

from dataclasses import dataclass

from flex.problems import InputError, Problem


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The engine switch, as commands give it.

    Attributes:
        jobs: workers at once, at most; default: one for each processor here, or with Ray as many
            as the cluster holds.
        ray: `None` for processes of this machine; "auto" for the cluster that runs here (one is
            started on this machine if none does), or a cluster's address, "host:6379" or
            "ray://host:10001".
        retry: try again what is on the quarantine list.
        attempts: how often an item may take its worker down before it goes to quarantine.

    Raises:
        InputError: no job, no attempt, or an empty address.
    """

    jobs: int | None = None
    ray: str | None = None
    retry: bool = False
    attempts: int = 3

    def __post_init__(self) -> None:
        problems = []
        if self.jobs is not None and self.jobs < 1:
            problems.append(Problem("--jobs", f"expected 1 or more, found {self.jobs}"))
        if self.ray is not None and not self.ray.strip():
            problems.append(Problem("--ray", 'expected "auto" or an address, found nothing'))
        if self.attempts < 1:
            problems.append(Problem("attempts", f"expected 1 or more, found {self.attempts}"))
        if problems:
            raise InputError(problems)
