"""`python -m sim`: a simulated FLEX data set.

python -m sim labels --out data/sample               # 400 clips
python -m sim labels --out data/flex --size full     # 7,512 clips, as FLEX has
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import track

from flex import cli
from flex.graph_file import GRAPH_FILE, load_graph
from flex.sample import Annotation
from sim.settings import SETTINGS_FILE, load_settings
from sim.study import Study
from sim.summary import report
from sim.trials import kept_count
from sim.write import write_labels

app = cli.new_app(
    "FLEX-Sim: writes a simulated data set in FLEX's layout. Nobody lifted anything for it; every "
    'record says `"source": "simulated"`.'
)


@app.callback()
def commands() -> None:
    """Keep `labels` a command of its own, beside those that write media."""


@app.command()
def labels(
    out: Annotated[Path, typer.Option(help="Folder to write. It must not hold other data.")],
    size: Annotated[
        Literal["small", "full"],
        typer.Option(help="small: 400 clips of all actions and subjects. full: all 7,512."),
    ] = "small",
    clips: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Any other number. Beyond 7,512 further groups of 38 people join: P01.2, …",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives other people and errors.")] = 0,
    votes: Annotated[
        bool, typer.Option("--votes", help="Also write the votes of annotators and reviewers.")
    ] = False,
    graph: Annotated[
        Path, typer.Option(help="Knowledge graph file.", show_default="FLEX's")
    ] = GRAPH_FILE,
    settings: Annotated[
        Path,
        typer.Option(
            help="The numbers of the simulation: a changed copy of sim/labels.yaml.",
            show_default="sim/labels.yaml",
        ),
    ] = SETTINGS_FILE,
) -> None:
    """Write labels only: who lifts what, which errors show, the phases and the score.

    Novices make more errors than amateurs and experts, people repeat their errors from one
    repetition to the next, and make more as they tire. The mean score is that of FLEX. The same
    seed gives the same bytes, and a smaller data set is a part of a larger one.

        python -m sim labels --out data/sample

        python -m sim labels --out data/flex --size full --votes
    """
    study = Study(load_graph(graph), load_settings(settings), seed)
    whole = kept_count(study)
    wanted = clips or (whole if size == "full" else min(whole, study.settings.trials.small))

    def watch(records: Iterable[Annotation], what: str) -> Iterable[Annotation]:
        return track(records, what, total=wanted, console=cli.err, transient=True)

    tally = write_labels(study, out, wanted, votes=votes, watch=watch)
    console = Console(highlight=False)
    console.print(report(tally))
    console.print(f"Wrote {wanted:,} simulated clips to {out}", soft_wrap=True)


if __name__ == "__main__":
    cli.run(app)
