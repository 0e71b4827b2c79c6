"""What each camera and sensor is worth: one trained graph head, asked again without some streams.

    predictions = ablate(load_model(run), samples, features)     # one variant for each subset

The head fuses its streams late and is trained with streams dropped by chance, so that it can be
asked with any of them missing. That tells what a model that has all can do with less; `retrained`
trains a head (and its backbones) for each subset, which tells what a model made for it can do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aqa.graph_head import GraphHead
from aqa.layout import POSE, SEMG, Layout
from aqa.model import Model
from aqa.predict import predict
from aqa.predictions import Prediction
from aqa.recipe import Recipe
from aqa.report_words import words
from aqa.streams import Streams
from flex.files import hash_text
from flex.problems import InputError, Problem
from learn.sample import Sample


def subsets(layout: Layout) -> dict[str, tuple[str, ...]]:
    """Return label → streams: all, without each stream and kind, each stream and kind alone."""
    called: Mapping[str, str] = words()["subsets"]
    every = tuple(layout.widths)
    names: dict[str, tuple[str, tuple[str, ...]]]
    names = {stream: (called.get(stream, stream), (stream,)) for stream in every}
    if len(layout.views) > 1 and len(layout.views) < len(every):
        names["video"] = (called["video"], layout.views)
    found = {called["all"]: every}
    for name, streams in names.values():
        found[called["without"].format(name)] = tuple(s for s in every if s not in streams)
    for name, streams in names.values():
        found[called["alone"].format(name)] = streams
    # Of two streams, one alone is all without the other: the first label stays.
    first = {streams: label for label, streams in reversed(found.items()) if streams}
    return {label: streams for label, streams in found.items() if first.get(streams) == label}


def ablate(model: Model, samples: Sequence[Sample], features: Streams) -> list[Prediction]:
    """Return what a graph head says with each subset of its streams; variants are the labels.

    What the streams left cannot show is abstained from, as in any clip that lacks them.

    Args:
        model: with a graph head.
        samples: B clips.
        features: of the B clips.

    Raises:
        InputError: the model is CoRe, which cannot do without a stream.
    """
    if not isinstance(model.head, GraphHead):
        message = "is CoRe, which reads all of its streams at once; take a run of the graph head"
        raise InputError([Problem(model.name, message)])
    said = []
    for label, streams in subsets(model.recipe.layout).items():
        left = [
            replace(s, streams={k: v for k, v in s.streams.items() if k in streams})
            for s in samples
        ]
        values = {name: features.values[name] for name in streams if name in features.values}
        present = {name: features.has(name) for name in values}
        if not values:
            continue
        part = predict(replace(model, name=label), left, Streams(values, present))
        said += [row.model_copy(update={"views": _views(model.recipe, streams)}) for row in part]
    return said


def retrained(recipe: Recipe, data: Path, out: Path) -> list[Prediction]:
    """Train a graph head for each subset of a recipe's streams; return all on the test clips.

    Each is a run of its own in `out`, and goes on where it was.

    Raises:
        InputError: the data or the recipe do not suit.
    """
    from aqa.train import train

    said = []
    for label, streams in subsets(recipe.layout).items():
        folder = out / f"{hash_text(*streams)[:8]}-{recipe.seed}"
        said += train(smaller(recipe, streams), label, data, folder)
    return said


def smaller(recipe: Recipe, streams: Sequence[str]) -> Recipe:
    """Return a recipe for some of its streams."""
    kept = [n for n, view in enumerate(recipe.views) if view in streams]
    settings = recipe.model_dump()
    settings["views"] = _views(recipe, streams)
    settings["test_views"] = tuple(recipe.test_views[n] for n in kept if recipe.test_views)
    settings["pose"] = POSE in streams
    settings["semg"] = recipe.semg if SEMG in streams else "none"
    return Recipe.model_validate(settings)


def _views(recipe: Recipe, streams: Sequence[str]) -> tuple[str, ...]:
    return tuple(view for view in recipe.views if view in streams)
