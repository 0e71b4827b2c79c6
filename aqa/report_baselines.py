"""Runs the baselines on what a run was asked, with the split that the run was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from aqa.baselines import mean_scores, skeleton_ridge
from aqa.baselines_mlp import feature_mlp
from aqa.predictions import Prediction
from aqa.recipe import Recipe
from aqa.samples import load_samples, parts_of
from flex.cli import err
from flex.config import load_config
from flex.dataset import load_skeleton, skeleton_path
from flex.graph import Graph
from flex.problems import InputError, Problem
from flex.recipes import RECIPE_FILE
from flex.sample import Annotation
from flex.splits import Part


def parts_of_run(run: Path, records: Sequence[Annotation], data: Path) -> dict[str, Part]:
    """Return clip → part of the split that a run was trained on; nothing if it cannot be told.

    Args:
        run: its folder, with its recipe.
        records: of the data.
        data: its folder.
    """
    recipe_file = run / RECIPE_FILE
    if not records or not recipe_file.is_file():
        if records:
            err.print(f"{recipe_file} is missing: its split is not known, so no baselines")
        return {}
    recipe = load_config(Recipe, recipe_file)
    wanted = [one for one in records if not recipe.actions or one.action in recipe.actions]
    return parts_of(wanted, recipe, data)


def run_baselines(
    graph: Graph,
    data: Path,
    given: Sequence[Prediction],
    records: Sequence[Annotation],
    parts: Mapping[str, Part],
    mlp: Path | None,
) -> list[Prediction]:
    """Return what the baselines say of the clips of one run.

    Args:
        graph: what errors there are.
        data: folder of the skeletons.
        given: predictions; the clips of the first run are asked for.
        records: of the data.
        parts: clip → part; without it there are no baselines.
        mlp: run whose video features the MLP reads; without it there is no MLP.

    Raises:
        InputError: predictions of another split, features or labels that are missing.
    """
    if not parts:
        return []
    first = given[0]
    asked = [r for r in given if (r.variant, r.seed) == (first.variant, first.seed)]
    if wrong := [row.clip for row in asked if parts.get(row.clip) != row.part]:
        message = f"is not in the part {first.part} of the run's split; was the data changed?"
        raise InputError(Problem(clip, message) for clip in wrong)
    wanted = {row.action for row in asked}
    learnt = {
        part: [r for r in records if parts.get(r.clip) == part and r.action in wanted]
        for part in ("train", "validation")
    }
    said = mean_scores(graph, learnt["train"], asked)
    clips = [one.clip for one in learnt["train"]] + [row.clip for row in asked]
    if skeletons := _skeletons(data, clips):
        said += skeleton_ridge(skeletons, learnt["train"], asked)
    if mlp is not None:
        known = video_features(mlp, data)
        for seed in sorted({row.seed for row in given}):
            said += feature_mlp(known, learnt["train"], learnt["validation"], asked, seed=seed)
    return said


def _skeletons(data: Path, clips: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return clip → skeleton; nothing if one is missing, which is said."""
    paths = {clip: skeleton_path(data, clip) for clip in clips}
    if missing := [clip for clip, path in paths.items() if not path.is_file()]:
        err.print(f"{len(missing)} clips have no skeleton ({missing[0]}, …): no ridge baseline")
        return {}
    found = {}
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err
    ) as bar:
        for clip in bar.track(paths, description="reading skeletons"):
            found[clip] = load_skeleton(paths[clip])
    return found


def video_features(run: Path, data: Path) -> dict[str, NDArray[np.float64]]:
    """Return clip → features of a run's views, side by side; zeros for a view that is absent.

    Raises:
        InputError: no finished run, one without views, or data that do not suit it.
    """
    from aqa.clip_store import ClipStore
    from aqa.feature_store import cached_features
    from aqa.model import load_model
    from learn.device import device_of

    model = load_model(run)
    views = model.recipe.views
    if not views:
        raise InputError([Problem(str(run), "reads no view; name a run that does")])
    samples = [
        replace(s, streams={view: s.streams[view] for view in views if view in s.streams})
        for s in load_samples(data, model.recipe, model.graph)
    ]
    store = ClipStore(model.recipe, model.graph)
    found = cached_features(samples, store, model.encoder, device=device_of(model.recipe.device))
    width = model.recipe.layout.view_width
    table = np.hstack([found.features(view, width).double().numpy() for view in views])
    return {sample.id: row for sample, row in zip(samples, table, strict=True)}
