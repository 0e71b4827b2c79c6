"""How many 224 × 224 frames a second one core renders and encodes.

Every action is filmed once, views 1, 2 and 5 in turn, after the kernels have been compiled. Beside
it: the same frames rendered only, and a copy of finished frames encoded only. All three are CPU
time of one process, so that what else runs on the machine does not count.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flex.graph_file import load_graph
from sim.choreography import load_choreography
from sim.clips import simulate_selection
from sim.film import Video, look_of, shots
from sim.lift import Stage, frame_times
from sim.selection import Selection
from sim.settings import load_settings
from sim.study import Study

SIZE, FPS, VIEWS = 224, 30.0, (1, 2, 5)
TARGET_FPS = 200.0


def run(console: Console) -> dict[str, Any]:
    """Measure rendering, encoding and both."""
    from sim.video import write_mp4

    stage = Stage(Study(load_graph(), load_settings(), 0), load_choreography())
    records = list(simulate_selection(stage.study, Selection(1, 1)))
    video = Video(size=SIZE, fps=FPS)
    spent = dict.fromkeys(("render", "encode", "render and encode"), 0.0)
    frames = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip.mp4")

        def film(number: int) -> tuple[float, float, float, int]:
            record, view = records[number], VIEWS[number % len(VIEWS)]
            times_s = frame_times(record, video.frames(record))
            crf = look_of(stage, record, video).room.crf
            finished, render_s = _timed(lambda: list(shots(stage, record, video, view, times_s)))
            _, encode_s = _timed(lambda: write_mp4(path, finished, FPS, SIZE, crf))
            fresh = shots(stage, record, video, view, times_s)
            count, both_s = _timed(lambda: write_mp4(path, fresh, FPS, SIZE, crf))
            return render_s, encode_s, both_s, count

        film(0)  # compiles
        for number in range(len(records)):
            *seconds, count = film(number)
            frames += count
            for name, value in zip(spent, seconds, strict=True):
                spent[name] += value
    rates = {name: round(frames / value, 1) for name, value in spent.items()}
    table = Table(
        "step", "frames per second of one core", title=f"{frames} frames of {SIZE} × {SIZE}"
    )
    for name, rate in rates.items():
        table.add_row(name, f"{rate:.0f}")
    console.print(table)
    return {"frames": frames, "target_fps": TARGET_FPS, "fps": rates}


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    done = work()
    return done, time.process_time() - start
