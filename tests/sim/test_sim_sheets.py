"""Pictures for the docs: sheets of actions, right beside faulty, and the page that shows them."""

from pathlib import Path

import numpy as np
import pytest

from flex.graph import Occurrence
from flex.graph_file import load_graph
from sim.choreography import load_choreography
from sim.lift import Stage
from sim.settings import load_settings
from sim.sheets import examples, first_places, page, pair, sheet
from sim.study import Study

GRAPH = load_graph()
STAGE = Stage(Study(GRAPH, load_settings(), seed=0), load_choreography())
DOCS = Path(__file__).parents[2] / "docs" / "sim"


def test_every_action_has_an_example_without_errors_of_another_person() -> None:
    clips = examples(STAGE)
    assert set(clips) == set(GRAPH.actions)
    assert not any(record.errors for record in clips.values())
    assert len({record.subject for record in clips.values()}) == len(clips)


def test_a_sheet_shows_three_views_of_six_moments_that_differ() -> None:
    picture = sheet(STAGE, examples(STAGE)["A16"])
    assert picture.shape == (3 * 176, 6 * 176, 3)
    first, last_but_two = picture[:176, :176], picture[:176, 2 * 176 : 3 * 176]
    assert np.abs(first.astype(int) - last_but_two.astype(int)).max() > 60


@pytest.mark.parametrize(
    ("action", "item"),
    [("A16", Occurrence("AK44", "ET056")), ("A05", Occurrence("AK16", "ET006"))],
)
def test_a_pair_shows_the_difference_large(action: str, item: Occurrence) -> None:
    pictures, view = pair(STAGE, examples(STAGE)[action], item)
    right, faulty = pictures[:, :256].astype(int), pictures[:, 256:].astype(int)
    assert right.shape == faulty.shape == (256, 256, 3)
    assert view in (1, 2, 3, 4, 5)
    assert (np.abs(right - faulty).max(axis=-1) > 28).mean() > 0.003


def test_the_page_names_every_error_and_shows_those_that_can_be_seen() -> None:
    places = first_places(STAGE)
    assert set(GRAPH.error_types) - set(places) == {"ET014", "ET017"}
    text = page(STAGE, {name: (*place, 1) for name, place in places.items()})
    for error in GRAPH.error_types.values():
        assert f"**{error.id} {error.name}**" in text
        assert (f"]({error.id}.jpg)" in text) == (error.id in places)


def test_the_pictures_of_the_docs_are_there() -> None:
    shown = {*GRAPH.actions, *first_places(STAGE)}
    assert {path.stem for path in DOCS.glob("*.jpg")} == shown
    assert "simulated" in (DOCS / "README.md").read_text()
