"""Practice: pose backbone and graph head learn from many skeletons, once for all data sets.

    facts = practise(recipe, Path("runs/aqa-practice"), Path("runs/aqa/practice"), out)

FLEX-Sim's default set has 14 training clips of an action, too few to learn to see from; the paper
starts from Kinetics and NTU weights for the same reason. The shards hold simulated people who are
in no data set of this project (`python -m pretrain.lifts`). The last shard is not trained on:
figures on its people go into the card. OUT/pose.safetensors and OUT/head.safetensors are what
`start=OUT` takes, OUT/README.md says what they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from aqa.backbone import HEAD_FILE
from aqa.backbone_task import BackboneTask
from aqa.calibration import best_threshold
from aqa.error_columns import ErrorColumns
from aqa.graph_task import Labels
from aqa.layout import POSE
from aqa.quality import quality, training_ranges
from aqa.recipe import Recipe
from aqa.report_words import render
from aqa.streams import Streams
from flex.dataset import Clip
from flex.files import atomic_path, hash_text, write_text
from flex.graph import Graph
from flex.graph_file import load_graph
from flex.problems import InputError, Problem
from flex.sample import Annotation
from flex.splits import Part
from learn.fit import Plan, fit
from learn.joints import mirrored_skeleton, pose_input
from learn.sample import Sample

_STARTS_WITH = ("trunks.pose.", "context.", "step_query.", "type_query.", "own_query")
_AT_ONCE = 256


class PracticeStore:
    """Skeletons of shards in memory, as they are and mirrored.

    Attributes:
        graph: which errors there are.
        train: clips of all shards but the last.
        held: clips of the last shard.
    """

    def __init__(self, folder: Path, recipe: Recipe, graph: Graph) -> None:
        """Read the shards.

        Raises:
            InputError: fewer than two shards, or files of another kind.
        """
        paths = sorted(folder.glob("*.npz"))
        if len(paths) < 2:
            message = f"holds {len(paths)} shards; two or more of `python -m pretrain.lifts` go"
            raise InputError([Problem(str(folder), f"{message} here")])
        self.graph = graph
        self.train: list[Sample] = []
        self.held: list[Sample] = []
        poses: list[tuple[Tensor, Tensor]] = []
        for path in paths:
            part: Part = "test" if path == paths[-1] else "train"
            records, joints = _read(path)
            streams = {POSE: path}
            (self.held if part == "test" else self.train).extend(
                Sample(record, part, Clip(f"{path.stem}/{record.clip}", record.action, {}), streams)
                for record in records
            )
            poses.append(_poses(joints, recipe, path))
        self._plain, self._mirrored = (torch.cat(side) for side in zip(*poses, strict=True))
        self._row = {s.clip.clip: n for n, s in enumerate((*self.train, *self.held))}

    def batch(
        self,
        samples: Sequence[Sample],
        streams: Sequence[str],
        mirrored: Mapping[str, Tensor] | None = None,
    ) -> Streams:
        """Return the poses of some clips, mirrored where that is asked for."""
        rows = torch.tensor([self._row[sample.clip.clip] for sample in samples])
        poses = self._plain[rows]
        if mirrored is not None:
            poses = torch.where(mirrored[POSE][:, None, None, None], self._mirrored[rows], poses)
        return Streams({POSE: poses})


def practise(recipe: Recipe, data: Path, run: Path, out: Path) -> dict[str, object]:
    """Train, measure on people who were not trained on, and write what `start` takes.

    Args:
        recipe: reads the skeleton alone, such as `configs/aqa/practice/pose.yaml`.
        data: folder of shards.
        run: folder of log and resume point.
        out: folder of weights and card.

    Returns:
        What the card says.

    Raises:
        InputError: another recipe, no shards, a resume point of other data.
    """
    if list(recipe.layout.widths) != [POSE]:
        message = f"practice reads {POSE} alone, found {', '.join(recipe.layout.widths)}"
        raise InputError([Problem("recipe", message)])
    graph, device = load_graph(), torch.device("cpu")
    store = PracticeStore(data, recipe, graph)
    torch.manual_seed(recipe.seed)
    task = BackboneTask(POSE, recipe, store.train, store, device)
    people = hash_text(*(f"{s.clip.clip} {s.record.subject}" for s in store.train))
    identity = hash_text(recipe.model_dump_json(), people, graph.version)
    plan = replace(
        Plan.of(recipe, "practice", device, identity).for_backbone(recipe.backbone_epochs),
        weight_decay=recipe.weight_decay,
    )
    report = fit(task, plan, run)
    facts: dict[str, object] = {
        "clips": len(store.train),
        "held": len(store.held),
        "cohorts": len({s.streams[POSE] for s in store.train}),
        "epochs": recipe.backbone_epochs,
        "loss": round(report.loss, 4),
        "seconds": round(report.seconds),
        "weights": sum(value.numel() for value in task.backbone.state_dict().values()),
        **_measured(task, store),
    }
    head = task.module.head.state_dict()
    _keep(out / f"{POSE}.safetensors", task.backbone.state_dict())
    _keep(out / HEAD_FILE, {k: v for k, v in head.items() if k.startswith(_STARTS_WITH)})
    write_text(out / "README.md", render("practice.md.j2", facts))
    return facts


def _measured(task: BackboneTask, store: PracticeStore) -> dict[str, object]:
    """Return F1 and ρ on the held-out cohort: one half of it sets the threshold."""
    columns = ErrorColumns(store.graph)
    subjects = sorted({str(sample.record.subject) for sample in store.held})
    halves = [[s for s in store.held if str(s.record.subject) in subjects[k::2]] for k in (0, 1)]
    told = []
    for samples in halves:
        labels = Labels.of(samples, columns)
        told.append((labels, _probabilities(task, store, samples, labels)))
    (labels, probabilities), (judged, claims) = told
    threshold = best_threshold(
        probabilities[labels.known].numpy(), labels.errors[labels.known].numpy()
    )
    claimed = claims[judged.known].numpy() >= threshold
    true = judged.errors[judged.known].numpy()
    scores = task.module.head.expected_score(claims, judged.actions).double().numpy()
    good = quality(scores, halves[1], store.train, training_ranges(store.train))
    return {
        "f1": round(float(2 * (claimed @ true) / (claimed.sum() + true.sum())), 3),
        "rho": round(good.correlation, 3),
        "r_l2": round(good.error, 2),
        "people": len(subjects),
    }


def _probabilities(
    task: BackboneTask, store: PracticeStore, samples: Sequence[Sample], labels: Labels
) -> Tensor:
    """Return (N, O), the odds that the weighted loss multiplied taken back."""
    task.module.eval()
    head = task.module.head
    head.calibration.allow_for(task.weight)
    found = []
    with torch.no_grad():
        for rows in torch.arange(len(samples)).split(_AT_ONCE):
            raw = store.batch([samples[n] for n in rows.tolist()], [POSE]).values[POSE]
            out = head(Streams({POSE: task.module(raw)}), labels.actions[rows])
            found.append(head.calibration(out.fused))
    return torch.cat(found)


def _read(path: Path) -> tuple[list[Annotation], NDArray[np.float32]]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            records = [Annotation.model_validate_json(line) for line in stored["records"]]
            joints = stored["joints"]
    except (OSError, ValueError, KeyError) as error:
        message = f"is no shard of `python -m pretrain.lifts`: {error}"
        raise InputError([Problem(str(path), message)]) from error
    return records, joints


def _poses(joints: NDArray[np.float32], recipe: Recipe, path: Path) -> tuple[Tensor, Tensor]:
    """Return poses as they are and mirrored: (N, T, 21, 3) → (N, T, 25, 3) each."""
    if joints.shape[1] != recipe.pose_frames:
        message = f"has {joints.shape[1]} frames a clip; set pose_frames={joints.shape[1]}"
        raise InputError([Problem(str(path), message)])
    mirrored = np.stack([mirrored_skeleton(points) for points in joints.astype(np.float64)])
    plain, flipped = (
        pose_input(each.reshape(-1, *each.shape[2:]), spine=recipe.spine, place=str(path))
        for each in (joints.astype(np.float64), mirrored)
    )
    shape = (*joints.shape[:2], *plain.shape[1:])
    return torch.from_numpy(plain.reshape(shape)), torch.from_numpy(flipped.reshape(shape))


def _keep(path: Path, weights: Mapping[str, Tensor]) -> None:
    whole = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    with atomic_path(path) as name:
        save_file(whole, name)
