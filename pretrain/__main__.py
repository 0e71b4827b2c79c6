"""Teaches the tiny base to see FLEX-Sim: `draw` clips, `train` on them, `pack` what is shipped.

python -m pretrain draw --shards 100
python -m pretrain train --minutes 46
python -m pretrain pack
"""

from pathlib import Path
from typing import Annotated

import typer

from flex import cli

app = cli.new_app(__doc__ or "")
_FILMS, _RUN = Path("runs/base/films"), Path("runs/base/out")
_SHIPPED = Path("models/tiny-coach-base")
Films = Annotated[Path, typer.Option(help="Where the clips lie.")]


@app.command()
def draw(
    out: Films = _FILMS,
    shards: Annotated[int, typer.Option(help="How many cohorts, 250 clips and 150 MB each.")] = 100,
    seed: Annotated[int, typer.Option(help="Of the first cohort; FLEX-Sim's own is 0.")] = 1000,
    jobs: Annotated[int, typer.Option(help="Processes.")] = 1,
) -> None:
    """Draw clips of people who are in no data set of this project."""
    from pretrain.films import draw as draw_films

    draw_films(out, shards=shards, seed=seed, jobs=jobs)


@app.command()
def train(
    films: Films = _FILMS,
    out: Annotated[Path, typer.Option(help="Where weights and log go.")] = _RUN,
    minutes: Annotated[float, typer.Option(help="How long to train.")] = 46,
    look: Annotated[float, typer.Option(help="Share of it for the eyes alone.")] = 0.4,
    clips: Annotated[int, typer.Option(help="Clips a step.")] = 24,
    start: Annotated[Path | None, typer.Option(help="Go on from this run's weights.")] = None,
    seed: Annotated[int, typer.Option(help="Of weights and draws.")] = 0,
) -> None:
    """Train the base for a given time; clips drawn meanwhile are used too."""
    from pretrain.train import train as train_base

    train_base(films, out, minutes=minutes, look=look, clips=clips, start=start, seed=seed)


@app.command()
def pack(
    run: Annotated[Path, typer.Option(help="What `train` wrote.")] = _RUN,
    out: Annotated[Path, typer.Option(help="Where the base goes.")] = _SHIPPED,
) -> None:
    """Write the base as it is shipped: bfloat16 safetensors, processor, card."""
    from pretrain.pack import pack as pack_base

    pack_base(run, out)


if __name__ == "__main__":
    cli.run(app)
