"""`python -m eval score`: judges answers in a file, ours or those of labelled real lifts."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from eval.answers import Answer, by_mode, of_stage, read_answers
from eval.baselines import baselines
from eval.bootstrap import Difference, Interval
from eval.breakdown import BYS, breakdown
from eval.ceilings import ceilings_json, measure_ceilings
from eval.ceilings_command import ceilings_table
from eval.lifts import is_lifts, read_lifts
from eval.numbers import scale_of
from eval.readers import Reader
from eval.scorecard import Scorecard, differences, score_modes
from eval.text_metrics.bertscore import Encoder
from flex.annotations import ANNOTATIONS_FILE, read_annotations
from flex.cli import err
from flex.files import write_text
from flex.graph import Graph
from flex.graph_file import load_graph
from flex.import_map import load_map
from flex.problems import InputError, Problem
from flex.sample import Annotation

# Figures that modes are compared by, where both answer.
COMPARED = (
    "action_accuracy",
    "errors/micro/f1",
    "called correct",
    "R-l2 of graph score, action range, unread: skip",
    "R-l2 of stated score, action range, unread: mean",
)
_PERCENT = frozenset({"chrf++"})


def run(
    answers_file: Path,
    *,
    out: Path,
    data: Path | None,
    mapping: Path | None,
    reader: Reader,
    encoder: str | None,
    workers: int | None,
    graph_file: Path,
) -> dict[str, Scorecard]:
    """Judge every mode in a file, print the tables, write OUT/scores.json, return the cards.

    Raises:
        InputError: the answers, the mapping or the annotations cannot be used.
    """
    graph = load_graph(graph_file)
    answers = _read(answers_file, mapping, graph)
    annotations = _annotations(data, graph)
    training, everywhere = _training(annotations, answers)
    if training:
        first = max(by_mode(answers).values(), key=len)
        answers += baselines(graph, training, first)
    with _progress() as bar:
        task = bar.add_task(f"read by {reader.name}", total=None)
        reader.read(graph, of_stage(answers, "evaluate"), lambda count: bar.advance(task, count))
        ceilings = measure_ceilings(graph, reader)
        total = sum(bool(a.reference) for a in answers)
        bar.reset(task, description="texts", total=total)
        cards = score_modes(
            graph,
            answers,
            annotations=everywhere,
            training=training,
            reader=reader,
            encoder=Encoder(encoder) if encoder else None,
            workers=workers,
            progress=lambda count: bar.advance(task, count),
        )
        bar.update(task, visible=False)
    console = Console(highlight=False)
    console.print(_figures(list(cards.values())))
    console.print(ceilings_table(reader, ceilings))
    for why, count in reader.failures.items():
        console.print(f"Unread: {count} ({why})", markup=False)
    for card in cards.values():
        if card.per_type and not card.mode.startswith("baseline"):
            console.print(_types(graph, card))
    modes = by_mode(answers)
    pairs = _compare(graph, cards, modes, annotations, reader)
    if pairs:
        console.print(_pairs(pairs))
    missing = {name: why for card in cards.values() for name, why in card.missing.items()}
    for name, why in missing.items():
        console.print(f"{name} is missing: {why}")
    scale = scale_of(answers, _scores(everywhere), _scores(training))
    groups = {
        mode: {
            by: breakdown(graph, members, by, scale, reader=reader, workers=workers) for by in BYS
        }
        for mode, members in modes.items()
    }
    content = {
        "graph": graph.version,
        "answers": str(answers_file),
        "modes": {mode: card.as_json() for mode, card in cards.items()},
        "differences": {
            pair: {n: vars(d) for n, d in all_.items()} for pair, all_ in pairs.items()
        },
        "breakdown": groups,
        "reader": ceilings_json(reader, ceilings),
    }
    write_text(out / "scores.json", json.dumps(_plain(content), indent=1, allow_nan=False) + "\n")
    console.print(f"Written: {out / 'scores.json'}")
    return cards


def _read(path: Path, mapping: Path | None, graph: Graph) -> list[Answer]:
    if not is_lifts(path):
        return read_answers(path, graph)
    if mapping is None:
        message = "labelled lifts need --map, such as configs/import/fitness-aqa.yaml"
        raise InputError([Problem(str(path), message)])
    return read_lifts(path, load_map(mapping, graph), graph)


def _annotations(data: Path | None, graph: Graph) -> list[Annotation]:
    if data is None:
        return []
    path = data / ANNOTATIONS_FILE if data.is_dir() else data
    if not path.is_file():
        message = f"expected a data folder with {ANNOTATIONS_FILE}, or such a file"
        raise InputError([Problem(str(path), message)])
    return list(read_annotations(path, graph))


def _training(
    annotations: Sequence[Annotation], answers: Iterable[Answer]
) -> tuple[list[Annotation], list[Annotation]]:
    """Return the clips of subjects that no answer is about, and all clips."""
    asked = {answer.clip for answer in answers}
    people = {a.subject for a in annotations if a.clip in asked and a.subject}
    training = [a for a in annotations if a.clip not in asked and a.subject not in people]
    return training, list(annotations)


def _scores(annotations: Iterable[Annotation]) -> list[tuple[str, float]]:
    return [(a.action, a.score) for a in annotations if a.score is not None]


def _compare(
    graph: Graph,
    cards: dict[str, Scorecard],
    modes: dict[str, list[Answer]],
    annotations: Sequence[Annotation],
    reader: Reader,
) -> dict[str, dict[str, Difference]]:
    """Return "one − other" → paired differences, each mode against those before it."""
    names = [mode for mode in cards if not mode.startswith("baseline")]
    scale = scale_of((a for members in modes.values() for a in members), _scores(annotations))
    found = {}
    for number, later in enumerate(names):
        for earlier in names[:number]:
            one, other = cards[later], cards[earlier]
            pairs = differences(
                one, other, modes, COMPARED, graph=graph, scale=scale, reader=reader
            )
            found[f"{later} − {earlier}"] = {n: d for n, d in pairs.items() if d.value == d.value}
    return found


def _plain(value: Any) -> Any:
    """Return what JSON can hold: NaN, a figure with nothing to judge, becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def _figures(cards: Sequence[Scorecard]) -> Table:
    table = Table("figure (95 % interval over subjects)", title="Answers judged")
    for card in cards:
        table.add_column(f"{card.mode}\n{card.clips:,} clips", justify="right")
    for name in dict.fromkeys(name for card in cards for name in card.figures):
        table.add_row(name, *(_show(name, card.figures.get(name)) for card in cards))
    return table


def _show(name: str, figure: Interval | None) -> str:
    if figure is None:
        return "—"
    places = 2 if name in _PERCENT or name.startswith("R-l2") else 3
    text = f"{figure.value:.{places}f}"
    if figure.low != figure.low:
        return text
    return f"{text} ({figure.low:.{places}f}–{figure.high:.{places}f})"


def _types(graph: Graph, card: Scorecard) -> Table:
    table = Table("error type", "what", title=f"{card.mode}: error types")
    for name in ("precision", "recall", "F1", "clips"):
        table.add_column(name, justify="right")
    for error, row in card.per_type.items():
        shown = (f"{row[key]:.3f}" for key in ("precision", "recall", "f1"))
        table.add_row(error, graph.error_types[error].name, *shown, f"{row['support']:.0f}")
    return table


def _pairs(pairs: dict[str, dict[str, Difference]]) -> Table:
    table = Table("difference", "figure", title="Modes compared on the same questions")
    for name in ("value", "95 % interval", "p"):
        table.add_column(name, justify="right")
    for pair, all_ in pairs.items():
        for name, d in all_.items():
            spread = f"{d.low:+.3f} to {d.high:+.3f}"
            table.add_row(pair, name, f"{d.value:+.3f}", spread, f"{d.p:.4f}")
    return table


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=err, transient=True)
