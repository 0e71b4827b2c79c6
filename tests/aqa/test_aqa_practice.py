"""Practice on shards of skeletons, and runs that start from it."""

from pathlib import Path

import numpy as np
import pytest
import small_flex
import torch
from safetensors.torch import load_file, save_file

from aqa.graph_head import GraphHead
from aqa.practice import PracticeStore, practise
from aqa.recipe import Recipe
from aqa.train import train
from flex.graph import Graph
from flex.problems import InputError
from flex.sample import Annotation, ErrorLabel
from learn.pose_course import PoseCourse

FRAMES = small_flex.FRAMES
RECIPE = Recipe(
    head="graph",
    views=(),
    pose=True,
    pose_backbone="course",
    pose_frames=FRAMES,
    backbone_epochs=40,
    backbone_batch=16,
)


def write_shards(folder: Path, graph: Graph, clips: int = 24) -> Path:
    """Write three cohorts in which one error lowers the arms, and nothing else is ever wrong."""
    random = np.random.default_rng(0)
    error = graph.occurrences("A01")[0]
    for seed in (2000, 2001, 2002):
        records, joints = [], []
        for number in range(clips):
            wrong = number % 2 == 0
            shown = (ErrorLabel(key_step=error.key_step, error_type=error.error_type),)
            records.append(
                Annotation(
                    clip=f"A01/{number:03d}",
                    action="A01",
                    subject=f"P{number // 2 % 6:02d}",
                    errors=shown if wrong else (),
                    score=89.0 + number % 2,
                    source="simulated",
                )
            )
            joints.append(small_flex.skeleton(random, 0.6 * wrong)[:FRAMES])
        lines = np.array([record.model_dump_json() for record in records])
        folder.mkdir(exist_ok=True)
        np.savez(folder / f"{seed}.npz", records=lines, joints=np.array(joints, dtype=np.float32))
    return folder


def test_practice_finds_the_error_in_people_it_never_saw(tmp_path: Path, graph: Graph) -> None:
    shards, out = write_shards(tmp_path / "shards", graph), tmp_path / "start"
    facts = practise(RECIPE, shards, tmp_path / "run", out)
    assert (facts["clips"], facts["held"], facts["cohorts"]) == (48, 24, 2)
    assert float(str(facts["f1"])) > 0.9
    assert float(str(facts["rho"])) > 0.8
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "48 skeletons of 2 cohorts" in card
    assert "simulated" in card
    assert set(load_file(out / "pose.safetensors")) == set(PoseCourse().state_dict())


def test_a_mirrored_pose_is_the_other_sides(tmp_path: Path, graph: Graph) -> None:
    store = PracticeStore(write_shards(tmp_path, graph), RECIPE, graph)
    some = store.train[:2]
    plain = store.batch(some, ["pose"]).values["pose"]
    flags = {"pose": torch.tensor([True, False])}
    flipped = store.batch(some, ["pose"], flags).values["pose"]
    torch.testing.assert_close(flipped[1], plain[1])
    # NTU's left elbow is 5, the right one 9; the body runs along y.
    torch.testing.assert_close(flipped[0, :, 5, [0, 2]], plain[0, :, 9, [0, 2]])
    torch.testing.assert_close(flipped[0, :, 5, 1], -plain[0, :, 9, 1])


def test_a_run_starts_from_practice(flex_root: Path, tmp_path: Path, graph: Graph) -> None:
    start = tmp_path / "start"
    start.mkdir()
    torch.manual_seed(1)
    backbone = PoseCourse().state_dict()
    save_file(backbone, start / "pose.safetensors")
    settings = {"head": "graph", "views": (), "pose": True, "semg": "envelope", "hidden": 128}
    recipe = small_flex.recipe(
        tmp_path / "cache", **settings, pose_backbone="course", start=start, epochs=1, lr=1e-9
    )
    with pytest.raises(InputError, match=r"holds no head\.safetensors"):
        train(recipe, "graph", flex_root / "data", tmp_path / "run")
    save_file({"own_query": torch.full((278, 128), 0.25)}, start / "head.safetensors")
    train(recipe, "graph", flex_root / "data", tmp_path / "run")
    kept = load_file(tmp_path / "run" / "model.safetensors")
    for name, value in backbone.items():
        torch.testing.assert_close(kept[f"encoder.pose.{name}"], value)
    torch.testing.assert_close(kept["head.own_query"], torch.full((278, 128), 0.25))


def test_practised_trunks_keep_their_scale_and_are_believed_first(graph: Graph) -> None:
    from aqa.error_columns import ErrorColumns
    from aqa.layout import Layout

    layout = Layout(views=("View-1",), view_width=3, pose=True, pose_width=2)
    head = GraphHead(layout, ErrorColumns(graph))
    head.mean.fill_(7.0)
    trunk = {
        f"trunks.pose.{k}": torch.ones_like(v) for k, v in head.trunks["pose"].state_dict().items()
    }
    head.start_from({**trunk, "trunks.semg.0.weight": torch.ones(1)}, "head.safetensors")
    assert head.mean.tolist() == [7.0, 7.0, 7.0, 0.0, 0.0]
    assert bool((head.trust[0] < head.trust[1]).all())
    assert all(bool((v == 1).all()) for v in head.trunks["pose"].state_dict().values())
    with pytest.raises(InputError, match=r"another size .own_query"):
        head.start_from({"own_query": torch.ones(3, 3)}, "head.safetensors")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pose_frames": 9}, "set pose_frames=16"),
        ({"semg": "envelope"}, "practice reads pose alone"),
    ],
)
def test_misfits_of_practice_are_told(
    tmp_path: Path, graph: Graph, settings: dict[str, object], message: str
) -> None:
    shards = write_shards(tmp_path / "shards", graph, clips=2)
    recipe = RECIPE.model_copy(update=settings)
    with pytest.raises(InputError, match=message):
        practise(recipe, shards, tmp_path / "run", tmp_path / "out")


def test_shards_that_are_none_are_told(tmp_path: Path, graph: Graph) -> None:
    with pytest.raises(InputError, match="holds 0 shards"):
        PracticeStore(tmp_path, RECIPE, graph)
    for name in ("1.npz", "2.npz"):
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(InputError, match="is no shard"):
        PracticeStore(tmp_path, RECIPE, graph)
