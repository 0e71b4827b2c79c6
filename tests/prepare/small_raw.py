"""A raw folder that is made in a second: curls of a stick figure, and a film of a moving block.

The elbow bends as a minimum-jerk movement out and back, with rests between. The block moves up as
fast as the forearm turns, so that camera and skeleton tell of the same movement.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from flex.number_table import Floats
from flex.skeleton import INDEX, JOINTS
from prepare.run import Prepared

Run = Callable[..., Prepared]
RATE_HZ, FPS, SEMG_HZ = 60.0, 30.0, 200.0
STARTS_S = (1.5, 4.1, 7.2)  # when the preparations begin
PHASES_S = (0.4, 0.9, 1.0)
SET_S = 10.6
CHANNELS = ["left biceps brachii", "right biceps brachii"]
WIDTH, HEIGHT = 96, 64


def bend_deg(times_s: Floats) -> Floats:
    """Return the flexion of the elbow."""
    bend = np.full(len(times_s), 15.0)
    for start_s in STARTS_S:
        out_s = start_s + PHASES_S[0]
        out = _smooth((times_s - out_s) / PHASES_S[1])
        back = _smooth((times_s - out_s - PHASES_S[1]) / PHASES_S[2])
        bend += 100 * (out - back)
    return bend


def _smooth(share: Floats) -> Floats:
    u = np.clip(share, 0, 1)
    return np.asarray(u**3 * (10 - 15 * u + 6 * u**2))


def skeleton(times_s: Floats) -> Floats:
    """Return a standing figure, (T, 21, 3) metres, z up, facing x."""
    points = np.zeros((len(times_s), 21, 3))
    for joint, height in (("head", 1.65), ("neck", 1.52), ("upper_spine", 1.42)):
        points[:, INDEX[joint], 2] = height
    angle = np.radians(bend_deg(times_s))
    for side, y in (("left", 0.2), ("right", -0.2)):
        parts = (("shoulder", 1.4), ("elbow", 1.1), ("hip", 0.95), ("knee", 0.5), ("ankle", 0.08))
        for joint, height in parts:
            points[:, INDEX[f"{side}_{joint}"]] = (0, y, height)
        for joint, reach in (("wrist", 0.26), ("hand", 0.34)):
            x, z = reach * np.sin(angle), 1.1 - reach * np.cos(angle)
            points[:, INDEX[f"{side}_{joint}"]] = np.stack([x, np.full_like(x, y), z], axis=-1)
        points[:, INDEX[f"{side}_heel"]] = (-0.05, y, 0.02)
        points[:, INDEX[f"{side}_toe"]] = (0.18, y, 0.02)
    return points


def picture(time_s: float) -> Any:
    """Return (H, W, 3): a grey ground with fine texture, and a block at the height of the hand."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    ground = 90 + 25 * ((rows + columns) % 2)
    image = np.repeat(ground[..., None], 3, axis=2).astype(np.uint8)
    top = 8 + (float(bend_deg(np.array([time_s]))[0]) - 15) * 0.4
    inside = (rows >= top) & (rows < top + 10) & (columns >= 30) & (columns < 66)
    image[inside] = 230
    return image


def write_film(
    path: Path, times_s: Iterable[float], shown_s: Iterable[float] | None = None
) -> None:
    """Write pictures of some times; `shown_s` are the file's own times, as a rule the same."""
    import av

    times_s = list(times_s)
    clock = list(shown_s) if shown_s is not None else [time - times_s[0] for time in times_s]
    options = {"movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        stream.codec_context.gop_size = 15
        stream.options = {"preset": "ultrafast", "crf": "12"}
        for time_s, at_s in zip(times_s, clock, strict=True):
            frame = av.VideoFrame.from_ndarray(picture(time_s), format="rgb24")
            frame.pts, frame.time_base = round(at_s * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def film_from(start_s: float, end_s: float = SET_S) -> Callable[[Path], None]:
    """Return what writes the film of a camera that starts and ends at these times of the set."""
    return lambda path: write_film(path, np.arange(start_s, end_s, 1 / FPS))


def camera() -> dict[str, Any]:
    """Return a calibration that sees the figure from the front: the head near the top."""
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "matrix": [[100.0, 0.0, 48.0], [0.0, 100.0, 32.0], [0.0, 0.0, 1.0]],
        "rotation": [[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]],
        "translation": [0.0, 1.25, 3.0],
    }


def write_raw(
    raw: Path,
    *,
    name: str = "P01-A02",
    films: dict[str, Callable[[Path], None]] | None = None,
    rows: int | None = None,
    semg_hz: float = SEMG_HZ,
    **card: Any,
) -> Path:
    """Write one recording and return its folder; `card` overrides what recording.yaml says."""
    folder = raw / name
    folder.mkdir(parents=True)
    points = skeleton(np.arange(0, SET_S, 1 / RATE_HZ))[:rows]
    header = ",".join(f"{joint}_{axis}" for joint in JOINTS for axis in "xyz")
    flat = points.reshape(len(points), -1)
    np.savetxt(folder / "skeleton.csv", flat, "%.5f", ",", header=header, comments="")
    times_s = np.arange(0, SET_S, 1 / semg_hz)
    np.savetxt(folder / "semg.csv", np.stack([times_s, -times_s], axis=-1), "%.4f", ",")
    vitals = np.stack([np.arange(0, SET_S, 0.1), *np.ones((3, round(SET_S * 10)))], axis=-1)
    columns = "time_s,heart_rate_bpm,breathing_rate_per_min,chest_volume"
    np.savetxt(folder / "vitals.csv", vitals, "%.2f", ",", header=columns, comments="")
    films = films or {"View-1": film_from(0.5)}
    for view, write in films.items():
        write(folder / f"{view}.mp4")
    (folder / "cameras.yaml").write_text(yaml.safe_dump(dict.fromkeys(films, camera())))
    said = {
        "action": "A02",
        "subject": "P01",
        "skeleton": {"file": "skeleton.csv", "rate_hz": RATE_HZ},
        "semg": {"file": "semg.csv", "rate_hz": semg_hz, "channels": CHANNELS},
        "vitals": {"file": "vitals.csv"},
        "views": {view: {"file": f"{view}.mp4"} for view in films},
        **card,
    }
    (folder / "recording.yaml").write_text(yaml.safe_dump(said))
    return folder


TRUTH = tuple(tuple(start + sum(PHASES_S[:number]) for number in range(4)) for start in STARTS_S)
