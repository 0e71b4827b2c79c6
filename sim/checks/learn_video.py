"""Can a small network tell the exercise from video of people it never saw, and is it the person?

    python -m sim.checks.learn_video --out docs/learn-video.json

Needs the `train` extra (torch). Every person of the study lifts everything three times, filmed by
views 1 and 2, four frames a clip; people are split as `flex.splits` splits them. The network is
trained and tested three times: on varied clothes and rooms; with everybody dressed alike in a bare
room; and on the empty varied rooms alone, which must tell it nothing. The network of the first is
tried on the second too.
"""

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from flex import cli
from flex.files import write_text
from flex.graph_file import load_graph
from flex.processors import processors
from flex.sample import Annotation
from flex.splits import split_by_subject
from sim.cameras import place_camera
from sim.choreography import load_choreography
from sim.clips import simulate_selection
from sim.film import Video, look_of, session, shots
from sim.lift import Stage
from sim.selection import Selection
from sim.settings import load_settings
from sim.study import Study

Kind = Literal["varied", "plain", "rooms"]
Pictures = npt.NDArray[np.uint8]
app = cli.new_app(__doc__ or "")
_VIEWS, _FRAMES, _BATCH, _LEARNING_RATE = (1, 2), 4, 32, 3e-3
_SIZE, _SEEN = (
    84,
    64,
)  # pixels filmed, and those in the middle, where the person is, that are looked at
# Channels in and out, and stride, of the layers.
_LAYERS = ((6, 32, 2), (32, 64, 2), (64, 96, 1), (96, 128, 2), (128, 192, 1))
_TINT = 0.3  # how far training changes the strength of each colour, natural logarithm


@dataclass(frozen=True)
class Films:
    """Films of a part: (N, 4, 3, 84, 84) uint8, and the number of each one's action (N,)."""

    films: Pictures
    actions: npt.NDArray[np.int64]


def main() -> None:
    """Run the command."""
    cli.run(app)


@app.command()
def learn(
    out: Annotated[Path, typer.Option(help="Where the results go, as JSON.")],
    subjects: Annotated[int, typer.Option(help="How many people.")] = 38,
    epochs: Annotated[int, typer.Option(help="Passes over the training people.")] = 12,
    seed: Annotated[int, typer.Option(help="Of study, split and network.")] = 0,
) -> None:
    """Train on some people, test on others, and write the share of exercises that are right."""
    stage = Stage(Study(load_graph(), load_settings(), seed), load_choreography())
    records = list(simulate_selection(stage.study, Selection(subjects, 3)))
    parts: dict[Kind, dict[str, Films]] = {
        kind: film_parts(stage, records, kind, seed) for kind in ("varied", "plain", "rooms")
    }
    models = {kind: train(both["train"], epochs, seed) for kind, both in parts.items()}
    right = {
        "varied people and rooms": accuracy(models["varied"], parts["varied"]["test"]),
        "everybody alike, bare room": accuracy(models["plain"], parts["plain"]["test"]),
        "trained varied, tested alike": accuracy(models["varied"], parts["plain"]["test"]),
        "empty rooms alone": accuracy(models["rooms"], parts["rooms"]["test"]),
    }
    chance = 1 / len(stage.study.graph.actions)
    counts = {name: len(films.films) for name, films in parts["varied"].items()}
    result = {
        "data": "simulated",
        "subjects": subjects,
        "films": counts,
        "epochs": epochs,
        "seed": seed,
        "chance": chance,
        "accuracy": {name: round(value, 4) for name, value in right.items()},
    }
    write_text(out, json.dumps(result, indent=2) + "\n")
    title = "Exercise from simulated video, people not trained on"
    table = Table("what the network sees", "right", title=title)
    for name, value in right.items():
        table.add_row(name, f"{value:.1%}")
    table.add_row("chance", f"{chance:.1%}")
    Console().print(table)


def film_parts(stage: Stage, records: list[Annotation], kind: Kind, seed: int) -> dict[str, Films]:
    """Return the films of training and test people."""
    split, names = split_by_subject(records, seed=seed), list(stage.study.graph.actions)
    tasks = list(itertools.product(records, _VIEWS))
    with ProcessPoolExecutor(processors(), mp_context=get_context("spawn")) as pool:
        chunks = itertools.repeat((stage, kind))
        drawn = pool.map(_film, chunks, tasks, chunksize=32)
        films = np.stack(
            list(track(drawn, f"films, {kind}", len(tasks), console=cli.err, transient=True))
        )
    actions = np.array([names.index(record.action) for record, _ in tasks])
    where = np.array([split.part(record.clip) for record, _ in tasks])
    return {p: Films(films[where == p], actions[where == p]) for p in ("train", "test")}


def _film(how: tuple[Stage, Kind], what: tuple[Annotation, int]) -> Pictures:
    """Return a film (4, 3, 84, 84) of a clip."""
    (stage, kind), (record, view) = how, what
    video = Video(size=_SIZE, plain=kind == "plain")
    if kind == "rooms":
        from sim.video import render_room

        camera = place_camera(stage.study, view, session(stage, record))
        room = render_room(look_of(stage, record, video), camera, _SIZE)
        film = np.stack([room] * _FRAMES)
    else:
        times_s = (record.duration_s or 0.0) * (np.arange(_FRAMES) + 0.5) / _FRAMES
        film = np.stack(list(shots(stage, record, video, view, times_s)))
    return film.transpose(0, 3, 1, 2)


def train(part: Films, epochs: int, seed: int) -> Any:
    """Return a network trained on films: a small CNN for each frame, pooled over time."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    model = _network(int(part.actions.max()) + 1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=_LEARNING_RATE, weight_decay=2e-2)
    rounds = -(-len(part.films) // _BATCH)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, epochs * rounds)
    order = np.random.default_rng(seed)
    model.train()
    for _ in track(range(epochs), "epochs", console=cli.err, transient=True):
        for rows in np.array_split(order.permutation(len(part.films)), rounds):
            films = _inputs(part.films[rows], order)
            truth = torch.from_numpy(part.actions[rows])
            loss = nn.functional.cross_entropy(model(films), truth, label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            plan.step()
    return model.eval()


def accuracy(model: Any, part: Films) -> float:
    """Return the share of films whose action is named right."""
    import torch

    with torch.no_grad():
        named = [model(_inputs(films)).argmax(dim=1) for films in _batches(part.films)]
    return float((torch.cat(named).numpy() == part.actions).mean())


def _batches(films: Pictures) -> Iterator[Pictures]:
    yield from np.array_split(films, -(-len(films) // _BATCH))


def _inputs(films: Pictures, draws: np.random.Generator | None = None) -> Any:
    """Return the middle of films and how it differs from the film's mean: (B, 4, 6, 64, 64).

    With draws, as training wants them: another cut, another tint, left and right exchanged.
    """
    import torch

    spare = _SIZE - _SEEN
    places = np.full((len(films), 2), spare // 2)
    if draws:
        places = draws.integers(0, spare + 1, size=places.shape)
    cut = [
        film[..., top : top + _SEEN, left : left + _SEEN]
        for film, (top, left) in zip(films, places.tolist(), strict=True)
    ]
    shown = torch.from_numpy(np.stack(cut)).float() / 255
    if draws:
        tint = np.exp(draws.normal(scale=_TINT, size=(len(films), 1, 3, 1, 1)))
        shown = shown * torch.from_numpy(tint).float()
        turned = torch.from_numpy(draws.random(len(films)) < 0.5)
        shown[turned] = shown[turned].flip(-1)
    shown = shown - shown.mean(dim=(1, 3, 4), keepdim=True)
    return torch.cat([shown, 3 * (shown - shown.mean(dim=1, keepdim=True))], dim=2)


def _network(actions: int) -> Any:
    import torch
    from torch import nn

    def layer(wide: int, out: int, stride: int) -> Any:
        conv = nn.Conv2d(wide, out, 3, stride=stride, padding=1, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU())

    class OverTime(nn.Module):  # type: ignore[misc]
        """Mean and maximum, over places and frames, of a small CNN: (B, T, 6, H, W) → (B, A)."""

        def __init__(self) -> None:
            super().__init__()
            self.frame = nn.Sequential(*(layer(*sizes) for sizes in _LAYERS))
            self.clip = nn.Sequential(nn.Dropout(0.3), nn.Linear(4 * _LAYERS[-1][1], actions))

        def forward(self, films: Any) -> Any:
            batch, times = films.shape[:2]
            seen = self.frame(films.flatten(0, 1)).flatten(2)
            seen = torch.cat([seen.mean(dim=2), seen.amax(dim=2)], dim=1).view(batch, times, -1)
            return self.clip(torch.cat([seen.mean(dim=1), seen.amax(dim=1)], dim=1))

    return OverTime()


if __name__ == "__main__":
    main()
