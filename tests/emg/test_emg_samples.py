"""Splits do not leak, and what a listing can tell is told at once."""

import shutil
from pathlib import Path

import pytest
import small_emg

from emg.recipe import POSE, Recipe
from emg.samples import load_samples, one_sample
from flex.graph import Graph
from flex.problems import InputError
from learn.sample import Sample


def subjects(samples: list[Sample], part: str) -> set[str]:
    return {str(sample.record.subject) for sample in samples if sample.part == part}


def test_by_subject_nobody_is_in_two_parts(emg_root: Path) -> None:
    _, samples = small_emg.store(emg_root)
    parts = [subjects(samples, part) for part in ("train", "validation", "test")]
    assert all(parts)
    assert len(set.union(*parts)) == sum(map(len, parts)) == len(small_emg.SUBJECTS)


def test_by_repetition_everybody_is_everywhere(tmp_path: Path, graph: Graph) -> None:
    small_emg.build(tmp_path / "data", graph, repetitions=3)
    _, samples = small_emg.store(tmp_path, split="repetition")
    for part in ("train", "validation", "test"):
        assert subjects(samples, part) == set(small_emg.SUBJECTS)


def test_by_action_no_test_lift_is_trained_on(emg_root: Path) -> None:
    _, samples = small_emg.store(emg_root, split="action", test_actions=["A18"])
    actions = {
        part: {sample.record.action for sample in samples if sample.part == part}
        for part in ("train", "validation", "test")
    }
    assert actions == {"train": {"A16"}, "validation": {"A16"}, "test": {"A18"}}
    with pytest.raises(InputError, match="both sides of the split need clips"):
        small_emg.store(emg_root, split="action", test_actions=["A16", "A18"])


def test_by_view_the_test_part_is_seen_from_elsewhere(emg_root: Path) -> None:
    settings = {"views": ("View-1",), "pose": False, "split": "view", "test_views": ("View-2",)}
    _, samples = small_emg.store(emg_root, **settings)
    assert {sample.part for sample in samples} >= {"train", "test"}
    for sample in samples:
        wanted = "View-2.mp4" if sample.part == "test" else "View-1.mp4"
        assert sample.streams["View-1"].name == wanted


def test_every_missing_file_is_named(emg_root: Path, tmp_path: Path, graph: Graph) -> None:
    data = tmp_path / "data"
    shutil.copytree(emg_root / "data", data)
    (data / "EMG/A16/002/EMG.csv").unlink()
    (data / "Skeleton/A18/003/skeleton_points.csv").unlink()
    recipe = small_emg.recipe(tmp_path / "cache")
    with pytest.raises(InputError) as caught:
        load_samples(data, recipe, graph)
    assert {problem.place for problem in caught.value.problems} == {"A16/002", "A18/003"}
    assert "has no sEMG file" in str(caught.value)
    assert "has no skeleton file" in str(caught.value)
    # To predict, a clip needs no sEMG.
    assert set(one_sample("A16/002", data, recipe, graph).streams) == {POSE}


def test_no_records_and_no_such_clip(emg_root: Path, tmp_path: Path, graph: Graph) -> None:
    recipe = small_emg.recipe(tmp_path / "cache")
    with pytest.raises(InputError, match="is missing: it says who lifts what"):
        load_samples(tmp_path, recipe, graph)
    with pytest.raises(InputError, match="did you mean A16/001"):
        one_sample("A16/0001", emg_root / "data", recipe, graph)
    with pytest.raises(InputError, match="the view 'View-9' is absent; there is View-1, View-2"):
        small_emg.store(emg_root, views=("View-9",))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"views": (), "pose": False}, "there is nothing to read"),
        ({"frames": 10}, "one of frames and rate_hz"),
        ({"split": "action"}, "split=action and test_actions go together"),
        (
            {"views": ("View-1",), "mirror": False, "test_views": ("View-2",)},
            "split=view and test_views go together",
        ),
        ({"mirror": True, "views": ("View-1",)}, "mirror needs cached features"),
        ({"framing": "released"}, "has a size of 224"),
    ],
)
def test_recipes_that_make_no_sense(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_emg.recipe(Path("cache"), **settings)


def test_the_shipped_recipes() -> None:
    from flex.config import load_config

    root = Path(__file__).parents[2] / "configs/emg"
    paper = load_config(Recipe, root / "paper.yaml")
    assert (paper.epochs, paper.batch, paper.lr, paper.loss) == (150, 32, 1e-3, "mse")
    assert (paper.backbone, paper.memory, paper.layers) == ("resnet50", "lstm", 1)
    assert (paper.average, paper.band_pass, paper.lookahead) == ("mean", False, 0)
    small = load_config(Recipe, root / "small.yaml")
    assert (small.split, small.streams) == ("subject", (POSE,))
