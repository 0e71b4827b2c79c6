from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from flex.graph_file import load_graph
from flex.media_check import jpeg_size
from flex.problems import InputError
from flex.skeleton import INDEX
from sim.bodies import Body, build_body
from sim.cameras import VIEWS, Camera, place_camera
from sim.looks import Look, choose_look
from sim.motion import Bench, Equipment, Motion
from sim.settings import load_settings
from sim.solids import build_solids
from sim.study import Floats, Study
from sim.subjects import Subject, recruit
from sim.video import render, render_room, write_jpegs, write_mp4

SIZE, FRAMES = 96, 4
SESSION = ("P01", "A16")
# A person who stands and holds a bar before the thighs; the left side mirrors the right.
MIDDLE = {"head": (0.0, 0.0, 1.65), "neck": (0.0, 0.0, 1.53), "upper_spine": (0.0, 0.0, 1.43)}
RIGHT = {
    "shoulder": (0.0, -0.2, 1.43),
    "elbow": (0.0, -0.3, 1.14),
    "wrist": (0.2, -0.26, 0.96),
    "hand": (0.25, -0.25, 0.88),
    "hip": (0.0, -0.09, 0.93),
    "knee": (0.03, -0.13, 0.5),
    "ankle": (0.0, -0.15, 0.08),
    "heel": (-0.07, -0.15, 0.03),
    "toe": (0.19, -0.18, 0.03),
}


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(load_graph(), load_settings(), seed=0)


@pytest.fixture(scope="module")
def subject(study: Study) -> Subject:
    return recruit(study)[0]


@pytest.fixture(scope="module")
def body(study: Study, subject: Subject) -> Body:
    return build_body(study, subject)


@pytest.fixture(scope="module")
def look(study: Study, subject: Subject) -> Look:
    return choose_look(study, subject, SESSION)


def standing(
    equipment: Equipment = "barbell", thumbs: float = 0.0, load_kg: float = 60.0
) -> Motion:
    joints = np.zeros((FRAMES, 21, 3))
    for name, place in MIDDLE.items():
        joints[:, INDEX[name]] = place
    for name, place in RIGHT.items():
        joints[:, INDEX[f"right_{name}"]] = place
        joints[:, INDEX[f"left_{name}"]] = np.array(place) * (1, -1, 1)
    joints[:, :, 0] += 0.01 * np.arange(FRAMES)[:, None]
    lumbar = joints[:, [INDEX["right_hip"], INDEX["left_hip"], INDEX["upper_spine"]]].mean(axis=1)
    two = (FRAMES, 2, 3)
    return Motion(
        times_s=np.arange(FRAMES) / 30,
        joints=joints,
        lumbar=lumbar,
        handles=np.broadcast_to((0.0, 1.0, 0.0), two),
        palms=np.broadcast_to((-0.9, 0.0, 0.1), two),
        thumbs=np.full(FRAMES, thumbs),
        equipment=equipment,
        load_kg=load_kg,
        pivot=np.array((-1.2, 0.0, 0.0)) if equipment == "T-bar" else None,
    )


def pictures(motion: Motion, body: Body, look: Look, camera: Camera) -> npt.NDArray[np.uint8]:
    air = np.linspace(0, 1, FRAMES)
    return np.stack(list(render(motion, body, look, camera, SIZE, air)))


def changed(picture: Any, other: Any) -> npt.NDArray[np.bool_]:
    """Return which pixels of two pictures clearly differ: (H, W)."""
    apart: npt.NDArray[np.bool_] = np.abs(picture.astype(int) - other.astype(int)).max(axis=-1) > 6
    return apart


def test_a_known_point_lands_where_it_should() -> None:
    axes = np.array(((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0)))
    camera = Camera(view=5, eye=np.array((3.0, 0.0, 1.0)), axes=axes, slope=0.5)
    pixels, depth_m = camera.project(np.array(((1.0, 0.0, 1.0), (1.0, 0.5, 1.5))), size=100)
    np.testing.assert_allclose(pixels, [(50, 50), (75, 25)])
    np.testing.assert_allclose(depth_m, 2)


@pytest.mark.parametrize("view", VIEWS)
def test_a_camera_sees_left_and_right_as_a_person_there_would(study: Study, view: int) -> None:
    camera = place_camera(study, view, SESSION)
    np.testing.assert_allclose(camera.axes @ camera.axes.T, np.eye(3), atol=1e-12)
    low, high, left, right = camera.project(
        np.array(((0, 0, 0.0), (0, 0, 2.3), (0, 0.2, 1), (0, -0.2, 1))), SIZE
    )[0]
    assert 0 < high[1] < low[1] < SIZE
    assert (left[0] > right[0]) == (view in (1, 2, 5))  # the person faces the front cameras


@pytest.mark.parametrize("view", VIEWS)
def test_tall_and_lying_people_fit(study: Study, view: int) -> None:
    lying = [(x, y, z) for x in (-0.85, 0.75) for y in (-0.3, 0.3) for z in (0.03, 0.9)]
    # Hands, and the top of the plates.
    overhead = [(0.1, y, z) for y, z in ((-0.45, 2.3), (0.45, 2.3), (-0.72, 2.4), (0.72, 2.4))]
    for session in range(20):
        pixels, _ = place_camera(study, view, (session,)).project(np.array(lying + overhead), SIZE)
        assert pixels.min() > 0
        assert pixels.max() < SIZE


def test_cameras_move_between_sessions_only(study: Study) -> None:
    camera, again = place_camera(study, 1, SESSION), place_camera(study, 1, SESSION)
    np.testing.assert_array_equal(camera.eye, again.eye)
    other = place_camera(study, 1, ("P01", "A17"))
    assert 0 < np.linalg.norm(camera.eye - other.eye) < 0.4


def test_an_unknown_view_is_an_error(study: Study) -> None:
    with pytest.raises(InputError, match="view 6: there is no such view, expected one of 1, 2"):
        place_camera(study, 6, SESSION)


def test_a_person_looks_alike_in_all_clips(study: Study, subject: Subject) -> None:
    here, there = (choose_look(study, subject, (subject.id, action)) for action in ("A01", "A02"))
    for part in ("skin", "hair", "hair_balls", "sleeves", "trousers", "shoes"):
        assert getattr(here.outfit, part) == getattr(there.outfit, part)
    assert here.outfit.top != there.outfit.top
    assert here == choose_look(study, subject, (subject.id, "A01"))


def test_rooms_change_with_the_session(study: Study, subject: Subject) -> None:
    camera = place_camera(study, 1, SESSION)
    rooms = [render_room(choose_look(study, subject, (n,)), camera, SIZE) for n in range(3)]
    assert changed(rooms[0], rooms[1]).mean() > 0.5
    assert changed(rooms[1], rooms[2]).mean() > 0.5


def test_plain_looks_are_all_the_same(study: Study) -> None:
    one, two = recruit(study)[:2]
    assert choose_look(study, one, (1,), plain=True) == choose_look(study, two, (2,), plain=True)


@pytest.mark.parametrize("view", VIEWS)
def test_the_body_is_where_its_joints_are(study: Study, body: Body, look: Look, view: int) -> None:
    motion, camera = standing(), place_camera(study, view, SESSION)
    shown = changed(pictures(motion, body, look, camera)[0], render_room(look, camera, SIZE))
    pixels = camera.project(motion.joints[0], SIZE)[0].astype(int)
    around = np.array([shown[y - 1 : y + 2, x - 1 : x + 2].any() for x, y in pixels])
    assert around.all()
    top = pixels[INDEX["head"]][1] - 6
    assert not shown[: top - 4].any()


@pytest.mark.parametrize("equipment", ["barbell", "dumbbell", "T-bar"])
def test_equipment_is_in_the_hands(
    study: Study, body: Body, look: Look, equipment: Equipment
) -> None:
    motion = standing(equipment)
    solids = build_solids(motion, body, look, np.zeros(FRAMES))
    assert np.isfinite(solids.axes).all()
    near = np.linalg.norm(solids.centre[0] - motion.joints[0, INDEX["left_hand"]], axis=-1)
    assert near.min() < 0.15
    light, heavy = (
        pictures(standing(equipment, load_kg=kg), body, look, place_camera(study, 5, SESSION))[0]
        for kg in (22.5, 60)
    )
    assert changed(light, heavy).sum() > 10


def test_what_errors_look_like_shows(study: Study, body: Body, look: Look) -> None:
    camera, usual = place_camera(study, 4, SESSION), standing()

    def solids(motion: Motion, air: float) -> Floats:
        return build_solids(motion, body, look, np.full(FRAMES, air)).axes

    base = pictures(usual, body, look, camera)[0]
    hollow = replace(usual, lumbar=usual.lumbar + np.array((0.08, 0, 0)))
    assert changed(base, pictures(hollow, body, look, camera)[0]).sum() > 10
    assert np.abs(solids(usual, 0) - solids(usual, 1)).max() > 0.002  # a breath
    assert np.abs(solids(usual, 0) - solids(standing(thumbs=1), 0)).max() > 0.01


def test_a_bench_stands_on_the_floor(study: Study, body: Body, look: Look) -> None:
    for back_deg in (-15.0, 0.0, 30.0, 80.0):
        bench = Bench(seat=np.array((-0.6, 0.0, 0.45)), back_deg=back_deg, back_m=0.8)
        motion = replace(standing(), bench=bench)
        solids = build_solids(motion, body, look, np.zeros(FRAMES))
        reach = np.abs(solids.axes[0]).sum(axis=1)[:, 2]
        boxes = solids.kind == 1
        assert (solids.centre[0, boxes, 2] - reach[boxes]).min() == pytest.approx(0.005, abs=0.01)


def test_equal_arguments_give_equal_bytes(
    study: Study, body: Body, look: Look, tmp_path: Path
) -> None:
    camera = place_camera(study, 2, SESSION)
    first, second = (pictures(standing(), body, look, camera) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    for name in ("a.mp4", "b.mp4"):
        write_mp4(tmp_path / name, first, fps=30, size=SIZE)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_video_decodes(study: Study, body: Body, look: Look, tmp_path: Path) -> None:
    path, frames = tmp_path / "new/View-1.mp4", pictures(
        standing(), body, look, place_camera(study, 1, SESSION)
    )  # fmt: skip
    assert write_mp4(path, iter(frames), fps=59.94, size=SIZE, crf=16) == FRAMES
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate is not None
        assert float(stream.average_rate) == pytest.approx(59.94, abs=0.01)
        assert stream.codec_context.pix_fmt == "yuv420p"
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert np.stack(decoded).shape == frames.shape
    assert np.abs(np.stack(decoded).astype(int) - frames).mean() < 6
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")
    assert [file.name for file in path.parent.iterdir()] == ["View-1.mp4"]


def test_jpegs_have_flex_names(tmp_path: Path) -> None:
    frames = np.full((3, SIZE, SIZE, 3), 90, np.uint8)
    assert write_jpegs(tmp_path / "001/View-1", frames) == 3
    files = sorted((tmp_path / "001/View-1").iterdir())
    assert [file.name for file in files] == [f"img_0000{n}.JPG" for n in (1, 2, 3)]
    assert jpeg_size(files[0]) == (SIZE, SIZE)
    with pytest.raises(InputError, match="is not empty"):
        write_jpegs(tmp_path / "001/View-1", frames)


def test_what_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> Iterator[npt.NDArray[np.uint8]]:
        yield np.zeros((SIZE, SIZE, 3), np.uint8)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_mp4(tmp_path / "a.mp4", broken(), fps=30, size=SIZE)
    with pytest.raises(OSError, match="full"):
        write_jpegs(tmp_path / "a", broken())
    with pytest.raises(InputError, match="at least one frame"):
        write_mp4(tmp_path / "a.mp4", [], fps=30, size=SIZE)
    with pytest.raises(InputError, match="at least one frame"):
        write_jpegs(tmp_path / "a", [])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [0, 97])
def test_an_odd_size_is_an_error(
    study: Study, body: Body, look: Look, tmp_path: Path, size: int
) -> None:
    camera = place_camera(study, 1, SESSION)
    with pytest.raises(InputError, match=f"size: expected an even number of pixels, found {size}"):
        render(standing(), body, look, camera, size, np.zeros(FRAMES))
    with pytest.raises(InputError, match="even number"):
        write_mp4(tmp_path / "a.mp4", [], fps=30, size=size)
    with pytest.raises(InputError, match="even number"):
        render_room(look, camera, size)
