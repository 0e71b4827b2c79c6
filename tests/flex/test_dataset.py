from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from flex.dataset import clip_semg, find_clips, frame_files, load_semg, load_skeleton
from flex.graph import Graph
from flex.problems import InputError
from flex.released_lists import read_released_lists
from flex.sample import Annotation, Semg
from flex.semg_columns import channel_names


def _with_muscles(graph: Graph, action: str, *muscles: str) -> Graph:
    changed = graph.actions[action].model_copy(update={"recorded_muscles": muscles})
    return graph.model_copy(update={"actions": {**graph.actions, action: changed}})


def _problems(read: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        read()
    return str(caught.value)


def test_clips_are_found_with_their_files(
    write_clip: Callable[..., Path], make_record: Callable[..., Annotation], graph: Graph
) -> None:
    write_clip("A01/001")
    root = write_clip("A07/010", views=1, semg=0)
    record = make_record("A01/001")
    first, second = find_clips(root, graph, [record])
    assert (first.clip, first.action, list(first.views)) == ("A01/001", "A01", ["View-1", "View-2"])
    assert first.annotation is record
    assert first.skeleton
    assert first.semg
    assert (second.clip, second.skeleton, second.semg) == ("A07/010", None, None)
    frames = frame_files(second.views["View-1"])
    assert [frames[0].name, frames[-1].name] == ["img_00001.JPG", "img_00103.JPG"]


def test_a_video_stands_in_for_frames(tmp_path: Path, graph: Graph) -> None:
    folder = tmp_path / "A02" / "001"
    folder.mkdir(parents=True)
    (folder / "View-1.mp4").touch()
    (folder / "View-2").mkdir()
    (folder / "View-2.mp4").touch()
    (clip,) = find_clips(tmp_path, graph)
    assert clip.views == {"View-1": folder / "View-1.mp4", "View-2": folder / "View-2"}


def test_a_record_names_its_own_views(
    tmp_path: Path, make_record: Callable[..., Annotation], graph: Graph
) -> None:
    record = make_record("32939_2", action="A16", views={"front": "videos/32939_2.mp4"})
    (clip,) = find_clips(tmp_path, graph, [record])
    assert clip.views == {"front": tmp_path / "videos/32939_2.mp4"}


def test_skeleton_keeps_joint_order(tmp_path: Path) -> None:
    path = tmp_path / "skeleton_points.csv"
    values = np.arange(103 * 63, dtype=float).reshape(103, 63)
    np.savetxt(path, values, "%g", ",", header=",".join(["h"] * 63), comments="")
    points = load_skeleton(path)
    assert points.shape == (103, 21, 3)
    assert points[2, 1].tolist() == [129, 130, 131]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,x\n", "row 2, column 2: 'x' is not a finite number"),
        ("1,2\n3,nan\n", "row 2, column 2: 'nan' is not a finite number"),
        ("1,2\n3,\n", "row 2, column 2: '' is not a finite number"),
        ("1,2\n3\n", "row 2: has 1 columns, expected 2"),
        ("1,2,3\n", "row 1: has 3 columns, expected 2"),
        ("", "holds no rows of numbers"),
        ("a,b\n1,2\n", "row 1, column 1: 'a' is not a finite number"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "EMG.csv"
    path.write_text(text)
    found = _problems(lambda: load_semg(path, ("left", "right"), 2000))
    assert found.startswith(str(path))
    assert expected in found


def test_many_wrong_cells_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "EMG.csv"
    path.write_text("x,y\n" * 8)
    assert "and 6 more" in _problems(lambda: load_semg(path, ("left", "right"), 2000))


def test_a_skeleton_without_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "skeleton_points.csv"
    np.savetxt(path, np.ones((103, 63)), "%g", ",")
    assert "must be a header" in _problems(lambda: load_skeleton(path))


@pytest.mark.parametrize(
    ("action", "muscles", "names"),
    [
        (
            "A01",
            ("left anterior deltoid", "right anterior deltoid", "left medial deltoid"),
            ("anterior deltoid", "medial deltoid"),
        ),
        ("A03", ("medial deltoid", "anterior deltoid"), ("anterior deltoid", "medial deltoid")),
        ("A08", ("pectoralis major",), ("pectoralis major 1", "pectoralis major 2")),
        ("A07", ("posterior deltoid",), ("posterior deltoid",)),
        ("A20", ("triceps brachii", "biceps brachii"), ("biceps brachii", "triceps brachii")),
    ],
)
def test_channels_are_named_in_the_released_order(
    graph: Graph, action: str, muscles: tuple[str, ...], names: tuple[str, ...]
) -> None:
    expected = tuple(f"{side} {name}" for side in ("left", "right") for name in names)
    assert channel_names(_with_muscles(graph, action, *muscles), action) == expected


def test_the_sample_rate_is_never_guessed(
    write_clip: Callable[..., Path], make_record: Callable[..., Annotation], graph: Graph
) -> None:
    graph = _with_muscles(graph, "A01", "anterior deltoid", "medial deltoid")
    root = write_clip("A01/001", views=0)
    (clip,) = find_clips(root, graph)
    assert "sample rate is not known" in _problems(lambda: clip_semg(clip, graph))
    given = clip_semg(clip, graph, sample_rate_hz=200)
    assert given.values.shape == (40, 4)
    assert (given.channels[0], given.sample_rate_hz) == ("left anterior deltoid", 200)
    stated = Semg(sample_rate_hz=2000, channels=("a", "b", "c", "d"))
    (clip,) = find_clips(root, graph, [make_record("A01/001", semg=stated)])
    own = clip_semg(clip, graph, sample_rate_hz=200)
    assert (own.channels, own.sample_rate_hz) == (("a", "b", "c", "d"), 2000)


def test_unknown_muscles_are_an_error(graph: Graph) -> None:
    assert "found none" in _problems(lambda: channel_names(_with_muscles(graph, "A01"), "A01"))


def _save_lists(root: Path, train: object, test: object) -> None:
    (root / "Split_4").mkdir()
    for part, rows in (("train", train), ("test", test)):
        path = root / "Split_4" / f"split_4_{part}_list.mat"
        scipy.io.savemat(path, {f"consolidated_{part}_list": rows})


def test_released_lists(tmp_path: Path) -> None:
    _save_lists(tmp_path, np.array([[1, 1, 77.02], [20, 380, 50.0]]), np.array([[2, 7, 60.5]]))
    lists = read_released_lists(tmp_path)
    assert lists["train"] == (("A01/001", 77.02), ("A20/380", 50.0))
    assert lists["test"] == (("A02/007", 60.5),)


def test_wrong_lists_are_named(tmp_path: Path) -> None:
    _save_lists(tmp_path, np.array([[1.5, 1, 77.02]]), np.array([[1, 2]]))
    found = _problems(lambda: read_released_lists(tmp_path))
    assert "split_4_train_list.mat, row 1: expected [class, index, score]" in found
    assert "split_4_test_list.mat: consolidated_test_list: expected rows" in found
    for name in ("train", "test"):
        (tmp_path / "Split_4" / f"split_4_{name}_list.mat").write_bytes(b"no matlab file")
    assert _problems(lambda: read_released_lists(tmp_path)).count("not a readable .mat") == 2


def test_a_clip_in_both_lists(tmp_path: Path) -> None:
    _save_lists(tmp_path, np.array([[1, 1, 50.0]]), np.array([[1, 1, 50.0]]))
    found = _problems(lambda: read_released_lists(tmp_path))
    assert "A01/001 is already in the train list" in found


def test_the_shipped_graph_names_the_channels_of_every_action(graph: Graph) -> None:
    names = {action: channel_names(graph, action) for action in graph.actions}
    assert {len(found) for action, found in names.items()} == {2, 4}
    assert names["A15"] == (
        "left vastus lateralis",
        "left biceps femoris",
        "right vastus lateralis",
        "right biceps femoris",
    )
    assert names["A19"] == ("left latissimus dorsi", "right latissimus dorsi")
