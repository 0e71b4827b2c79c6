"""The report on an ablation: run([Path("runs/aqa/graph")], out=Path("runs/aqa/ablation"))."""

from collections.abc import Sequence
from pathlib import Path

from aqa.ablate import ablate, retrained
from aqa.clip_store import ClipStore
from aqa.feature_store import cached_features
from aqa.model import load_model
from aqa.predictions import PREDICTIONS_FILE, write_predictions
from aqa.report import run as report
from aqa.samples import load_samples
from flex.graph_file import GRAPH_FILE
from flex.problems import InputError, Problem
from learn.device import device_of
from learn.intervals import RESAMPLES


def run(
    runs: Sequence[Path],
    *,
    data: Path | None = None,
    out: Path = Path("runs/aqa/ablation"),
    retrain: bool = False,
    resamples: int = RESAMPLES,
    graph_file: Path = GRAPH_FILE,
) -> Path:
    """Write predictions of every subset of streams and the report on them; return the page.

    Args:
        runs: runs of the graph head, one for each seed.
        data: data folder; default: that of the first run.
        out: folder of the report.
        retrain: train a head for each subset.
        resamples: draws for the intervals.
        graph_file: where error types and weights come from.

    Raises:
        InputError: a run that is no finished run of the graph head, or data that do not suit.
    """
    said = []
    for folder in runs:
        model = load_model(folder)
        data = data or Path(str(model.facts["data"]))
        if retrain:
            said += retrained(model.recipe, data, out / "retrained")
            continue
        samples = [s for s in load_samples(data, model.recipe, model.graph) if s.part == "test"]
        store, device = ClipStore(model.recipe, model.graph), device_of(model.recipe.device)
        features = cached_features(samples, store, model.encoder, device=device)
        said += ablate(model, samples, features.to(device))
    if data is None:
        raise InputError([Problem("runs", "name a run of the graph head")])
    write_predictions(out / PREDICTIONS_FILE, said)
    return report(
        runs=[out / PREDICTIONS_FILE],
        data=data,
        out=out,
        kind="ablate",
        recipe_of=runs[0],
        resamples=resamples,
        graph_file=graph_file,
    )
