"""Can a small network learn the errors from skeletons, and find them in people it never saw?

    python -m sim.checks.learn_pose --out docs/learn-pose.json

Needs the `train` extra (torch). Clips of the whole simulated study become 103-frame skeletons in
memory; people are split as `flex.splits` splits them. A temporal convolution is told the exercise
and gives the probability of each of its errors. Thresholds are set on the validation people, the
test people are read once. Beside it stands what is right without looking: the commonest answer.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from flex import cli
from flex.dataset import FRAMES_PER_CLIP
from flex.files import write_text
from flex.graph import Graph
from flex.graph_file import load_graph
from flex.sample import Annotation
from flex.skeleton import JOINTS, mirror
from flex.splits import PARTS, split_by_subject
from sim.checks.scores import best_thresholds, f1_by_type, macro
from sim.checks.skeleton_features import Singles, features
from sim.choreography import load_choreography
from sim.clips import simulate
from sim.lift import Stage, frame_times, lift
from sim.settings import load_settings
from sim.study import Floats, Study

app = cli.new_app(__doc__ or "")
_BATCH, _WIDTH, _LEARNING_RATE = 64, 128, 2e-3


@dataclass(frozen=True)
class Part:
    """Clips of some people.

    Attributes:
        joints: (N, 103, 21, 3) metres.
        actions: (N,) number of the action.
        errors: (N, O) what shows.
        asked: (N, O) what belongs to the action.
    """

    joints: Singles
    actions: npt.NDArray[np.int64]
    errors: npt.NDArray[np.bool_]
    asked: npt.NDArray[np.bool_]


def main() -> None:
    """Run the command."""
    cli.run(app)


@app.command()
def learn(
    out: Annotated[Path, typer.Option(help="Where the results go, as JSON.")],
    clips: Annotated[int, typer.Option(help="How many clips of the study.")] = 7512,
    epochs: Annotated[int, typer.Option(help="Passes over the training people.")] = 20,
    seed: Annotated[int, typer.Option(help="Of study, split and network.")] = 0,
) -> None:
    """Train on some people, test on others, and write F1 per error type."""
    graph = load_graph()
    stage = Stage(Study(graph, load_settings(), seed), load_choreography())
    columns = observable(stage)
    parts = make_parts(stage, list(simulate(stage.study, clips)), columns, seed)
    scores = dict(train(parts, columns, epochs, seed))
    types = [error_type for _, _, error_type in columns]
    test, limits = parts["test"], best_thresholds(scores["validation"], parts["validation"])
    found = f1_by_type(scores["test"] > limits, test, types)
    always = f1_by_type(np.ones_like(test.errors), test, types)
    result = {
        "data": "simulated",
        "clips": {name: len(part.joints) for name, part in parts.items()},
        "epochs": epochs,
        "seed": seed,
        "macro_f1": round(macro(found), 4),
        "macro_f1_of_always_yes": round(macro(always), 4),
        "f1": {name: round(value, 4) for name, value in sorted(found.items())},
    }
    write_text(out, json.dumps(result, indent=2) + "\n")
    _show(result, always, graph)


def observable(stage: Stage) -> list[tuple[str, str, str]]:
    """Return every (action, key step, error type) that the skeleton is meant to show."""
    graph, errors = stage.study.graph, stage.choreography.errors
    return [
        (action, *item)
        for action in graph.actions
        for item in graph.occurrences(action)
        if (effect := errors.effect(action, *item)) and effect.seen_in == "pose"
    ]


def make_parts(
    stage: Stage, records: list[Annotation], columns: list[tuple[str, str, str]], seed: int
) -> dict[str, Part]:
    """Return the clips of training, validation and test people."""
    split = split_by_subject(records, seed=seed)
    rows: dict[str, list[int]] = {part: [] for part in PARTS}
    joints = np.empty((len(records), FRAMES_PER_CLIP, len(JOINTS), 3), np.float32)
    for number, record in enumerate(track(records, "skeletons", console=cli.err, transient=True)):
        rows[split.part(record.clip)].append(number)
        motion = lift(stage, stage.subject(record), record, frame_times(record))
        joints[number] = motion.joints
    names = list(stage.study.graph.actions)
    actions = np.array([names.index(record.action) for record in records])
    errors = np.array([_marks(record, columns) for record in records])
    asked = np.array([[name == record.action for name, _, _ in columns] for record in records])
    return {p: Part(joints[r], actions[r], errors[r], asked[r]) for p, r in rows.items()}


def _marks(record: Annotation, columns: list[tuple[str, str, str]]) -> list[bool]:
    shown = {(record.action, *item) for item in record.occurrences}
    return [column in shown for column in columns]


def train(
    parts: dict[str, Part], columns: list[tuple[str, str, str]], epochs: int, seed: int
) -> Iterator[tuple[str, Floats]]:
    """Train on the training people; yield part → probabilities for the others, (N, O)."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    part = parts["train"]
    seen, mirrored = features(part.joints), features(mirror(part.joints.astype(float), axis=1))
    mean, sd = seen.mean(axis=(0, 1)), seen.std(axis=(0, 1)) + 1e-2
    actions = int(max(p.actions.max() for p in parts.values())) + 1

    def inputs(shown: Singles, which: npt.NDArray[np.int64]) -> Any:
        pose = torch.from_numpy((shown - mean) / sd).transpose(1, 2)
        speed = torch.nn.functional.pad(pose.diff(dim=2), (0, 1)) * 8
        action = torch.nn.functional.one_hot(torch.from_numpy(which), actions)
        place = torch.linspace(-1, 1, pose.shape[2]).expand(len(pose), 1, -1)
        told = action.float()[:, :, None].expand(-1, -1, pose.shape[2])
        return torch.cat([pose, speed, told, place], dim=1)

    def block(wide: int, out: int, stride: int) -> Any:
        conv = nn.Conv1d(wide, out, 5, stride=stride, padding=2)
        return nn.Sequential(conv, nn.BatchNorm1d(out), nn.ReLU(), nn.Dropout(0.1))

    channels = 2 * seen.shape[2] + actions + 1
    steps = [block(channels, _WIDTH, 1), block(_WIDTH, _WIDTH, 2), block(_WIDTH, _WIDTH, 2)]
    head = [nn.Flatten(), nn.Dropout(0.3), nn.Linear(_WIDTH * 26, 512), nn.ReLU()]
    model = nn.Sequential(*steps, *head, nn.Dropout(0.3), nn.Linear(512, len(columns)))
    optimiser = torch.optim.AdamW(model.parameters(), lr=_LEARNING_RATE, weight_decay=1e-2)
    rounds = -(-len(seen) // _BATCH)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, epochs * rounds)
    order = np.random.default_rng(seed)
    for _ in track(range(epochs), "epochs", console=cli.err, transient=True):
        model.train()
        for rows in np.array_split(order.permutation(len(seen)), rounds):
            truth = torch.from_numpy(part.errors[rows].astype(np.float32))
            asked = torch.from_numpy(part.asked[rows].astype(np.float32))
            # Left and right make no difference to what an error is.
            shown = seen[rows] if order.random() < 0.5 else mirrored[rows]
            loss = nn.functional.binary_cross_entropy_with_logits(
                model(inputs(shown, part.actions[rows])), truth, weight=asked, reduction="sum"
            )
            optimiser.zero_grad()
            (loss / asked.sum()).backward()
            optimiser.step()
            plan.step()
    model.eval()
    with torch.no_grad():
        for name in ("validation", "test"):
            some = parts[name]
            chunks = np.array_split(np.arange(len(some.joints)), -(-len(some.joints) // _BATCH))
            given = (inputs(features(some.joints[rows]), some.actions[rows]) for rows in chunks)
            yield name, np.concatenate([model(clip).sigmoid().numpy() for clip in given])


def _show(result: dict[str, Any], always: dict[str, float], graph: Graph) -> None:
    table = Table("error type", "F1", "F1 of always yes", title="Simulated people not trained on")
    for name, value in sorted(result["f1"].items(), key=lambda item: item[1]):
        label = f"{name} {graph.error_types[name].name}"
        table.add_row(label, f"{value:.3f}", f"{always[name]:.3f}")
    table.add_row("macro", f"{result['macro_f1']:.3f}", f"{result['macro_f1_of_always_yes']:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
