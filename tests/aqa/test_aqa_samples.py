"""Clips with streams and labels: splits that do not leak, and every fault told."""

import shutil
from pathlib import Path

import pytest
import small_flex

from aqa.clip_store import ClipStore
from aqa.recipe import Recipe
from aqa.samples import load_samples, parts_of
from flex.annotations import load_annotations
from flex.graph import Graph
from flex.problems import InputError

BOTH = {"views": ("View-1", "View-2"), "pose": True, "semg": "peak_share"}


@pytest.fixture
def data(flex_root: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may spoil."""
    return Path(shutil.copytree(flex_root / "data", tmp_path / "data"))


def recipe(tmp_path: Path, **settings: object) -> Recipe:
    return small_flex.recipe(tmp_path / "cache", **{**BOTH, **settings})


def test_no_subject_is_in_two_parts(flex_root: Path, tmp_path: Path, graph: Graph) -> None:
    for seed in range(3):
        samples = load_samples(flex_root / "data", recipe(tmp_path, split_seed=seed), graph)
        parts: dict[str, set[str]] = {}
        for sample in samples:
            parts.setdefault(str(sample.record.subject), set()).add(sample.part)
        assert len(parts) == len(small_flex.SUBJECTS)
        assert all(len(found) == 1 for found in parts.values())
        assert {sample.part for sample in samples} == {"train", "validation", "test"}


def test_a_split_of_repetitions_shares_subjects(flex_root: Path, graph: Graph) -> None:
    # Two repetitions cannot make three parts.
    with pytest.raises(InputError, match="three parts need at least three repetitions"):
        load_samples(flex_root / "data", recipe(flex_root, split="repetition"), graph)


def test_all_streams_are_found(flex_root: Path, tmp_path: Path, graph: Graph) -> None:
    samples = load_samples(flex_root / "data", recipe(tmp_path, actions=("A16",)), graph)
    assert {sample.record.action for sample in samples} == {"A16"}
    assert all(set(s.streams) == {"View-1", "View-2", "pose", "semg"} for s in samples)


def test_a_view_split_reads_the_test_part_from_another_camera(
    flex_root: Path, tmp_path: Path, graph: Graph
) -> None:
    chosen = recipe(tmp_path, views=("View-1",), test_views=("View-2",))
    samples = load_samples(flex_root / "data", chosen, graph)
    assert {sample.part for sample in samples} >= {"train", "test"}
    for sample in samples:
        camera = "View-2" if sample.part == "test" else "View-1"
        assert sample.streams["View-1"].stem == camera


def test_a_missing_file_is_named(data: Path, tmp_path: Path, graph: Graph) -> None:
    (data / "A01/002/View-1.mp4").unlink()
    with pytest.raises(InputError, match=r"A01/002/View-1\.mp4: is missing: A01/002 names it"):
        load_samples(data, recipe(tmp_path), graph)


def test_an_absent_view_is_refused_or_masked(data: Path, tmp_path: Path, graph: Graph) -> None:
    small_flex.change(data, "A01/002", views={"View-1": "A01/002/View-1.mp4"})
    with pytest.raises(InputError, match="A01/002: the view 'View-2' is absent; there is View-1"):
        load_samples(data, recipe(tmp_path), graph)
    samples = load_samples(data, recipe(tmp_path, missing="mask"), graph)
    assert set(samples[1].streams) == {"View-1", "pose", "semg"}
    raw = ClipStore(recipe(tmp_path), graph).batch(samples[:3], ["View-2"])
    assert raw.has("View-2").tolist() == [True, False, True]


def test_an_absent_skeleton_is_refused(data: Path, tmp_path: Path, graph: Graph) -> None:
    (data / "Skeleton/A16/003/skeleton_points.csv").unlink()
    with pytest.raises(InputError, match="A16/003: has no pose file"):
        load_samples(data, recipe(tmp_path), graph)


def test_a_rate_too_low_for_an_envelope(data: Path, tmp_path: Path, graph: Graph) -> None:
    row = next(
        r for r in load_annotations(data / "annotations.jsonl", graph) if r.clip == "A01/001"
    )
    assert row.semg is not None
    small_flex.change(
        data, "A01/001", semg={"sample_rate_hz": 200.0, "channels": list(row.semg.channels)}
    )
    with pytest.raises(InputError, match="needs a sample rate above 900 Hz, found 200 Hz"):
        load_samples(data, recipe(tmp_path), graph)
    assert load_samples(data, recipe(tmp_path, peaks="raw"), graph)


def test_a_rate_that_nobody_states(data: Path, tmp_path: Path, graph: Graph) -> None:
    small_flex.change(data, "A01/001", semg=None)
    with pytest.raises(InputError, match="the sample rate is not known"):
        load_samples(data, recipe(tmp_path), graph)
    assert load_samples(data, recipe(tmp_path, sample_rate_hz=2000), graph)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [("nan", "frame 3|not a finite|finite number"), ("columns", "63 columns|columns")],
)
def test_a_spoilt_skeleton_is_named(
    data: Path, tmp_path: Path, graph: Graph, spoil: str, message: str
) -> None:
    path = data / "Skeleton/A01/001/skeleton_points.csv"
    lines = path.read_text().splitlines()
    cells = lines[4].split(",")
    lines[4] = ",".join(["nan", *cells[1:]] if spoil == "nan" else cells[:-1])
    path.write_text("\n".join(lines) + "\n")
    chosen = recipe(tmp_path)
    samples = load_samples(data, chosen, graph)
    with pytest.raises(InputError, match=message) as caught:
        ClipStore(chosen, graph).batch(samples[:2], ["pose"])
    assert "A01/001/skeleton_points.csv" in str(caught.value)


def test_no_labels(tmp_path: Path, graph: Graph) -> None:
    with pytest.raises(InputError, match=r"annotations\.jsonl: is missing"):
        load_samples(tmp_path, recipe(tmp_path), graph)


def test_the_released_lists_do_without_annotations(
    data: Path, tmp_path: Path, graph: Graph
) -> None:
    records = load_annotations(data / "annotations.jsonl", graph)
    listed = small_flex.release(data, records)
    chosen = recipe(tmp_path, split="released", semg="none")
    samples = load_samples(data, chosen, graph)
    assert len(samples) == len(records)
    assert {s.id: s.record.score for s in samples} == {r.clip: r.score for r in records}
    # The validation clips come out of the training list, and are the same every time.
    held = [s.id for s in samples if s.part == "validation"]
    assert 0 < len(held) < len(listed) // 2
    assert set(held) < set(listed)
    again = parts_of([s.record for s in samples], chosen, data)
    assert [clip for clip, part in sorted(again.items()) if part == "validation"] == held
