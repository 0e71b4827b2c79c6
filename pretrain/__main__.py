"""Teaches the tiny base: `draw` clips, `look` at them, `speak` of them, do both `together`, `pack`.

python -m pretrain draw
python -m pretrain look --fast
python -m pretrain speak
python -m pretrain together --fast
python -m pretrain pack
"""

from pathlib import Path
from typing import Annotated

import typer

from flex import cli

app = cli.new_app(__doc__ or "")
_FILMS, _EYES = Path("runs/base/films"), Path("runs/base/eyes")
_RUN, _BOTH = Path("runs/base/out"), Path("runs/base/both")
_SHIPPED = Path("models/tiny-coach-base")
Films = Annotated[Path, typer.Option(help="Where the clips lie.")]


@app.command()
def draw(
    out: Films = _FILMS,
    shards: Annotated[int, typer.Option(help="How many cohorts, 250 clips and 150 MB each.")] = 126,
    seed: Annotated[int, typer.Option(help="Of the first cohort; FLEX-Sim's own is 0.")] = 1000,
    jobs: Annotated[int, typer.Option(help="Processes.")] = 1,
) -> None:
    """Draw clips of people who are in no data set of this project."""
    from pretrain.films import draw as draw_films

    draw_films(out, shards=shards, seed=seed, jobs=jobs)


@app.command()
def look(
    films: Films = _FILMS,
    out: Annotated[Path, typer.Option(help="Where weights and log go.")] = _EYES,
    minutes: Annotated[float, typer.Option(help="How long to train.")] = 37,
    glances: Annotated[float, typer.Option(help="Share of it for single steps of time.")] = 1.0,
    start: Annotated[Path | None, typer.Option(help="Go on from this run's weights.")] = None,
    seed: Annotated[int, typer.Option(help="Of weights and draws.")] = 0,
    fast: Annotated[bool, typer.Option(help="Compile the blocks; takes a C++ compiler.")] = False,
) -> None:
    """Teach the eyes: the pose at a glance, then, if asked, what whole clips show."""
    from pretrain.train import look as train_eyes

    train_eyes(films, out, minutes=minutes, glances=glances, start=start, seed=seed, fast=fast)


@app.command()
def speak(
    films: Films = _FILMS,
    run: Annotated[Path, typer.Option(help="What `look` wrote.")] = _EYES,
    out: Annotated[Path, typer.Option(help="Where the base and the log go.")] = _RUN,
    minutes: Annotated[float, typer.Option(help="How long to train.")] = 55,
    read: Annotated[float, typer.Option(help="Share of it for reading, without words.")] = 0.45,
    looks: Annotated[int, typer.Option(help="How often each clip is seen, varied.")] = 2,
    brief: Annotated[
        float, typer.Option(help="Share of the steps with short talks about the gist of clips.")
    ] = 0.0,
    pace: Annotated[float, typer.Option(help="Scales the rates; lower to go on from words.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    fast: Annotated[bool, typer.Option(help="Compile the layers; takes a C++ compiler.")] = False,
) -> None:
    """Teach the language model to read what the eyes see, and the words for it."""
    from pretrain.train import speak as train_words

    train_words(
        films,
        run,
        out,
        minutes=minutes,
        read=read,
        looks=looks,
        brief=brief,
        pace=pace,
        seed=seed,
        fast=fast,
    )


@app.command()
def together(
    films: Films = _FILMS,
    run: Annotated[Path, typer.Option(help="What `speak` wrote.")] = _RUN,
    out: Annotated[Path, typer.Option(help="Where the base and the log go.")] = _BOTH,
    minutes: Annotated[float, typer.Option(help="How long to train.")] = 80,
    brief: Annotated[
        float, typer.Option(help="Share of the steps with short talks about the gist of clips.")
    ] = 0.85,
    pace: Annotated[float, typer.Option(help="Scales the rates.")] = 0.6,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    fast: Annotated[bool, typer.Option(help="Compile the layers; takes a C++ compiler.")] = False,
) -> None:
    """Teach eyes and words at once, each clip seen anew: what words need reaches the eyes."""
    from pretrain.together import together as train_both

    train_both(films, run, out, minutes=minutes, brief=brief, pace=pace, seed=seed, fast=fast)


@app.command()
def pack(
    run: Annotated[Path, typer.Option(help="What `together` wrote, or `speak`.")] = _BOTH,
    out: Annotated[Path, typer.Option(help="Where the base goes.")] = _SHIPPED,
) -> None:
    """Write the base as it is shipped: bfloat16 safetensors, processor, card."""
    from pretrain.pack import pack as pack_base

    pack_base(run, out)


if __name__ == "__main__":
    cli.run(app)
