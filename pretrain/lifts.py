"""Draws skeletons that the backbones of `aqa` practise on: a shard for each cohort of people.

    python -m pretrain.lifts --out runs/aqa-practice --shards 13

Every shard is a cohort of its own: 38 people who are in no data set of this project, since its seed
is another. A shard holds whole clips as skeletons, without video or signals, so that eight thousand
take a minute. `python -m aqa practise` reads them. A finished shard is not drawn again.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import track

from flex import cli
from flex.files import atomic_path
from flex.graph_file import load_graph
from sim.choreography import load_choreography
from sim.clips import simulate
from sim.lift import Stage, frame_times, lift
from sim.settings import load_settings
from sim.study import Study

FRAMES = 32

app = cli.new_app(__doc__ or "")


@app.command()
def draw(
    out: Annotated[Path, typer.Option(help="Where the shards lie.")] = Path("runs/aqa-practice"),
    shards: Annotated[int, typer.Option(min=1, help="How many cohorts of 38 people.")] = 13,
    clips: Annotated[int, typer.Option(min=1, help="Of each cohort.")] = 2000,
    seed: Annotated[
        int, typer.Option(min=2000, help="Of the first cohort; other rooms have those below.")
    ] = 2000,
) -> None:
    """Draw shards that are not there yet."""
    for number in range(seed, seed + shards):
        path = out / f"{number}.npz"
        if not path.exists():
            _draw_shard(path, number, clips)
    cli.err.print(f"{shards} shards of {clips:,} simulated clips lie in {out}")


def _draw_shard(path: Path, seed: int, clips: int) -> None:
    """Write records and skeletons (N, 32, 21, 3), metres, at the middles of equal parts."""
    stage = Stage(Study(load_graph(), load_settings(), seed), load_choreography())
    records = list(simulate(stage.study))
    chosen = np.random.default_rng(seed).choice(len(records), min(clips, len(records)), False)
    picked = [records[n] for n in sorted(chosen)]
    joints = np.empty((len(picked), FRAMES, 21, 3), dtype=np.float32)
    title = f"skeletons of cohort {seed}"
    for row, record in enumerate(track(picked, title, console=cli.err, transient=True)):
        times_s = frame_times(record)
        at = ((np.arange(FRAMES) + 0.5) * len(times_s) / FRAMES).astype(int)
        joints[row] = lift(stage, stage.subject(record), record, times_s[at]).joints
    lines = np.array([record.model_dump_json() for record in picked])
    with atomic_path(path) as name, name.open("wb") as stream:
        np.savez(stream, records=lines, joints=joints)


if __name__ == "__main__":
    cli.run(app)
