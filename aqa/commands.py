"""What `python -m aqa` does; each docstring is the command's help. Nothing heavy is imported."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from aqa.recipe import Recipe
from flex.cli import err
from flex.config import load_config
from flex.problems import InputError, Problem

console = Console(highlight=False, soft_wrap=True)
DATA = Path("data/flex-sim")
RUNS = Path("runs/aqa")

Config = Annotated[Path, typer.Option(help="Recipe: one of configs/aqa or configs/aqa/paper.")]
Data = Annotated[Path, typer.Option(help="Data folder: FLEX-Sim's, or the authors' ROOT.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder of the run; the same resumes it.", show_default="runs/aqa/RECIPE"),
]
Seed = Annotated[int | None, typer.Option(help="Of the training.", show_default="the recipe's")]
Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]…", help="Settings of the recipe, such as epochs=50."),
]
Run = Annotated[Path, typer.Argument(help="Folder of a finished run.")]
RunOption = Annotated[Path, typer.Option("--run", help="Folder of a finished run.")]


def train(
    config: Config,
    data: Data = DATA,
    out: Out = None,
    seed: Seed = None,
    settings: Settings = None,
) -> None:
    """Train a model by a recipe; a run that was stopped goes on with the same command.

    First the backbones (small_cnn: from scratch, once for all actions), then their features into
    the cache, then the heads of all actions from there. Predictions of validation and test clips
    lie in the run's folder at the end.

        python -m aqa train --config configs/aqa/mv.yaml

        python -m aqa train --config configs/aqa/graph.yaml --seed 1 --out runs/aqa/graph-1

        python -m aqa train --config configs/aqa/mv.yaml split=repetition epochs=50

        python -m aqa train --config configs/aqa/paper/mv.yaml actions=[A16] weights=I3D.pt

        torchrun --nproc_per_node 2 -m aqa train --config configs/aqa/graph.yaml end_to_end=true
    """
    chosen = list(settings or []) + ([f"seed={seed}"] if seed is not None else [])
    recipe = load_config(Recipe, config, chosen)
    from aqa.train import train as run  # torch takes seconds to import

    folder = out or RUNS / config.stem
    predictions = run(recipe, config.stem, data, folder)
    if predictions:
        console.print(f"{len(predictions)} test clips scored; the run lies in {folder}.")


def practise(
    config: Config = Path("configs/aqa/practice/pose.yaml"),
    data: Annotated[Path, typer.Option(help="Shards of `python -m pretrain.lifts`.")] = Path(
        "runs/aqa-practice"
    ),
    run: Annotated[Path, typer.Option(help="Folder of log and resume point.")] = RUNS / "practice",
    out: Annotated[Path, typer.Option(help="Folder of weights and card.")] = Path(
        "models/aqa-start"
    ),
    settings: Settings = None,
) -> None:
    """Teach the pose backbone and the graph head from many skeletons, for `start=FOLDER`.

    python -m pretrain.lifts

    python -m aqa practise
    """
    recipe = load_config(Recipe, config, settings or [])
    from aqa.practice import practise as run_practice

    facts = run_practice(recipe, data, run, out)
    console.print(f"F1 {facts['f1']}, ρ {facts['rho']} on simulated people not trained on: {out}")


def predict(
    run: Run,
    data: Annotated[
        Path | None, typer.Option(help="Data folder.", show_default="the run's")
    ] = None,
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option(help="Part of the split.")
    ] = "test",
    out: Annotated[
        Path | None,
        typer.Option(help="File to write.", show_default="RUN/predictions.jsonl"),
    ] = None,
) -> None:
    """Score the clips of a data folder with a trained model, one line a clip.

    python -m aqa predict runs/aqa/mv

    python -m aqa predict runs/aqa/graph --data ROOT --out runs/aqa/graph-on-root.jsonl
    """
    from aqa.model import load_model
    from aqa.predict_folder import predict_folder
    from aqa.predictions import PREDICTIONS_FILE, write_predictions

    model = load_model(run)
    folder = data or Path(str(model.facts.get("data", DATA)))
    path = out or run / PREDICTIONS_FILE
    count = write_predictions(path, predict_folder(model, folder, part))
    console.print(f"{count} clips scored: {path}")


def score(
    clip: Annotated[str, typer.Argument(help="Id such as A16/007, or a video or frames folder.")],
    run: RunOption,
    data: Data = DATA,
    action: Annotated[
        str | None, typer.Option(help="What is lifted, id or name; needed for a file.")
    ] = None,
    view: Annotated[
        str | None, typer.Option(help="Which of the run's views a file is.", show_default="first")
    ] = None,
    second: Annotated[
        Path | None, typer.Option(help="Folder of a run of CoRe, for a second opinion.")
    ] = None,
) -> None:
    """Score one clip: its score, its errors with their probability, what cannot be seen.

    python -m aqa score A16/007 --run runs/aqa/graph

    python -m aqa score squat.mp4 --action squat --run runs/aqa/graph

    python -m aqa score A16/007 --run runs/aqa/graph --second runs/aqa/mv_pose_emg
    """
    if "/" not in clip and not Path(clip).exists():
        message = "is neither a file nor an id such as A16/007"
        raise InputError([Problem(clip, message)])
    from aqa.hybrid import opinion_of
    from aqa.model import load_model
    from aqa.score_clip import sample_of, second_of, told

    model = load_model(run)
    sample = sample_of(clip, data, model, action=action, view=view)
    other = None
    if second is not None:
        core = load_model(second)
        seen = sample_of(clip, data, core, action=action, view=view)
        other = second_of(core, seen, opinion_of(run, second))
    console.print(told(model, sample, other), markup=False)
    if "simulated" in model.facts.get("sources", ()):
        err.print("The model was trained on simulated clips: its scores say nothing of people.")
