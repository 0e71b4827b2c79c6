"""The commands of `python -m qa_gen`."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.options import Ray
from engine.where import Engine
from flex.annotations import ANNOTATIONS_FILE, read_annotations
from flex.graph import Graph
from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError, Problem
from flex.sample import Annotation
from qa_gen.check import check_dialogue
from qa_gen.dialogue import Dialogue
from qa_gen.display import show_run
from qa_gen.facts import facts_of
from qa_gen.generate import Generator, generate, sole_run, versions
from qa_gen.parts import PartOf, part_of
from qa_gen.runs import RunRecord, read_dialogues
from qa_gen.template_writer import family_of
from qa_gen.writer_choice import Chosen, WriterChoice, choose, open_writer

console = Console(highlight=False)

Data = Annotated[Path, typer.Option(help="Data folder with annotations.jsonl, or such a file.")]
Out = Annotated[Path, typer.Option(help="Folder of the run; the same folder resumes it.")]
GraphFile = Annotated[
    Path, typer.Option("--graph", help="Knowledge graph file.", show_default="FLEX's")
]
WriterName = Annotated[
    WriterChoice,
    typer.Option(help="auto: a language model if the key of one is set, else templates."),
]
Config = Annotated[
    Path | None,
    typer.Option(help="Endpoint, model, prices: a file such as those of configs/qa_gen."),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A setting of the config, as name=value.")
]
Budget = Annotated[
    float | None, typer.Option(help="Stop cleanly before the run costs more than this.", min=0)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what the run would cost, and stop.")]
Seed = Annotated[int, typer.Option(help="Seed of the split and of the phrasings.")]
SplitName = Annotated[
    str, typer.Option(help="subject, repetition, released, or a split file (.json).")
]
Limit = Annotated[int | None, typer.Option(help="Only the first clips, to try it out.", min=1)]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        help="Processes here that each write a share of the clips.",
        show_default="none: this process writes; with --ray: as many as fit",
    ),
]
Run = Annotated[Path, typer.Argument(help="Folder of a run.")]
Clip = Annotated[str | None, typer.Argument(help="The clip to show; else one with some errors.")]


def dataset(
    data: Data,
    out: Out = Path("runs/qa"),
    writer: WriterName = WriterChoice.AUTO,
    config: Config = None,
    settings: Settings = None,
    budget: Budget = None,
    seed: Seed = 0,
    split: SplitName = "subject",
    limit: Limit = None,
    graph_file: GraphFile = GRAPH_FILE,
    jobs: Jobs = None,
    ray: Ray = None,
) -> None:
    """Build the whole FLEX-VideoQA data set: generate, check, export, and show the result."""
    generate_command(
        data=data,
        out=out,
        writer=writer,
        config=config,
        settings=settings,
        budget=budget,
        seed=seed,
        split=split,
        limit=limit,
        graph_file=graph_file,
        jobs=jobs,
        ray=ray,
    )
    export_command(out, graph_file)
    show(out)


def generate_command(
    data: Data,
    out: Out = Path("runs/qa"),
    writer: WriterName = WriterChoice.AUTO,
    config: Config = None,
    settings: Settings = None,
    budget: Budget = None,
    dry_run: DryRun = False,
    seed: Seed = 0,
    split: SplitName = "subject",
    limit: Limit = None,
    graph_file: GraphFile = GRAPH_FILE,
    jobs: Jobs = None,
    ray: Ray = None,
) -> None:
    """Generate and check one dialogue of four turns for each annotated clip.

    What passes the fact check goes to dialogues.jsonl, the rest to flagged.jsonl. A run that was
    stopped or killed goes on when the same command is given again: finished answers of a language
    model are kept, and cost nothing the second time.

    With --jobs or --ray the clips are written by many workers; the files are the same. Workers that
    ask a language model divide its requests in flight, run on this machine, and take no --budget.
    """
    where = None if jobs is None and ray is None else Engine(jobs=jobs, ray=ray)
    graph = load_graph(graph_file)
    annotations = _annotations_file(data)
    chosen = choose(writer, config, settings or [], budget)
    if where is not None:
        from qa_gen.generate_workers import require_shareable

        require_shareable(chosen, where)
    count, part = part_of(split, annotations, graph, seed=seed)
    count = min(count, limit or count)

    def records() -> Iterator[Annotation]:
        return islice(read_annotations(annotations, graph), limit)

    console.print(f"Writing evaluations with {chosen.why}.")
    with sole_run(out):
        if chosen.config is not None:
            asyncio.run(_estimate(graph, chosen, out, records(), part))
        if dry_run:
            return
        record = RunRecord(
            data=str(data),
            graph=graph.version,
            graph_name=graph.name,
            writer="template" if chosen.config is None else "llm",
            model=None if chosen.config is None else chosen.config.model,
            seed=seed,
            split=split,
            prompts="",
            versions=versions(),
            settings={} if chosen.config is None else chosen.config.settings(),
        )

        if where is not None:
            finished = _by_workers(chosen, graph, records(), part, out, record, where)
        else:
            finished = asyncio.run(_alone(chosen, graph, records(), part, out, record, count))
    if finished.stopped:
        raise InputError([Problem("stopped", finished.stopped)])


async def _alone(
    chosen: Chosen,
    graph: Graph,
    records: Iterator[Annotation],
    part: PartOf,
    out: Path,
    record: RunRecord,
    count: int,
) -> RunRecord:
    async with open_writer(chosen, graph, out, seed=record.seed) as opened:
        generator = Generator(graph, opened, seed=record.seed, part_of=part)
        with _progress() as bar:
            task = bar.add_task("dialogues", total=count, note="")
            flagged = 0

            def step(dialogue: Dialogue) -> None:
                nonlocal flagged
                flagged += bool(dialogue.findings)
                bar.update(task, advance=1, note=f"{flagged} flagged {opened.spent()}")

            return await generate(generator, records, out, record, progress=step)


def _by_workers(
    chosen: Chosen,
    graph: Graph,
    records: Iterator[Annotation],
    part: PartOf,
    out: Path,
    record: RunRecord,
    where: Engine,
) -> RunRecord:
    from qa_gen.generate_workers import generate_by_workers

    finished = generate_by_workers(chosen, graph, records, part, out, record, where=where)
    spent = asyncio.run(_spent(chosen, graph, out))
    console.print(f"{finished.dialogues:,} dialogues, {finished.flagged:,} flagged {spent}")
    return finished


async def _spent(chosen: Chosen, graph: Graph, out: Path) -> str:
    async with open_writer(chosen, graph, out, seed=0) as writer:
        return writer.spent()


async def _estimate(
    graph: Graph, chosen: Chosen, out: Path, records: Iterator[Annotation], part: PartOf
) -> None:
    from qa_gen.llm_estimate import estimate
    from qa_gen.llm_writer import LlmWriter

    clips = ((facts_of(graph, record), family_of(part(record))) for record in records)
    async with open_writer(chosen, graph, out, seed=0) as writer:
        assert isinstance(writer, LlmWriter)
        console.print(estimate(writer, clips).text)


def check(run: Run, graph_file: GraphFile = GRAPH_FILE) -> None:
    """Run the fact check again over the dialogues of a run, as after editing them by hand.

    Exits with 2 if a dialogue fails.
    """
    graph = load_graph(graph_file)
    problems = []
    count = 0
    for dialogue in read_dialogues(run):
        count += 1
        for finding in check_dialogue(graph, dialogue.facts, dialogue.turns):
            problems.append(Problem(f"{dialogue.clip}, {finding.stage}", finding.message))
    if problems:
        raise InputError(problems)
    console.print(f"{count:,} dialogues pass the fact check.")


def export_command(run: Run, graph_file: GraphFile = GRAPH_FILE) -> None:
    """Write the data set in every format under RUN/export, with its card."""
    from qa_gen.export import export  # datasets and mlcroissant take seconds to import

    with console.status("exporting"):
        export(run, run / "export", load_graph(graph_file))


def show(run: Run, clip: Clip = None) -> None:
    """Print a summary of a run, and one of its dialogues."""
    show_run(console, run, clip)


def _annotations_file(data: Path) -> Path:
    path = data / ANNOTATIONS_FILE if data.is_dir() else data
    if not path.is_file():
        message = f"expected a data folder with {ANNOTATIONS_FILE}, or such a file"
        raise InputError([Problem(str(path), message)])
    return path


def _progress() -> Progress:
    columns: Sequence[str | TextColumn | BarColumn | MofNCompleteColumn | TimeRemainingColumn] = (
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    return Progress(*columns, console=console)
