"""The report on some answers: report.md for the README, report.html for people, report.json.

    run(out=Path("runs/eval"))    # answers-*.jsonl of `eval.predict`

Every figure has a 95 % interval, clustered by subject, and the trivial baselines beside it.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from eval.answers import Answer, answer_files, of_stage, read_answers
from eval.bootstrap import RESAMPLES
from eval.ceilings import measure_ceilings
from eval.judge import means, read_grades
from eval.predict import PredictRecord
from eval.readers import MatcherReader, Reader
from eval.report_clips import ranked, show_clips
from eval.report_measure import Measures, measure_all
from eval.report_page import page_words, render, report_json
from eval.text_metrics.bertscore import Encoder
from flex.annotations import ANNOTATIONS_FILE, read_annotations
from flex.cli import err
from flex.files import write_text
from flex.graph import Graph
from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError, Problem
from flex.sample import Annotation
from flex.video import Sampler
from vlm.dialogues import DialogueRecord, read_dialogues

PAGE = "report.html"


def run(
    *,
    answers: Sequence[Path] | None = None,
    dialogues: Path = Path("runs/qa/dialogues.jsonl"),
    data: Path = Path("data/flex-sim"),
    out: Path = Path("runs/eval"),
    reader: Reader | None = None,
    encoder: str | None = None,
    worst: int = 6,
    best: int = 3,
    workers: int | None = None,
    resamples: int = RESAMPLES,
    graph_file: Path = GRAPH_FILE,
) -> Path:
    """Write report.md, report.json and report.html into `out`; return the page.

    Args:
        answers: files of answers; default: every answers-*.jsonl in `out`.
        dialogues: tells which clips are simulated, and which ones baselines may learn from.
        data: folder with annotations.jsonl and the films; without the annotations there are no
            baselines, and score ranges are those of the answered clips.
        out: folder of the run.
        reader: who reads errors out of the answers; default: the matcher. The report states how
            well it reads.
        encoder: BERTScore's model, a hub name or a folder; without it BERTScore is missing.
        worst: how many of the worst clips are shown with their frames.
        best: how many of the best ones.
        workers: processes for the text metrics.
        resamples: of the bootstrap.
        graph_file: where error types and weights come from.

    Raises:
        InputError: no answers, or files that cannot be read; every problem at once.
    """
    graph, reader = load_graph(graph_file), reader or MatcherReader()
    files = answer_files(answers, out)
    given = [answer for file in files for answer in read_answers(file, graph)]
    records = {record.clip: record for record in read_dialogues(dialogues)}
    annotations = _annotations(data, graph)
    training = [record.clip for record in records.values() if record.split == "train"]
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err
    ) as bar:
        task = bar.add_task(f"read by {reader.name}", total=None)
        reader.read(graph, of_stage(given, "evaluate"), lambda count: bar.advance(task, count))
        ceilings = measure_ceilings(graph, reader, resamples=resamples)
        bar.reset(task, description="measuring answers", total=None)
        measures = measure_all(
            graph,
            given,
            annotations,
            training,
            reader=reader,
            encoder=Encoder(encoder) if encoder else None,
            workers=workers,
            resamples=resamples,
            progress=lambda count: bar.advance(task, count),
        )
        bar.update(task, description="measured answers", total=bar.tasks[0].completed)
    runs = _runs(files)
    sampler = _sampler(measures, runs)
    order = ranked(measures)
    shown, rest = order[:worst], order[worst:]
    words = page_words(
        graph,
        measures,
        runs,
        simulated=_simulated(given, records),
        data=data.name,
        split=_split(given, records),
        marks=means(read_grades(out)),
        reader=reader,
        ceilings=ceilings,
        worst=show_clips(shown, measures, records, data, sampler),
        best=show_clips(rest[::-1][:best], measures, records, data, sampler),
    )
    write_text(out / "report.md", render("report.md.j2", words))
    content = json.dumps(report_json(words), indent=1, ensure_ascii=False, default=float)
    write_text(out / "report.json", content + "\n")
    write_text(out / PAGE, render("report.html.j2", words, plots=True))
    return out / PAGE


def _annotations(data: Path, graph: Graph) -> list[Annotation]:
    path = data / ANNOTATIONS_FILE
    if path.is_file():
        return list(read_annotations(path, graph))
    err.print(f"{path} is missing: no baselines, and score ranges are those of the answered clips")
    return []


def _runs(files: Sequence[Path]) -> list[PredictRecord]:
    """Return how the modes were run: `predict-MODE.json` beside `answers-MODE.jsonl`."""
    found = []
    for file in files:
        path = file.with_name(file.stem.replace("answers-", "predict-", 1) + ".json")
        if path.exists() and path != file:
            try:
                found.append(PredictRecord.model_validate_json(path.read_text("utf-8")))
            except ValidationError as error:
                message = f"is no record of `predict`: {error.errors()[0]['msg']}"
                raise InputError([Problem(str(path), message)]) from error
    return found


def _sampler(measures: Measures, runs: Sequence[PredictRecord]) -> Sampler:
    """Return the sampler that the main mode saw its clips through."""
    found = [record.sampler for record in runs if record.mode == measures.main]
    return Sampler.model_validate(found[0]) if found else Sampler()


def _simulated(answers: Sequence[Answer], records: dict[str, DialogueRecord]) -> str:
    clips = {answer.clip for answer in answers}
    made_up = {clip for clip in clips if clip in records and records[clip].simulated}
    return "all" if made_up == clips else "some" if made_up else ""


def _split(answers: Sequence[Answer], records: dict[str, DialogueRecord]) -> str:
    parts = {records[answer.clip].split for answer in answers if answer.clip in records}
    return ", ".join(sorted(parts)) or "not stated"
