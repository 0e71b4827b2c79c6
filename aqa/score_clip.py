"""One clip, scored by a trained model: the score, the errors, what cannot be seen.

sample = sample_of("A16/007", data, model)                       # a clip of a data folder
sample = sample_of("squat.mp4", data, model, action="squat")     # a file of one's own
print(told(model, sample))
"""

from dataclasses import dataclass, replace
from pathlib import Path

from aqa.clip_store import ClipStore
from aqa.feature_store import cached_features
from aqa.hybrid import Opinion
from aqa.model import Model
from aqa.predict import predict, verdicts_of
from aqa.samples import load_records, streams_of
from aqa.streams import Streams
from flex.dataset import Clip, find_clips
from flex.graph import Occurrence
from flex.problems import InputError, Problem
from flex.sample import Annotation
from flex.templates import render
from learn.sample import Sample


def sample_of(
    clip: str, data: Path, model: Model, *, action: str | None = None, view: str | None = None
) -> Sample:
    """Return a clip of a data folder by its id, or a video or folder of frames by its path.

    Args:
        clip: `A16/007`, or a path.
        data: where ids are looked up.
        model: what it is for.
        action: id or name; needed for a path.
        view: which of the model's views a path is; the first if not given.

    Raises:
        InputError: no such clip, no action, or a view that the model does not read.
    """
    path = Path(clip)
    if path.is_file() or (path.is_dir() and action is not None):
        return _own(path, model, action, view)
    recipe = model.recipe.model_copy(update={"actions": (), "missing": "mask"})
    records = {r.clip: r for r in load_records(data, recipe, model.graph)}
    if clip not in records:
        folder = "; for a folder of frames say what is lifted: --action" if path.is_dir() else ""
        message = f"is neither a file nor a clip of {data}{folder}"
        raise InputError([Problem(clip, message)])
    record = records[clip]
    place = find_clips(data, model.graph, [record])
    found = next(each for each in place if each.clip == clip)
    streams, problems = streams_of(found, recipe)
    if problems:
        raise InputError(problems)
    return Sample(record, "test", found, streams)


@dataclass(frozen=True)
class Second:
    """CoRe's score of a clip, and how it goes together with the graph head's.

    Attributes:
        name: of CoRe's variant.
        score: may leave 0–100.
    """

    name: str
    score: float
    opinion: Opinion


def second_of(core: Model, sample: Sample, opinion: Opinion) -> Second:
    """Return what CoRe says of a clip, as a second opinion.

    Raises:
        InputError: the clip lacks what the model reads, or a file cannot be used.
    """
    prediction = predict(core, [sample], _features(core, sample))[0]
    return Second(core.name, prediction.score, opinion)


def told(model: Model, sample: Sample, second: Second | None = None) -> str:
    """Return what a model says of a clip, as text for people.

    Raises:
        InputError: the clip lacks what the model reads, or a file cannot be used.
    """
    features = _features(model, sample)
    prediction = predict(model, [sample], features)[0]
    verdict = verdicts_of(model, [sample], features)[0] if model.recipe.head == "graph" else None
    own = sample.record.score if sample.clip.annotation is not None else None
    errors = [_error(model, o, verdict.probabilities[o]) for o in verdict.errors] if verdict else []
    return render(
        "aqa/score.j2",
        clip=sample.id,
        action=model.graph.action(sample.record.action).name,
        score=_bounded(prediction.score),
        truth=own,
        votes=list(zip(prediction.voters, prediction.votes, strict=True)),
        verdict=verdict is not None,
        errors=errors,
        abstained=sorted({_name(model, o) for o in (verdict.abstained if verdict else ())}),
        second=_told_second(second, prediction.score) if second else None,
        without=[s for s in model.recipe.layout.widths if s not in sample.streams],
    ).strip()


def _features(model: Model, sample: Sample) -> Streams:
    model.require(sample.streams, sample.id)
    return cached_features([sample], ClipStore(model.recipe, model.graph), model.encoder)


def _bounded(score: float) -> float:
    """CoRe adds differences to exemplars, so it can step over either end."""
    return min(max(score, 0.0), 100.0)


def _told_second(second: Second, score: float) -> dict[str, object]:
    return {
        "name": second.name,
        "score": _bounded(second.score),
        "both": _bounded(second.opinion.score(score, second.score)),
        "percent": round(100 * second.opinion.weight),
        "gap": abs(score - second.score),
        "usual": second.opinion.gap,
    }


def _own(path: Path, model: Model, action: str | None, view: str | None) -> Sample:
    if action is None:
        raise InputError([Problem(str(path), "say what is lifted: --action A16, or its name")])
    views = model.recipe.views
    name = view or next(iter(views), "")
    if name not in views:
        message = f"the run reads the views {', '.join(views) or 'none'}, not {name or 'a video'}"
        raise InputError([Problem("--view", message)])
    known = model.graph.action(action).id
    record = Annotation(clip=str(path), action=known, labelled=(), score=None)
    clip = Clip(str(path), known, {name: path})
    sample = Sample(record, "test", clip)
    return replace(sample, streams={name: path})


def _error(model: Model, occurrence: Occurrence, probability: float) -> dict[str, object]:
    step = model.graph.key_steps[occurrence.key_step]
    return {
        "id": str(occurrence),
        "step": step.name,
        "name": _name(model, occurrence),
        "percent": round(100 * probability),
        "weight": model.graph.weight(occurrence),
    }


def _name(model: Model, occurrence: Occurrence) -> str:
    return model.graph.error_types[occurrence.error_type].name
