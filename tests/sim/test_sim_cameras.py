"""The cameras that a simulated set writes are those that filmed it."""

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from flex.annotations import load_annotations
from flex.cameras import cameras_path, project, read_cameras
from flex.dataset import load_skeleton, skeleton_path
from flex.graph_file import load_graph
from flex.number_table import Floats
from flex.sample import Annotation
from flex.video import probe
from sim.cameras import place_camera
from sim.choreography import load_choreography
from sim.film import Video, look_of, session, shots
from sim.lift import Stage, frame_times
from sim.produce import make_plan, produce
from sim.selection import Selection
from sim.settings import load_settings
from sim.study import Study
from sim.video import render_room

STAGE = Stage(Study(load_graph(), load_settings(), seed=0), load_choreography())
SIZE = 128
THREE = Selection(1, 1, ("A01", "A05", "A16"))
FILMED = Video(views=(1, 2), size=SIZE, fps=6.0)


def write(root: Path, video: Video | None) -> list[str]:
    return list(produce(make_plan(STAGE, root, THREE, video), jobs=1))


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sim") / "filmed"
    write(root, FILMED)
    return root


def figure(record: Annotation, view: int, frame: int) -> npt.NDArray[np.bool_]:
    """Return where a frame, before it is encoded, differs from the empty room: (H, W)."""
    times_s = frame_times(record, FILMED.frames(record))[[frame]]
    picture = next(shots(STAGE, record, FILMED, view, times_s)).astype(int)
    camera = place_camera(STAGE.study, view, session(STAGE, record))
    room = render_room(look_of(STAGE, record, FILMED), camera, SIZE).astype(int)
    apart: npt.NDArray[np.bool_] = np.abs(picture - room).max(axis=-1) > 6
    return apart


def hits(seen: npt.NDArray[np.bool_], pixels: Floats) -> npt.NDArray[np.bool_]:
    """Return which points lie in the figure: (H, W) and (21, 2) → (21,)."""
    column, row = pixels.astype(int).T
    found: npt.NDArray[np.bool_] = seen[row, column]
    return found


@pytest.mark.parametrize("view", [1, 2])
def test_the_skeleton_lands_on_the_person_in_the_video(filmed: Path, view: int) -> None:
    records = load_annotations(filmed / "annotations.jsonl", STAGE.study.graph)
    assert len(records) == 3
    for record in records:
        cameras = read_cameras(cameras_path(filmed, record.clip), ["View-1", "View-2"])
        points = load_skeleton(skeleton_path(filmed, record.clip))
        last = probe(filmed / record.views[f"View-{view}"]).frames - 1
        for frame in (0, last // 2, last):
            seen = figure(record, view, frame)
            pose = points[round(frame / last * (len(points) - 1))]

            assert hits(seen, project(cameras[f"View-{view}"], pose)).all()
            # The other camera's picture of the person would not do.
            assert not hits(seen, project(cameras[f"View-{3 - view}"], pose)).all()


def test_a_set_without_cameras_gets_them_and_keeps_the_rest(filmed: Path, tmp_path: Path) -> None:
    root = tmp_path / "old"
    shutil.copytree(filmed, root)
    shutil.rmtree(root / "Cameras")
    videos = {path: path.stat().st_mtime_ns for path in root.rglob("*.mp4")}
    write(root, FILMED)
    assert {path: path.stat().st_mtime_ns for path in videos} == videos
    clip = load_annotations(root / "annotations.jsonl", STAGE.study.graph)[0].clip
    text = cameras_path(root, clip).read_bytes()
    assert text == cameras_path(filmed, clip).read_bytes()
    # A view that is added joins those that are there.
    write(root, Video(views=(5,), size=SIZE, fps=6.0))
    found = read_cameras(cameras_path(root, clip))
    assert list(found) == ["View-1", "View-2", "View-5"]
    assert found["View-1"] == read_cameras(cameras_path(filmed, clip))["View-1"]


def test_a_set_without_video_has_no_cameras(tmp_path: Path) -> None:
    write(tmp_path, None)
    assert not (tmp_path / "Cameras").exists()
