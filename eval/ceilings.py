"""How well does a reader read? What a perfect answer would measure, by the style it is written in.

    ceilings = measure_ceilings(load_graph(), MATCHER)
    ceilings["prose"].figures["errors/micro/f1"].value

`labelled/` holds evaluations in four styles, written from a list of errors before anybody looked at
the matcher's words, and labelled with that list. Read as if they were a model's answers, they show
what an answer that is exactly right would measure: the ceiling of every figure about errors. A
style is not guessed from an answer; reports show all four.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from eval.answers import Answer, Truth
from eval.bootstrap import RESAMPLES, Interval, interval
from eval.coach_metrics import error_statistics, judge, verdict_statistics
from eval.readers import Reader
from flex.graph import Graph
from flex.records import read_records
from flex.sample import OccurrenceId

FOLDER = Path(__file__).with_name("labelled")
# Styles in the order of reports, with what they are called there.
STYLES = {
    "graph": "the graph's wording",
    "prose": "free prose",
    "lists": "headings and lists",
    "spoken": "spoken",
}
# What is shown of a style: a perfect answer would reach 1, or 0 for the last two.
FIGURES = {
    "errors/micro/f1": "micro F1",
    "errors/micro/precision": "precision",
    "errors/micro/recall": "recall",
    "errors/macro/f1": "macro F1",
    "errors/with phase/f1": "F1 with phase",
    "called correct": "faulty called correct",
    "correct clips called faulty": "correct called faulty",
}
# With fewer of its texts read, a style's ceiling is unknown.
_ENOUGH = 0.9


class Labelled(BaseModel):
    """A text with the errors that it was written from, and names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1)]
    action: str
    errors: tuple[OccurrenceId, ...]
    text: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True)
class Ceiling:
    """What perfect answers of one style measure.

    Attributes:
        style: a key of `STYLES`.
        texts, errors: how many labelled texts there are, and errors in them.
        unread: texts that the reader could not read; they are left out.
        figures: name → value with its 95 % interval over texts; empty if too few were read.
    """

    style: str
    texts: int
    errors: int
    unread: int
    figures: dict[str, Interval]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        figures = {name: vars(figure) for name, figure in self.figures.items()}
        return {**vars(self), "figures": figures}


def labelled(style: str) -> list[Labelled]:
    """Return the labelled texts of a style.

    Raises:
        InputError: the file cannot be read.
    """
    return read_records(FOLDER / f"{style}.jsonl", Labelled)


def measure_ceilings(
    graph: Graph,
    reader: Reader,
    *,
    resamples: int = RESAMPLES,
    progress: Callable[[int], object] = lambda _: None,
) -> dict[str, Ceiling]:
    """Return style → ceiling of a reader; nothing for a graph that the texts are not about.

    Args:
        graph: FLEX's, or one with its exercises and error types.
        reader: who reads.
        resamples: of the bootstrap.
        progress: told how many more texts are read.

    Raises:
        InputError: the reader cannot be reached.
    """
    texts = {style: labelled(style) for style in STYLES}
    if not all(_is_about(graph, one) for rows in texts.values() for one in rows):
        return {}
    everything = [_answer(one) for rows in texts.values() for one in rows]
    reader.read(graph, everything, progress)
    return {style: _ceiling(graph, reader, style, rows, resamples) for style, rows in texts.items()}


def ceilings_json(reader: Reader, ceilings: Mapping[str, Ceiling]) -> dict[str, Any]:
    """Return a reader with its ceilings as plain data."""
    return {
        "name": reader.name,
        "failures": dict(reader.failures),
        "ceilings": {style: one.as_json() for style, one in ceilings.items()},
    }


def say_ceilings(name: str, ceilings: Mapping[str, Ceiling]) -> str:
    """Return a figure's ceilings in per cent, in the order of `STYLES`: "98.5 · 77.5 · – · 74.7".

    Empty for a figure that has none; a dash for a style whose ceiling is unknown.
    """
    if name not in FIGURES or not ceilings:
        return ""
    figures = (one.figures.get(name) for one in ceilings.values())
    return " · ".join("–" if one is None else f"{100 * one.value:.1f}" for one in figures)


def _ceiling(
    graph: Graph, reader: Reader, style: str, rows: Sequence[Labelled], resamples: int
) -> Ceiling:
    judged = judge(graph, map(_answer, rows), reader)
    unread = sum(one.reading is None for one in judged)
    found = [*error_statistics(graph, judged), *verdict_statistics(judged)]
    enough = len(rows) - unread >= _ENOUGH * len(rows)
    return Ceiling(
        style=style,
        texts=len(rows),
        errors=sum(len(one.errors) for one in rows),
        unread=unread,
        figures={s.name: interval(s, resamples=resamples) for s in found if s.name in FIGURES}
        if enough
        else {},
    )


def _answer(one: Labelled) -> Answer:
    return Answer(
        clip=one.id,
        action=one.action,
        mode="labelled",
        stage="evaluate",
        answer=one.text,
        truth=Truth(errors=one.errors),
    )


def _is_about(graph: Graph, one: Labelled) -> bool:
    known = one.action in graph.actions and set(map(str, graph.occurrences(one.action)))
    return bool(known) and set(one.errors) <= set(known or ())
