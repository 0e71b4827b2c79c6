"""`python -m flex view`: one clip on one time line, as a page that opens in any browser."""

from pathlib import Path
from typing import Annotated

import typer

from flex import cli
from flex.annotations import ANNOTATIONS_FILE, load_annotations
from flex.dataset import Clip, find_clips
from flex.files import write_text
from flex.graph import Graph
from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError, Problem, nearest
from flex.view_page import DEFAULT_ROOM_MB, Options, collect, render

VIEW_FOLDER = Path("runs/view")


def view_command(
    clip: Annotated[str, typer.Argument(help="Id of the clip, such as A16/003.")],
    root: Annotated[Path, typer.Option("--data", help="The data folder.")] = Path("data/flex-sim"),
    out: Annotated[
        Path | None,
        typer.Option(help="The page to write.", show_default=f"{VIEW_FOLDER}/CLIP.html"),
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Link to videos and frames instead of embedding them.")
    ] = False,
    max_mb: Annotated[
        float, typer.Option(min=1, help="Room for embedded views; larger ones are made smaller.")
    ] = DEFAULT_ROOM_MB,
    semg_rate: Annotated[
        float | None,
        typer.Option(min=1, help="Sample rate (Hz) of sEMG whose record does not state it."),
    ] = None,
    graph_file: Annotated[
        Path, typer.Option("--graph", help="Knowledge graph file.", show_default="FLEX's")
    ] = GRAPH_FILE,
) -> None:
    """Write a page that shows a clip: views, skeleton, sEMG, breathing, phases and errors.

    The page is one file and needs no network. With `--link` it needs the data folder.
    """
    graph = load_graph(graph_file)
    found = _find(clip, root, graph)
    page_file = out or VIEW_FOLDER / f"{found.clip.replace('/', '-')}.html"
    options = Options(out=page_file, link=link, room_mb=max_mb, semg_rate_hz=semg_rate)
    with cli.err.status(f"reading {found.clip}"):
        page = collect(found, root, graph, options)
    for item in page["missing"]:
        cli.err.print(f"{item['place']}: {item['message']}", markup=False)
    write_text(page_file, render(page))
    typer.echo(f"{page_file}  {page_file.stat().st_size / 1e6:.1f} MB")


def _find(name: str, root: Path, graph: Graph) -> Clip:
    path = root / ANNOTATIONS_FILE
    records = load_annotations(path, graph) if path.exists() else []
    clips = {clip.clip: clip for clip in find_clips(root, graph, records)}
    if name not in clips:
        hint = nearest(name, clips) if clips else "; it holds no clips at all"
        raise InputError([Problem(str(root), f"has no clip {name!r}{hint}")])
    return clips[name]
