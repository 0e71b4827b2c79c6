"""How fast `flex prepare` decodes, scales and encodes on one core, beside FFmpeg doing the same.

    python -m benchmarks --only prepare

Input is made here: 1080p at 60 and 4K at 120 frames a second, a moving pattern with noise, H.264.
Beside prepare's own path (`film_view`, video form only): the `ffmpeg` program with one thread and
the same scaler and encoder settings where it is installed, else the same libraries in the plainest
loop that PyAV allows. All are CPU seconds of one process, so that what else runs does not count;
rounds alternate.
"""

import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from prepare.encode import encoder_options

TARGET = 0.8
LINES, CRF, ROUNDS = 540, 22, 2
INPUTS = {"1080p60": (1920, 1080, 60, 2.0), "4K120": (3840, 2160, 120, 1.0)}


def run(console: Console) -> dict[str, Any]:
    """Measure both inputs."""
    beside = "ffmpeg" if shutil.which("ffmpeg") else "plain PyAV loop"
    table = Table("input", "prepare", beside, "ratio", title="frames/s of one core, to 540 lines")
    found: dict[str, Any] = {"beside": beside, "target": TARGET}
    with tempfile.TemporaryDirectory() as folder:
        for name, (width, height, fps, seconds) in INPUTS.items():
            source = Path(folder, f"{name}.mp4")
            frames = _make(source, width, height, fps, seconds)
            out = Path(folder, "out.mp4")
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(_cpu_s(partial(_prepare, source, out, seconds)))
                theirs.append(_cpu_s(partial(_beside, source, out)))
            rates = frames / min(ours), frames / min(theirs)
            ratio = rates[0] / rates[1]
            table.add_row(name, f"{rates[0]:.1f}", f"{rates[1]:.1f}", f"{ratio:.2f}")
            found[name] = {"prepare": rates[0], "beside": rates[1], "ratio": ratio}
    console.print(table)
    return found


def _prepare(source: Path, out: Path, seconds: float) -> None:
    from prepare.film import Film, film_view
    from prepare.footage import list_frames

    list_frames.cache_clear()
    film_view(source, (0.0, seconds), 0.0, Film(lines=LINES, crf=CRF, video=out))


def _beside(source: Path, out: Path) -> None:
    if not shutil.which("ffmpeg"):
        _plain_loop(source, out)
        return
    scale = f"scale=-2:{LINES}:flags=area"
    command = ["ffmpeg", "-y", "-v", "error", "-threads", "1", "-i", str(source), "-vf", scale]
    encode = ["-c:v", "libx264", "-filter_threads", "1"]
    for name, value in encoder_options(CRF).items():
        encode += [f"-{name}", value]
    subprocess.run([*command, *encode, str(out)], check=True)


def _plain_loop(source: Path, out: Path) -> None:
    import av

    with av.open(str(source)) as reader, av.open(str(out), "w") as writer:
        stream = reader.streams.video[0]
        stream.codec_context.thread_count = 1
        encoder: Any = writer.add_stream("libx264", rate=Fraction(stream.average_rate or 60))
        encoder.width, encoder.height = round(stream.width * LINES / stream.height), LINES
        encoder.pix_fmt = "yuv420p"
        encoder.codec_context.thread_count = 1
        encoder.options = encoder_options(CRF)
        for number, frame in enumerate(reader.decode(stream)):
            size = (encoder.width, encoder.height)
            small = frame.reformat(*size, format="yuv420p", interpolation="AREA")
            small.pts, small.time_base = number, 1 / Fraction(stream.average_rate or 60)
            small.pict_type = 0  # as FFmpeg: else the encoder repeats the types of the source
            writer.mux(encoder.encode(small))
        writer.mux(encoder.encode(None))


def _cpu_s(work: Callable[[], None]) -> float:
    """Return the CPU seconds of this process and its children."""

    def spent() -> float:
        whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        used = [resource.getrusage(who) for who in whose]
        return sum(one.ru_utime + one.ru_stime for one in used)

    before = spent()
    work()
    return spent() - before


def _make(path: Path, width: int, height: int, fps: int, seconds: float) -> int:
    """Write a film of a drifting pattern with noise; return how many frames it has."""
    import av

    count = round(fps * seconds)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    noise = np.random.default_rng(0).integers(0, 12, (height, width), dtype=np.uint8)
    base = 100 + 60 * np.sin(rows / 37) * np.sin(columns / 53)
    wide = np.concatenate([base.astype(np.uint8) + noise] * 2, axis=1)
    colour = np.full((height // 2, width), 128, np.uint8)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "23"}
        for number in range(count):
            picture = wide[:, 6 * number : 6 * number + width]
            flat = np.ascontiguousarray(np.concatenate([picture, colour]))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(flat, format="yuv420p")))
        container.mux(stream.encode(None))
    return count
