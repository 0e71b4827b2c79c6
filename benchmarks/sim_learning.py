"""Can anything be learnt from FLEX-Sim? Two small trainings, on people that are held out.

The full-sized ones are `python -m sim.checks.learn_pose` and `learn_video`; these take about two
minutes on two cores and show whether a change of the simulation has spoilt what it is made for.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flex.graph_file import load_graph
from sim.checks import learn_pose, learn_video
from sim.choreography import load_choreography
from sim.clips import simulate_selection
from sim.lift import Stage
from sim.selection import Selection
from sim.settings import load_settings
from sim.study import Study

ACTIONS = ("A02", "A06", "A08", "A15")


def run(
    console: Console, *, clips: int = 2000, epochs: int = 8, subjects: int = 10
) -> dict[str, Any]:
    """Train both, print what they find, and return it."""
    found = {"skeletons": _skeletons(clips, epochs), "video": _video(subjects)}
    pose, video = found["skeletons"], found["video"]
    table = Table("learnt from", "measure", "found", "without looking", title="Held-out people")
    table.add_row(
        "skeletons",
        "macro F1 over error types",
        f"{pose['macro_f1']:.3f}",
        f"{pose['macro_f1_of_always_yes']:.3f} (always yes)",
    )
    table.add_row(
        "video",
        f"{len(ACTIONS)} exercises right",
        f"{video['accuracy']:.3f}",
        f"{video['chance']:.3f} (chance)",
    )
    console.print(table)
    return found


def _skeletons(clips: int, epochs: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "pose.json"
        learn_pose.learn(out, clips=clips, epochs=epochs)
        result: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return {name: result[name] for name in ("clips", "macro_f1", "macro_f1_of_always_yes")}


def _video(subjects: int) -> dict[str, Any]:
    stage = Stage(Study(load_graph(), load_settings(), seed=0), load_choreography())
    records = list(simulate_selection(stage.study, Selection(subjects, 2, ACTIONS)))
    parts = learn_video.film_parts(stage, records, "plain", seed=0)
    model = learn_video.train(parts["train"], epochs=30, seed=0)
    return {
        "films": {part: len(films.films) for part, films in parts.items()},
        "accuracy": learn_video.accuracy(model, parts["test"]),
        "chance": 1 / len(ACTIONS),
    }
