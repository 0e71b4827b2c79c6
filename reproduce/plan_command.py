"""`python -m flex plan`: what a run over so many clips costs. Nothing heavy is imported."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flex.problems import InputError, Problem

RATES = Path("runs/plan/rates.json")
LLM = Path("configs/qa_gen/deepseek.yaml")


def plan_command(
    clips: Annotated[int, typer.Option(min=1, help="Repetitions.")] = 7512,
    views: Annotated[int, typer.Option(min=1, help="Cameras.")] = 5,
    frames: Annotated[int, typer.Option(min=1, help="Frames a clip and view.")] = 103,
    size: Annotated[int, typer.Option(min=16, help="Height and width of the clips, even.")] = 224,
    gpus: Annotated[int, typer.Option(min=1, help="GPUs.")] = 1,
    raw_tb: Annotated[
        float, typer.Option(min=0, help="Raw recordings to prepare, 10^12 bytes; 0: none.")
    ] = 3.0,
    recorded_hours: Annotated[
        float | None,
        typer.Option(min=0, help="Hours recorded.", show_default="the repetitions alone"),
    ] = None,
    llm: Annotated[Path, typer.Option(help="Language model and its prices: configs/qa_gen.")] = LLM,
    rates: Annotated[Path, typer.Option(help="This machine's rates; measured if missing.")] = RATES,
    gpu_rates: Annotated[
        list[Path] | None,
        typer.Option(help="Rates of a machine with GPUs; may be repeated (docs/reproduce.md)."),
    ] = None,
    measure: Annotated[bool, typer.Option("--measure", help="Measure the rates anew.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Hold the rates against a real run of 36 clips.")
    ] = False,
) -> None:
    """Say what a run costs before it runs: disk, decoding, tokens, price, GPU-hours, memory.

    The rates are those of this machine: short real runs on simulated people, minutes the first
    time. Every line shows its arithmetic. What is not measured here, a GPU above all, has no
    number unless you state one. `--check` exits with 1 if a prediction is off by more than 25 %.

        python -m flex plan

        python -m flex plan --clips 400 --views 2 --raw-tb 0

        python -m flex plan --gpus 8 --gpu-rates h100.json

        python -m flex plan --check
    """
    if size % 2:
        raise InputError([Problem("--size", f"expected an even number, found {size}")])
    from flex.processors import processors
    from reproduce.estimate import Inputs, estimate, words
    from reproduce.plan_check import TOLERANCE
    from reproduce.planning import compared_table, known_rates, prices_of, run_check, shown_plan

    inputs = Inputs(
        clips=clips,
        views=views,
        frames=frames,
        size=size,
        gpus=gpus,
        cores=processors(),
        raw_tb=raw_tb,
        recorded_h=recorded_hours,
        **prices_of(llm),
    )
    own, every = known_rates(rates, gpu_rates or [], size, llm, anew=measure)
    console = Console(highlight=False)
    if not check:
        for part in shown_plan(estimate(inputs, every), inputs, own, rates):
            console.print(part, markup=False, soft_wrap=True)
        return
    compared = run_check(rates.parent, size, own)
    console.print(compared_table(compared))
    if not all(one.well for one in compared):
        raise typer.Exit(1)
    console.print(words()["check"]["well"].format(tolerance=TOLERANCE))
