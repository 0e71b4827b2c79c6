"""The labelled texts are what they say, and a reader's ceilings are measured on them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.__main__ import app
from eval.answers import Answer
from eval.ceilings import FIGURES, STYLES, labelled, measure_ceilings, say_ceilings
from eval.readers import MATCHER, MatcherReader
from eval.reading import Reading, reading_of_ids
from flex.graph import Graph, Occurrence
from flex.graph_file import load_graph

GRAPH = load_graph()


class Perfect(MatcherReader):
    """Reads what the texts were written from."""

    def read(
        self,
        graph: Graph,
        answers: Sequence[Answer],
        progress: Callable[[int], object] = lambda _: None,
    ) -> list[Reading | None]:
        return [reading_of_ids(graph, answer, answer.truth.errors) for answer in answers]


class Blind(MatcherReader):
    """Can read no text of one style, and half of another."""

    def read(
        self,
        graph: Graph,
        answers: Sequence[Answer],
        progress: Callable[[int], object] = lambda _: None,
    ) -> list[Reading | None]:
        whole: list[Reading | None] = list(super().read(graph, answers, progress))
        for number, answer in enumerate(answers):
            if answer.clip.startswith("spoken") or answer.clip in ("lists01", "lists02"):
                whole[number] = None
        return whole


@pytest.mark.parametrize("style", STYLES)
def test_every_style_has_texts_on_all_exercises_and_most_error_types(style: str) -> None:
    rows = labelled(style)
    assert len(rows) >= 40
    assert {row.action for row in rows} == set(GRAPH.actions)
    types = {error.partition(":")[2] for row in rows for error in row.errors}
    assert len(types) >= 50
    assert sum(not row.errors for row in rows) >= 4
    assert len({row.text for row in rows}) == len(rows)
    for row in rows:
        assert set(row.errors) <= set(map(str, GRAPH.occurrences(row.action)))


def test_the_graphs_wording_is_that_of_the_graph() -> None:
    """Every error is named in one of the graph's ways, with one of its corrections.

    A change of the graph's wording needs new texts: `eval/labelled/graph.jsonl` is what
    `qa_gen.template_writer.TemplateWriter(graph, seed=0)` made of its lists of errors.
    """
    for row in labelled("graph"):
        text = row.text.lower()
        for occurrence in map(Occurrence.parse, row.errors):
            observed = GRAPH.error_types[occurrence.error_type].observed
            assert any(one.lower() in text for one in observed), row.id
            assert any(one.lower() in text for one in GRAPH.corrections(occurrence)), row.id


def test_a_reader_that_knows_reaches_everything() -> None:
    found = measure_ceilings(GRAPH, Perfect(), resamples=20)
    for one in found.values():
        assert [one.figures[name].value for name in FIGURES] == [1, 1, 1, 1, 1, 0, 0]
        assert one.unread == 0


def test_the_matchers_ceilings() -> None:
    """Floors a little below what docs/judging.md states."""
    found = measure_ceilings(GRAPH, MATCHER, resamples=50)
    floors = {"graph": 0.99, "prose": 0.72, "lists": 0.72, "spoken": 0.7}
    for style, floor in floors.items():
        figure = found[style].figures["errors/micro/f1"]
        assert figure.value >= floor
        assert figure.low <= figure.value <= figure.high
    said = say_ceilings("errors/micro/f1", found)
    assert said.count(" · ") == 3
    assert said.startswith("100.0 · ")
    assert say_ceilings("bleu", found) == ""


def test_a_style_that_was_not_read_has_no_ceiling() -> None:
    found = measure_ceilings(GRAPH, Blind(), resamples=20)
    assert found["spoken"].unread == found["spoken"].texts
    assert found["spoken"].figures == {}
    assert found["lists"].unread == 2
    assert found["lists"].figures
    assert say_ceilings("errors/micro/f1", found).endswith(" · –")


def test_another_graph_has_none() -> None:
    content = GRAPH.model_dump()
    for step in content["key_steps"].values():
        step["errors"] = [error for error in step["errors"] if error != "ET056"]
    del content["error_types"]["ET056"]
    assert measure_ceilings(Graph.model_validate(content), MATCHER) == {}


def test_the_command_shows_and_keeps_them(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["ceilings", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "as read by the matcher" in done.output
    content = json.loads((tmp_path / "ceilings.json").read_text())
    assert content["name"] == "the matcher"
    assert set(content["ceilings"]) == set(STYLES)
    refused = CliRunner().invoke(app, ["ceilings", "--reader", "llm", "--out", str(tmp_path)])
    assert refused.exit_code != 0
