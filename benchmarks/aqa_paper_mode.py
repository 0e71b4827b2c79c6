"""CoRe as the authors' code runs it, beside ours: the same clips, weights and arithmetic.

    python -m benchmarks --only aqa

As written: every step decodes its frames, a batch is one pair whose clips go through I3D one after
the other, a pool looks at its whole box at once, and every voter reads and encodes the target anew.
Ours: frames come from the cache, a pair is one batch, pools go over area and time in turn, a judged
clip is encoded once (the exemplars' features lie beside the model), and heads train from tables of
features, here random ones of I3D's width. The measure is processor time, which other programs on
the machine stretch little, of a step the median; every way runs in a process of its own, whose peak
memory is watched. I3D has its full width on 224 pixels, but three of its ten windows, so that
this takes minutes; decoding and encoding keep their proportion.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.memory import peak_mib
from flex import cli

if TYPE_CHECKING:
    from aqa.streams import Streams
    from learn.sample import Sample

WAYS = ("written", "ours", "cached")
SETTINGS = ("--subjects", "8", "--actions", "A16", "--reps", "1", "--views", "1")
STARTS, FRAMES = (0, 10, 20), 36
WARM, STEPS, EPOCHS = 1, 5, 20

app = cli.new_app(__doc__ or "")


def run(console: Console) -> dict[str, Any]:
    """Run every way on the same clips, and hold them against each other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sim = [sys.executable, "-m", "sim", "--out", str(folder / "data"), *SETTINGS]
        subprocess.run([*sim, "--media", "jpeg"], check=True, capture_output=True)
        found: dict[str, dict[str, Any]] = {}
        for way in WAYS:
            command = [sys.executable, "-m", "benchmarks.aqa_paper_mode", way, name]
            peak = peak_mib(command)
            found[way] = json.loads((folder / f"{way}.json").read_text(encoding="utf-8"))
            found[way]["peak_mib"] = round(peak)
    written, ours, cached = (found[way] for way in WAYS)
    ratios = {
        "epoch": written["step_s"] / cached["step_s"],
        "end_to_end_step": written["step_s"] / ours["step_s"],
        "validation": written["validation_s"] / ours["validation_s"],
        "memory_from_cache": cached["peak_mib"] / written["peak_mib"],
        "memory_end_to_end": ours["peak_mib"] / written["peak_mib"],
    }
    gaps = {
        "loss": abs(written["loss"] - ours["loss"]),
        "gradient": abs(written["gradient"] / ours["gradient"] - 1),
        "scores": max(abs(a - b) for a, b in zip(written["scores"], ours["scores"], strict=True)),
    }
    table = Table("way", "s a pair", "s a judged clip", "peak MiB", title="CoRe with I3D, one view")
    for way, one in found.items():
        judged = f"{one['validation_s']:.2f}" if "validation_s" in one else "–"
        table.add_row(way, f"{one['step_s']:.4f}", judged, str(one["peak_mib"]))
    console.print(table, {name: round(value, 3) for name, value in ratios.items()}, gaps)
    return {"ways": found, "ratios": ratios, "gaps": gaps}


@app.command()
def measure(
    way: Annotated[str, typer.Argument(help=", ".join(WAYS))],
    folder: Annotated[Path, typer.Argument(help="Where data/ lies and the result goes.")],
) -> None:
    """Measure one way; `run` calls it in a process of its own."""
    import torch

    torch.set_num_threads(1)
    result = {"written": _encoding, "ours": _encoding, "cached": _from_cache}[way](way, folder)
    (folder / f"{way}.json").write_text(json.dumps(result), encoding="utf-8")


class _Bench:
    """Model, clips and readers of one way."""

    def __init__(self, way: str, folder: Path) -> None:
        import torch

        from aqa.build import build_core, build_encoder
        from aqa.clip_store import ClipStore
        from aqa.quality import score_of
        from aqa.recipe import Recipe
        from aqa.samples import load_samples
        from flex.config import load_config
        from flex.graph_file import load_graph

        settings = [f"starts={list(STARTS)}", f"frames={FRAMES}", "split=subject", "actions=[A16]"]
        path = Path("configs/aqa/paper/sv.yaml")
        whole = load_config(Recipe, path, [*settings, f"cache={folder / 'cache'}"])
        self.recipe = whole.model_copy(update={"workers": 1, "keep_streams": way != "written"})
        graph = load_graph()
        self.samples = load_samples(folder / "data", self.recipe, graph)
        self.scores = torch.tensor([score_of(sample) for sample in self.samples])
        self.store = ClipStore(self.recipe, graph)
        torch.manual_seed(0)
        self.encoder = build_encoder(self.recipe, segments_at_once=None)
        if way == "written":
            _pool_whole(self.encoder)
        self.core = build_core(self.recipe)
        self.core.fit(self.scores.tolist())
        self.view = self.recipe.views[0]

    def encode(self, samples: "list[Sample]") -> "Streams":
        """Read and encode some clips as one batch."""
        found: Streams = self.encoder(self.store.batch(samples, [self.view]))
        return found


def _pool_whole(encoder: Any) -> None:
    """Let every pool look at its whole box at once."""
    from torch.nn.functional import max_pool3d

    from learn.i3d import SamePool, pad_same

    def whole(pool: SamePool, x: Any) -> Any:
        x, padding = pad_same(x, pool.kernel, pool.stride)
        return max_pool3d(x, pool.kernel, pool.stride, padding)

    for module in encoder.modules():
        if isinstance(module, SamePool):
            module.__dict__["forward"] = partial(whole, module)


def _encoding(way: str, folder: Path) -> dict[str, Any]:
    """Time end-to-end steps and the validation of a clip by three voters."""
    import torch

    bench = _Bench(way, folder)
    if way == "ours":
        bench.store.batch(bench.samples, [bench.view])  # the first epoch fills the cache
    weights = [*bench.encoder.parameters(), *bench.core.parameters()]
    optimizer = torch.optim.Adam(weights, lr=1e-4)
    bench.encoder.eval()
    with torch.no_grad():
        scores, validation_s = _judge(bench, way)
    bench.encoder.train()
    spent, first = [], (0.0, 0.0)
    for number in range(WARM + STEPS):
        pair = [bench.samples[number], bench.samples[number + 1]]
        started = time.process_time()
        optimizer.zero_grad(set_to_none=True)
        if way == "written":
            one, other = (bench.encode([sample]) for sample in pair)
        else:
            both = bench.encode(pair)
            one, other = both.rows(slice(0, 1)), both.rows(slice(1, 2))
        loss = bench.core.loss(
            one, other, bench.scores[number : number + 1], bench.scores[number + 1 : number + 2]
        ).total
        loss.backward()
        if number == 0:
            norms = [w.grad.norm() for w in weights if w.grad is not None]
            first = float(loss.detach()), float(torch.stack(norms).norm())
        optimizer.step()
        spent.append(time.process_time() - started)
    return {
        "step_s": statistics.median(spent[WARM:]),
        "validation_s": validation_s,
        "scores": scores,
        "loss": first[0],
        "gradient": first[1],
    }


def _judge(bench: _Bench, way: str) -> tuple[list[float], float]:
    """Return the scores that voters give the first clip, and the seconds that it took."""
    target, *others = bench.samples[: 1 + bench.recipe.voters]
    known = bench.scores[1 : 1 + len(others)]
    exemplars = bench.encode(others) if way == "ours" else None
    started = time.process_time()
    if exemplars is not None:
        votes = bench.core.votes(bench.encode([target]), exemplars, known[None])[0].tolist()
    else:
        votes = [
            float(
                bench.core.predict(bench.encode([target]), bench.encode([other]), score[None, None])
            )
            for other, score in zip(others, known, strict=True)
        ]
    return votes, time.process_time() - started


def _from_cache(way: str, folder: Path) -> dict[str, Any]:
    """Time epochs of the head on features that lie in a table, batches of 16."""
    import torch

    from aqa.streams import Streams

    bench = _Bench(way, folder)
    clips, batch = 64, 16
    random = torch.Generator().manual_seed(0)
    table = Streams({bench.view: torch.rand(clips, 1024, generator=random)})
    scores = 40 + 50 * torch.rand(clips, generator=random)
    optimizer = torch.optim.Adam(bench.core.parameters(), lr=1e-3)
    started = 0.0
    for epoch in range(1 + EPOCHS):
        if epoch == 1:
            started = time.process_time()
        order = torch.randperm(clips, generator=random)
        for one in order.split(batch):
            other = one.roll(1)
            optimizer.zero_grad(set_to_none=True)
            rows = table.rows(one), table.rows(other)
            bench.core.loss(*rows, scores[one], scores[other]).total.backward()
            optimizer.step()
    return {"step_s": (time.process_time() - started) / (EPOCHS * clips)}


if __name__ == "__main__":
    cli.run(app)
