"""The report on some runs: report.md for a README, report.html for people, report.json.

    run(runs=[Path("runs/emg/small")], data=None, out=Path("runs/emg/report"))

Runs are judged together only where they are judged by the same clips and the same targets. The
baselines learn from the training part of that split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emg.baselines import fit_baselines
from emg.clips import ReadyClip, ready_clips
from emg.evaluate import Evaluation, counts_of, evaluate
from emg.features import Features
from emg.model import Model, load_model
from emg.recipe import Recipe
from emg.report_page import write_report
from emg.samples import load_samples
from emg.store import ClipStore
from emg.task import predict
from flex.graph_file import load_graph
from flex.number_table import Floats
from flex.problems import InputError, Problem
from flex.splits import Part
from learn.device import device_of
from learn.intervals import RESAMPLES
from learn.sample import Sample

# What two runs must share to be judged side by side.
_SAME = (
    *("split", "split_seed", "test_actions", "actions", "frames", "rate_hz", "calibration"),
    *("average", "window_s", "band_pass", "notch_hz", "sample_rate_hz"),
)


@dataclass(frozen=True)
class Report:
    """What a report says.

    Attributes:
        evaluation: all figures.
        models: name in the evaluation → the model.
        recipe: of the first run.
        data: name of the data folder.
        part: of the split.
        simulated: "all", "some" or "" of the clips are simulated.
        taught: muscle without its side → training clips that recorded it.
    """

    evaluation: Evaluation
    models: Mapping[str, Model]
    recipe: Recipe
    data: str
    part: Part
    simulated: str
    taught: Mapping[str, int]


def run(
    *,
    runs: Sequence[Path],
    data: Path | None = None,
    out: Path,
    part: Part = "test",
    resamples: int = RESAMPLES,
) -> Path:
    """Write the report into `out`; return report.md.

    Args:
        runs: folders of finished runs; a run's name is that of its folder.
        data: the data folder; by default the one of the first run.
        out: folder of the report.
        part: which part of the split is judged.
        resamples: draws of subjects for the intervals.

    Raises:
        InputError: no finished run, runs that cannot be compared, data that do not suit.
    """
    models = {folder.name: load_model(folder) for folder in runs}
    first = next(iter(models.values()))
    _comparable(models)
    folder = data or Path(str(first.facts["data"]))
    said: dict[str, Sequence[Floats]] = {}
    judged: list[ReadyClip] = []
    taught: dict[str, int] = {}
    for name, model in models.items():
        train, clips = _clips(model, folder, part)
        if model is first:
            judged = clips
            for baseline, tell in fit_baselines(train).items():
                said[baseline] = [tell(clip) for clip in clips]
            taught = counts_of(train)
        device = device_of(model.recipe.device)
        said[name] = predict(model.network.to(device), [clip.x for clip in clips], device)
    report = Report(
        evaluation=evaluate(judged, said, first.scales, resamples=resamples),
        models=models,
        recipe=first.recipe,
        data=folder.name,
        part=part,
        simulated=_simulated(judged),
        taught=taught,
    )
    return write_report(report, out)


def _clips(model: Model, data: Path, part: Part) -> tuple[list[ReadyClip], list[ReadyClip]]:
    """Return the training clips, and those of a part from which no scale was taken."""
    graph = load_graph()
    samples = load_samples(data, model.recipe, graph)
    used = {*model.scales.fitted_on, *model.scales.calibrated_on}
    train = [sample for sample in samples if sample.id in model.scales.fitted_on]
    judged = [sample for sample in samples if sample.part == part and sample.id not in used]
    if not judged or not train:
        raise InputError([Problem(str(data), _nothing(model, part, samples, train))])
    store = ClipStore(model.recipe, graph)
    features = Features(store, model.backbone, device_of(model.recipe.device))
    return (
        ready_clips(train, store, features, model.scales),
        ready_clips(judged, store, features, model.scales),
    )


def _nothing(model: Model, part: Part, samples: Sequence[Sample], train: Sequence[Sample]) -> str:
    if not train:
        return "holds none of the clips that the model was trained on; name its data folder"
    if model.recipe.calibration == "own" and any(sample.part == part for sample in samples):
        return (
            f"the part {part} holds first repetitions only, which calibration=own takes to "
            "normalise by; record more, or train with calibration=typical"
        )
    return f"the part {part} holds no clip to judge"


def _comparable(models: Mapping[str, Model]) -> None:
    (name, first), *others = models.items()
    problems = [
        Problem(other, f"{key} is {getattr(model.recipe, key)!r}, in {name} it is {here!r}")
        for other, model in others
        for key in _SAME
        if getattr(model.recipe, key) != (here := getattr(first.recipe, key))
    ]
    if problems:
        hint = "runs with other clips or targets are judged one by one"
        raise InputError([*problems, Problem("runs", hint)])


def _simulated(clips: Sequence[ReadyClip]) -> str:
    """Return "all", "some" or "" of the clips are simulated."""
    made_up = [clip.sample.record.source == "simulated" for clip in clips]
    return "all" if all(made_up) else "some" if any(made_up) else ""
