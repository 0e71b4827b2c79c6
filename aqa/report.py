"""The report on some runs: report.md for a README, report.html for people, report.json.

    run(runs=[Path("runs/aqa/mv"), Path("runs/aqa/graph")], out=Path("runs/aqa/report"))

Baselines learn from the training part of the very split that the runs were trained on. Figures lie
beside the report as PNG; the page holds its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from aqa.baselines import PREFIX
from aqa.calibration import Bin
from aqa.evaluate import Evaluation, evaluate, ranges_of
from aqa.fatigue import DROP, Study, sets_of, study_sets
from aqa.figures import as_svg, reliability_figure, repetitions_figure, save_png, scatter_figure
from aqa.predictions import PREDICTIONS_FILE, Prediction, read_predictions
from aqa.report_baselines import parts_of_run, run_baselines
from aqa.report_page import Kind, Report, write_report
from aqa.report_words import label_of, order, words
from flex.annotations import ANNOTATIONS_FILE, load_annotations
from flex.cli import err
from flex.graph import Graph
from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError, Problem
from flex.recipes import RECIPE_FILE
from flex.sample import Annotation
from flex.splits import Part
from learn.intervals import RESAMPLES

RUNS, OUT = Path("runs/aqa"), Path("runs/aqa/report")


def run(
    *,
    runs: Sequence[Path] | None = None,
    data: Path = Path("data/flex-sim"),
    out: Path = OUT,
    part: Part = "test",
    mlp: Path | None = None,
    drop: float = DROP,
    resamples: int = RESAMPLES,
    kind: Kind = "evaluate",
    recipe_of: Path | None = None,
    graph_file: Path = GRAPH_FILE,
) -> Path:
    """Write report.md, report.json, report.html and the figures into `out`; return the page.

    Args:
        runs: folders of runs, or files of predictions; default: all folders of runs/aqa.
        data: folder with annotations.jsonl; without it there are no baselines, and ranges are
            those of the predicted clips.
        out: folder of the report.
        part: which part of the split is judged.
        mlp: run whose video features the MLP baseline reads; without it there is none.
        drop: points under the first three repetitions that count as a drop in quality.
        resamples: draws for the intervals.
        kind: what the report is about; an ablation is held against its first row.
        recipe_of: run whose split the baselines take; default: that of the first predictions.
        graph_file: where error types and weights come from.

    Raises:
        InputError: no predictions, or files that cannot be read or do not fit each other.
    """
    graph = load_graph(graph_file)
    files = prediction_files(runs)
    said = [row for file in files for row in read_predictions(file)]
    given = [row for row in said if row.part == part]
    if not given:
        message = f"predicts no clip of the part {part}"
        raise InputError([Problem(str(file), message) for file in files])
    records = _records(data, graph)
    parts = parts_of_run(recipe_of or files[0].parent, records, data)
    baselines = run_baselines(graph, data, given, records, parts, mlp)
    evaluation = evaluate(
        [*given, *baselines],
        ranges_of([(r.action, r.score) for r in records] or [(r.action, r.truth) for r in given]),
        # Variants that we have no name for come after those that we have, before the baselines.
        order=[name for name in order() if not name.startswith(PREFIX)],
        against="previous" if kind == "evaluate" else "first",
        resamples=resamples,
    )
    studies = study_variants(given, drop)
    sources = {record.clip: record.source for record in records}
    simulated = _simulated({row.clip for row in given}, sources)
    note = words()["simulated"] if simulated else ""
    figures = draw(evaluation, studies, out, note=note)
    report = Report(
        evaluation=evaluation,
        studies=studies,
        figures=figures,
        data=data.name,
        part=part,
        simulated=simulated,
        files=[str(file) for file in files],
        graph=graph,
        kind=kind,
    )
    return write_report(report, out)


def prediction_files(runs: Sequence[Path] | None) -> list[Path]:
    """Return the files of predictions of some runs; of all runs in runs/aqa if none are named.

    Raises:
        InputError: there is none, or a folder has none.
    """
    if not runs:
        found = sorted(
            path
            for path in RUNS.glob(f"*/{PREDICTIONS_FILE}")
            if path.with_name(RECIPE_FILE).is_file()
        )
        if not found:
            message = f"holds no {PREDICTIONS_FILE}; run `python -m aqa train`, then predict"
            raise InputError([Problem(str(RUNS), message)])
        return found
    files = [path / PREDICTIONS_FILE if path.is_dir() else path for path in runs]
    if missing := [path for path in files if not path.is_file()]:
        message = "is missing; run `python -m aqa predict` on this run first"
        raise InputError([Problem(str(path), message) for path in missing])
    return files


def study_variants(given: Iterable[Prediction], drop: float) -> dict[str, Study]:
    """Return variant → study of its sets, for variants that predict whole sets."""
    rows: dict[str, list[Prediction]] = {}
    for row in given:
        rows.setdefault(row.variant, []).append(row)
    sets = {variant: sets_of(members) for variant, members in rows.items()}
    known = sorted(sets, key=lambda variant: ([*order(), variant].index(variant), variant))
    return {variant: study_sets(sets[variant], drop=drop) for variant in known if sets[variant]}


def draw(
    evaluation: Evaluation, studies: Mapping[str, Study], out: Path, *, note: str = ""
) -> dict[str, str]:
    """Write the figures as PNG into `out`, with a note above; return name → SVG text."""
    variants = evaluation.variants
    drawn = {
        "scatter": scatter_figure(
            {label_of(name): one.points for name, one in variants.items()}, note=note
        )
    }
    bins: dict[str, list[Bin]] = {}
    for name, one in variants.items():
        # The hybrid claims what its graph head claims: one curve would hide the other.
        if one.bins and one.bins not in bins.values():
            bins[label_of(name)] = one.bins
    if bins:
        drawn["reliability"] = reliability_figure(bins, note=note)
    drawn |= {
        f"repetitions-{variant}": repetitions_figure(study, label_of(variant), note=note)
        for variant, study in studies.items()
    }
    for name, figure in drawn.items():
        save_png(figure, out / f"{name}.png")
    return {name: as_svg(figure) for name, figure in drawn.items()}


def _records(data: Path, graph: Graph) -> list[Annotation]:
    path = data / ANNOTATIONS_FILE
    if path.is_file():
        return load_annotations(path, graph)
    err.print(f"{path} is missing: no baselines, and ranges are those of the predicted clips")
    return []


def _simulated(clips: set[str], sources: Mapping[str, str]) -> str:
    """Return "all", "some" or "" of the clips are simulated."""
    made_up = {clip for clip in clips if sources.get(clip) == "simulated"}
    return "all" if made_up == clips else "some" if made_up else ""
