"""What `python -m reproduce` does; each docstring is the command's help. Imports nothing heavy."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status

from flex.cli import err
from reproduce.chain import Step
from reproduce.choose import Chosen, choose
from reproduce.costs import Prices, duration
from reproduce.record import StepRecord

OUT = Path("runs/reproduce")
Flex = Annotated[
    Path | None,
    typer.Option(
        help="Raw recordings, or a data folder.", show_default="simulated people: FLEX-Sim, tiny"
    ),
]
Out = Annotated[Path, typer.Option(help="Folder of the run; the same one goes on.")]
ChainFile = Annotated[
    Path | None,
    typer.Option("--chain", help="Steps: one of configs/reproduce.", show_default="what suits"),
]
CoreHour = Annotated[float | None, typer.Option(help="Price of a core-hour, for the page.", min=0)]
GpuHour = Annotated[float | None, typer.Option(help="Price of a GPU-hour, for the page.", min=0)]
Currency = Annotated[str, typer.Option(help="Of both prices.")]


def run_command(
    flex: Flex = None,
    out: Out = OUT,
    chain: ChainFile = None,
    steps: Annotated[
        str | None, typer.Option(help="Only these, such as qa,sft.", show_default="all")
    ] = None,
    core_hour: CoreHour = None,
    gpu_hour: GpuHour = None,
    currency: Currency = "USD",
) -> None:
    """Run the steps that are not done, from the data to the page.

    A step is done when its outputs are there and neither its commands nor what it reads has
    changed. The first one that fails ends the run with the end of its log; the same command goes
    on there, as it does after Ctrl-C or a kill. The page is written either way.

        python -m reproduce run

        python -m reproduce run --flex /data/flex --out runs/flex

        python -m reproduce run --steps qa,sft
    """
    from reproduce.page import TEXT, words, write_page
    from reproduce.run import run_chain

    said = words()["console"]
    chosen = choose(flex, out, chain)
    err.print(said[chosen.kind].format(path=flex), markup=False)
    well = False
    try:
        well = run_chain(chosen.chain, out, Console(chosen, out), steps=steps)
    finally:
        page = write_page(chosen.chain, out, chosen.data, Prices(core_hour, gpu_hour, currency))
        if not well:
            err.print(said["stopped"].format(page=page), markup=False)
    if not well:
        raise typer.Exit(1)
    count = len(list(chosen.chain.only(steps)))
    typer.echo(said["finished"].format(count=count, page=page, text=page.with_name(TEXT)))


def page_command(
    flex: Flex = None,
    out: Out = OUT,
    chain: ChainFile = None,
    core_hour: CoreHour = None,
    gpu_hour: GpuHour = None,
    currency: Currency = "USD",
) -> None:
    """Write the page again from what lies in the folder; runs nothing.

    python -m reproduce page --core-hour 0.05 --gpu-hour 2.50
    """
    from reproduce.page import write_page

    chosen = choose(flex, out, chain)
    page = write_page(chosen.chain, out, chosen.data, Prices(core_hour, gpu_hour, currency))
    typer.echo(f"Open {page}, or read {page.with_suffix('.md')}.")


class Console:
    """Tells a run on the console: a line for each step, and the time while it runs."""

    def __init__(self, chosen: Chosen, out: Path) -> None:
        from reproduce.page import words

        self._said = words()["console"]
        self._count = len(chosen.chain.steps)
        self._out = out
        self._status: Status | None = None

    def skipped(self, number: int, step: Step) -> None:
        """Tell that a step is done already."""
        err.print(f"{self._head(number, step)}: {self._said['skipped']}", markup=False)

    def started(self, number: int, step: Step, again: str) -> Callable[[float], None]:
        """Tell that a step starts."""
        from reproduce.execute import tail
        from reproduce.record import log_path

        head = self._head(number, step) + self._said["started"][again]
        log = log_path(self._out, step.name)
        if not err.is_terminal:
            err.print(f"{head} …", markup=False)
            return lambda _: None
        self._status = Status(head, console=err)
        self._status.start()
        status, shown = self._status, [-1]

        def watch(seconds: float) -> None:
            if int(seconds) > shown[0]:
                shown[0] = int(seconds)
                last = tail(log, 1)[:80].replace("[", r"\[")
                status.update(f"{head} · {duration(int(seconds))} · [dim]{last}[/]")

        return watch

    def ended(self, number: int, step: Step, record: StepRecord) -> None:
        """Tell how a step ended; of a failed one the end of its log."""
        from reproduce.execute import tail
        from reproduce.record import log_path

        if self._status is not None:
            self._status.stop()
            self._status = None
        head, time = self._head(number, step), duration(record.seconds)
        if record.state == "done":
            err.print(f"{head}: {time}", markup=False)
            return
        log = log_path(self._out, step.name)
        told = self._said["failed"].format(code=record.exit_code or 0, time=time, log=log)
        err.print(f"{head}: {told}", markup=False, style="red")
        err.print(tail(log), markup=False)
        err.print(self._said["again"], markup=False)

    def _head(self, number: int, step: Step) -> str:
        return f"{number}/{self._count} {step.name}, {step.title}"
