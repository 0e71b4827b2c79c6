"""What is seen of muscle activation: the colours, the body, the picture and the film."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from emg.activation_colours import activation_colours, shade, to_oklab
from emg.body_map import BodyMap, body_map
from emg.body_shapes import load_body
from emg.clip_frames import Filmed
from emg.film import film
from emg.layers import Layer
from emg.moments import most_active, peak_moments
from emg.pictures import draw
from emg.prediction import Prediction
from flex.dataset import Clip
from flex.problems import InputError
from flex.sample import Annotation, PhaseSpan
from flex.semg_columns import MIRRORED, MUSCLE_INDEX, MUSCLE_NAMES

BICEPS = MUSCLE_INDEX["left biceps brachii"]
LATISSIMUS = MUSCLE_INDEX["right latissimus dorsi"]
PHASES = (
    PhaseSpan(phase="preparation", start_s=0, end_s=0.3),
    PhaseSpan(phase="concentric", start_s=0.3, end_s=0.9),
)
NOTHING = np.zeros(len(MUSCLE_NAMES))
ALL = np.ones(len(MUSCLE_NAMES), dtype=bool)


def write_greys(path: Path, fps: int, greys: list[int]) -> Path:
    """Write a film whose pictures are plain grey, each of its own level."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for grey in greys:
            pixels = np.full((48, 64, 3), grey, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def clip_of(path: Path | None, duration_s: float | None = None) -> Clip:
    record = Annotation(
        clip="A02/001", action="A02", phases=PHASES, duration_s=duration_s, source="simulated"
    )
    return Clip("A02/001", "A02", {"View-1": path} if path else {}, annotation=record)


def prediction_of(frames: int = 10, fps: float = 10, **changes: Any) -> Prediction:
    """Return one whose left biceps rises evenly from 0 to 1, with two muscles recorded."""
    predicted = np.zeros((frames, len(MUSCLE_NAMES)))
    predicted[:, BICEPS] = np.linspace(0, 1, frames)
    mask = np.zeros(len(MUSCLE_NAMES), dtype=bool)
    mask[[BICEPS, MIRRORED[BICEPS]]] = True
    values = {
        "clip": "A02/001",
        "action": "A02",
        "times_s": np.arange(frames) / fps,
        "muscles": MUSCLE_NAMES,
        "predicted": predicted,
        "true": None,
        "mask": mask,
        "unit": "a strong contraction",
    }
    return Prediction(**{**values, **changes})


def decoded(path: Path) -> list[NDArray[np.int16]]:
    with av.open(str(path)) as container:
        return [
            frame.to_ndarray(format="rgb24").astype(np.int16) for frame in container.decode(video=0)
        ]


def test_colours_are_even_and_can_be_told_without_hue() -> None:
    lab = to_oklab(activation_colours())
    steps = np.linalg.norm(np.diff(lab[::16], axis=0), axis=1)
    # Equal along the path; a chord is a little shorter where the path bends.
    assert steps.max() / steps.min() < 1.12
    assert np.diff(lab[:, 0]).max() < 0
    assert (shade(np.array([-1, 2.0])) == activation_colours()[[0, -1]]).all()


def test_oklab_of_known_colours() -> None:
    known = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0]], dtype=np.uint8)
    expected = [[1, 0, 0], [0, 0, 0], [0.62796, 0.22486, 0.12585]]
    assert to_oklab(known) == pytest.approx(np.array(expected), abs=1e-4)


def test_the_body_has_the_muscles_of_table_3_on_their_own_sides() -> None:
    body = load_body()
    assert body.muscles == set(MUSCLE_NAMES)
    for view, sign in ("front", 1), ("back", -1):
        for name, polygon in body.views[view].muscles.items():
            x = polygon[:, 0] * sign
            assert (x > 0).all() if name.startswith("left") else (x < 0).all(), (view, name)


def test_muscles_lie_within_the_body_and_apart() -> None:
    body, middle = load_body(), np.array((220.0, 10.0))
    skin = np.zeros((860, 440))
    layer = Layer.of([shape + middle for shape in body.silhouette], rounding=4)
    skin[layer.box] = layer.cover[..., 0]
    for view in body.views.values():
        taken = np.zeros_like(skin)
        for polygon in view.muscles.values():
            one = Layer.of([polygon + middle], rounding=2.2, shrink=1.4)
            assert one.cover.sum() > 450
            taken[one.box] += one.cover[..., 0]
        assert taken.max() <= 1.01
        assert (taken <= skin + 0.01).all()


def test_a_shape_is_rounded_alike_whatever_lies_far_away() -> None:
    draws, far = np.random.default_rng(0), np.array([[2.0, 2.0], [6.0, 2.0], [2.0, 6.0]])
    for _ in range(20):
        shape = draws.uniform(40, 170, (6, 2))
        alone, both = np.zeros((200, 200)), np.zeros((200, 200))
        one, two = Layer.of([shape], rounding=5), Layer.of([shape, far], rounding=5)
        alone[one.box], both[two.box] = one.cover[..., 0], two.cover[..., 0]
        assert alone.sum() > 0
        # Pillow approximates the blur, and rounds.
        assert np.abs(alone - both)[30:, 30:].max() <= 0.12


def test_one_muscle_lights_up_in_its_colour_and_nothing_else() -> None:
    body = BodyMap(height=480)
    rest = body.pixels(NOTHING, ALL).astype(int)
    activation = NOTHING.copy()
    activation[BICEPS] = 0.5
    changed = np.abs(body.pixels(activation, ALL) - rest).sum(axis=2) > 0
    rows, columns = np.nonzero(changed)
    assert rows.size > 100
    # Seen from the front only, on the right of the front view: the person's left.
    assert body.size[0] / 4 < columns.min() < columns.max() < body.size[0] / 2
    inside = body.pixels(activation, ALL)[changed]
    assert (np.abs(inside.astype(int) - shade(np.array(0.5))) <= 1).all(axis=1).mean() > 0.7


def test_sides_are_mirror_images() -> None:
    activation = NOTHING.copy()
    activation[LATISSIMUS] = 1
    one = BodyMap(height=320, legend=False).pixels(activation, ALL)
    other = BodyMap(height=320, legend=False).pixels(activation[list(MIRRORED)], ALL)
    half = one.shape[1] // 2
    dark = shade(np.array(1.0)).astype(int)
    found = [(np.abs(picture[:, half:] - dark).sum(axis=2) < 9) for picture in (one, other)]
    assert found[0].sum() > 100
    assert abs(int(found[0].sum()) - int(found[1].sum())) < 0.03 * found[0].sum()
    assert not (found[0] & found[1]).any()


def test_what_was_not_recorded_is_hatched_whatever_its_value() -> None:
    body, mask = BodyMap(height=320), ALL.copy()
    mask[BICEPS] = False
    values = NOTHING.copy()
    values[BICEPS] = np.nan
    hatched = body.pixels(values, mask)
    assert (hatched == body.pixels(NOTHING, mask)).all()
    changed = (hatched != body.pixels(NOTHING, ALL)).any(axis=2)
    colours = hatched[changed].astype(int)
    assert (colours.max(axis=1) - colours.min(axis=1) < 12).mean() > 0.6
    assert colours.std() > 15


def test_what_the_body_cannot_show_is_refused() -> None:
    with pytest.raises(InputError, match=r"not on the body: left tail; it has left anterior"):
        BodyMap(("left tail",))
    with pytest.raises(ValueError, match=r"shape \(18,\), found \(2,\)"):
        body_map(np.zeros(2), np.ones(2, dtype=bool))
    with pytest.raises(ValueError, match="not finite"):
        body_map(np.full(18, np.nan), ALL, height=200)


def test_moments_are_the_peaks_of_phases_or_thirds() -> None:
    predicted = np.zeros((10, 18))
    predicted[:, BICEPS] = [1, 3, 2, 0, 5, 9, 4, 0, 8, 6]
    predicted[:, LATISSIMUS] = 99  # not recorded, so it has no say
    prediction = prediction_of(predicted=predicted)
    found = [(moment.time_s, moment.phase) for moment in peak_moments(prediction, PHASES)]
    assert found == [(0.1, "preparation"), (0.5, "concentric")]
    assert [moment.index for moment in peak_moments(prediction)] == [1, 5, 8]
    assert most_active(prediction, 1) == [BICEPS]
    assert most_active(prediction, 9) == [BICEPS, MIRRORED[BICEPS]]


def test_frames_are_the_nearest_in_time(tmp_path: Path) -> None:
    path = write_greys(tmp_path / "greys.mp4", 10, [40, 80, 120, 160, 200])
    filmed = Filmed.of(clip_of(path))
    assert filmed.fps == pytest.approx(10)
    assert filmed.size_within(100, 30) == (40, 30)
    levels = [int(p.mean()) for p in filmed.at([0, 0.14, 0.16, 9], (32, 24))]
    assert levels == pytest.approx([40, 80, 120, 200], abs=3)
    # The record says that the five frames took 8 s, from the first to the last.
    spread = Filmed.of(clip_of(path, duration_s=8))
    assert spread.times_s.tolist() == [0, 2, 4, 6, 8]
    with pytest.raises(InputError, match="expected the view View-9, found View-1"):
        Filmed.of(clip_of(path), "View-9")


def test_the_picture_shows_frames_bodies_and_envelopes(tmp_path: Path) -> None:
    from PIL import Image

    path = write_greys(tmp_path / "greys.mp4", 10, [60] * 10)
    true = np.full((10, 18), np.nan)
    true[:, BICEPS] = 0.7
    draw(prediction_of(true=true), clip_of(path), tmp_path / "with.png")
    draw(prediction_of(), clip_of(None), tmp_path / "without.png")
    with_frames, without = (
        np.asarray(Image.open(tmp_path / name).convert("RGB")).astype(int)
        for name in ("with.png", "without.png")
    )

    def share(picture: NDArray[Any], colour: tuple[int, int, int]) -> float:
        return float((np.abs(picture - colour).sum(axis=2) < 9).mean())

    # Six frames of plain grey; the line of what was measured, prompts/emg and pictures.py.
    assert share(with_frames, (60, 60, 60)) > 0.03 > share(without, (60, 60, 60))
    assert share(with_frames, (23, 107, 114)) > 1e-4 > 3e-5 > share(without, (23, 107, 114))
    assert share(without, (163, 18, 63)) > 1e-4
    assert with_frames.shape[0] > without.shape[0]
    assert with_frames.shape[1] == without.shape[1]


def test_the_film_lights_up_in_time_beside_its_clip(tmp_path: Path) -> None:
    greys = [60 + 4 * (n // 2) for n in range(24)]
    path = write_greys(tmp_path / "greys.mp4", 60, greys)
    out = tmp_path / "out.mp4"
    film(prediction_of(12, 30.0), clip_of(path), out)
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 30
    frames = decoded(out)
    assert len(frames) == 12
    # On the left runs the clip, of which every other picture is shown.
    seen = [float(frame[200:400, 100:500].mean()) for frame in frames]
    assert seen == pytest.approx([60 + 4 * n for n in range(12)], abs=4)
    # The left biceps goes from the first colour of the scale to the last.
    full = shade(np.array(1.0)).astype(int)
    dark = [int((np.abs(frame[:560, 640:] - full).sum(axis=2) < 40).sum()) for frame in frames]
    assert dark[-1] > dark[0] + 100
    # The line of the strip goes from its left end to its right one.
    cursor = [int(frame[592:640, 24:-24].sum(axis=(0, 2)).argmin()) for frame in frames]
    assert cursor == sorted(cursor)
    assert cursor[0] < 5
    assert cursor[-1] > frames[0].shape[1] - 60


def test_nothing_is_written_where_there_is_nothing_to_show(tmp_path: Path) -> None:
    path = write_greys(tmp_path / "greys.mp4", 10, [60] * 10)
    broken = prediction_of()
    broken.predicted[3, BICEPS] = np.nan
    nobody = prediction_of(mask=np.zeros(18, dtype=bool))
    for make in draw, film:
        with pytest.raises(InputError, match="not finite"):
            make(broken, clip_of(path), tmp_path / "out.bin")
        with pytest.raises(InputError, match="a frame and a muscle, found none"):
            make(nobody, clip_of(path), tmp_path / "out.bin")
    with pytest.raises(InputError, match="expected a view, found none"):
        film(prediction_of(), clip_of(None), tmp_path / "out.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["greys.mp4"]
