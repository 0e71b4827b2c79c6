"""What `python -m emg` does; each docstring is the command's help. Nothing heavy is imported."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from emg.recipe import Recipe
from flex.cli import err
from flex.config import load_config
from flex.problems import InputError, Problem
from flex.splits import Part

console = Console(highlight=False, soft_wrap=True)
DATA = Path("data/flex-sim")
RUNS = Path("runs/emg")

Data = Annotated[Path, typer.Option(help="Data folder: FLEX-Sim's, or the authors' ROOT.")]


def train(
    config: Annotated[Path, typer.Option(help="Recipe: one of configs/emg.")],
    data: Data = DATA,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the run; the same resumes it.", show_default="runs/emg/RECIPE"
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the training.", show_default="the recipe's")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]…", help="Settings of the recipe, such as epochs=50."),
    ] = None,
) -> None:
    """Train a model by a recipe; a run that was stopped goes on with the same command.

    First the envelopes of all clips, normalised by training clips; then the features of frames
    into the cache, unless the skeleton alone is read; then the network from there.

        python -m emg train --config configs/emg/small.yaml

        python -m emg train --config configs/emg/small.yaml --out runs/emg/tcn memory=tcn layers=2

        python -m emg train --config configs/emg/small.yaml split=action test_actions=[A16]

        python -m emg train --config configs/emg/paper.yaml --data ROOT weights=resnet50.pth
    """
    chosen = list(settings or []) + ([f"seed={seed}"] if seed is not None else [])
    recipe = load_config(Recipe, config, chosen)
    from emg.train import train as run  # torch takes seconds to import

    folder = out or RUNS / config.stem
    model = run(recipe, config.stem, data, folder)
    found = model.facts["validation"] or {}
    told = ", ".join(f"{name} {value:.3f}" for name, value in found.items() if value is not None)
    console.print(f"epoch {model.facts['epoch']}, validation {told or 'not judged'}: {folder}")


def evaluate(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of runs.", show_default="runs/emg/small"),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Data folder.", show_default="the run's")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RUNS / "report",
    part: Annotated[Part, typer.Option(help="Part of the split that is judged.")] = "test",
    resamples: Annotated[int, typer.Option(help="Draws for the intervals.", min=1)] = 1000,
) -> None:
    """Judge runs: MAE, RMSE, r, onsets, left against right, with intervals and baselines.

    The baselines are the mean of each muscle, and its mean at that part of that phase of that
    exercise. Writes report.md, report.html and report.json; the muscles where a model does not
    beat the per-phase mean are named.

        python -m emg evaluate runs/emg/small

        python -m emg evaluate runs/emg/small runs/emg/tcn --out runs/emg/compared
    """
    from emg import report

    page = report.run(
        runs=runs or [RUNS / "small"], data=data, out=out, part=part, resamples=resamples
    )
    console.print(f"Open {page.with_suffix('.html')}, or read {page}.")


def predict(
    clip: Annotated[str, typer.Argument(help="Id such as A16/007.")],
    run: Annotated[Path, typer.Option("--run", help="Folder of a finished run.")] = RUNS / "small",
    data: Data = DATA,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write to.", show_default="RUN/predictions"),
    ] = None,
    film: Annotated[bool, typer.Option(help="A short mp4 too; needs a view of the clip.")] = True,
) -> None:
    """Tell the activation of every muscle over one clip: CSV, a picture, a film.

    The CSV has a row for each frame. The picture shows frames, the body at its peaks, and the
    envelopes, predicted and measured; in the film the muscles light up beside the video.

        python -m emg predict A16/007

        python -m emg predict A16/007 --run runs/emg/paper --data ROOT --no-film
    """
    from emg.film import film as shoot
    from emg.model import load_model
    from emg.pictures import draw
    from emg.predict import predict_clip, write_csv
    from emg.samples import one_sample
    from flex.graph_file import load_graph

    model = load_model(run)
    prediction = predict_clip(model, clip, data)
    if not prediction.mask.any():
        message = "no muscle that the model was taught is recorded in this exercise"
        raise InputError([Problem(clip, message)])
    stem = (out or run / "predictions") / clip.replace("/", "-")
    write_csv(prediction, stem.with_suffix(".csv"))
    found = one_sample(clip, data, model.recipe, load_graph()).clip
    draw(prediction, found, stem.with_suffix(".png"))
    written = [".csv", ".png"]
    if film and found.views:
        shoot(prediction, found, stem.with_suffix(".mp4"))
        written.append(".mp4")
    console.print(f"{stem}{{{','.join(written)}}}", markup=False)
    if "simulated" in model.facts.get("sources", ()):
        err.print("The model was trained on simulated clips: it says nothing of people.")
