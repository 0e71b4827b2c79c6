"""The variants as data: the recipes' widths, modules made of them, no torch too early."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from aqa.build import build_core, build_encoder, build_graph_head
from aqa.recipe import Recipe
from aqa.streams import Streams
from aqa.variant import Variant
from flex.config import load_config
from flex.graph_file import load_graph
from flex.problems import InputError

CONFIGS = Path(__file__).parents[2] / "configs" / "aqa"


def test_a_small_variant_scores_raw_clips() -> None:
    torch.manual_seed(0)
    settings = ["starts=[0, 4]", "frames=20", "semg=envelope", "hidden=16"]
    variant = load_config(Recipe, CONFIGS / "mv_pose_emg.yaml", settings)
    encoder, core = build_encoder(variant).eval(), build_core(variant).eval()
    core.fit([40.0, 60.0, 90.0])
    clips = Streams(
        {
            "View-1": torch.randint(256, (3, 3, 20, 32, 32), dtype=torch.uint8),
            "View-2": torch.rand(3, 3, 20, 32, 32),
            "pose": torch.randn(3, 20, 25, 3),
            "semg": torch.rand(3, 2, 103),
        },
        {"pose": torch.tensor([True, False, True])},
    )
    with torch.no_grad():
        features = encoder(clips)
        scores = core.predict(features, features, torch.tensor([[50.0], [60.0], [70.0]]))
    assert {name: tuple(value.shape) for name, value in features.values.items()} == {
        "View-1": (3, 128),
        "View-2": (3, 128),
        "pose": (3, 256),
        "semg": (3, 32),
    }
    assert torch.isfinite(scores).all()


def test_the_graph_recipe_builds() -> None:
    variant = load_config(Recipe, CONFIGS / "graph.yaml")
    head = build_graph_head(variant, load_graph()).eval()
    values = {name: torch.randn(2, width) for name, width in variant.layout.widths.items()}
    assert head(Streams(values), torch.tensor([0, 19])).fused.shape == (2, 278)


def test_statistics_are_frozen_for_i3d_only_unless_told() -> None:
    assert build_encoder(Variant(backbone="i3d")).frozen_statistics
    assert not build_encoder(Variant(backbone="small_cnn")).frozen_statistics
    assert build_encoder(Variant(backbone="small_cnn", frozen_statistics=True)).frozen_statistics


def test_a_misspelt_setting_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean backbone"):
        load_config(Variant, settings=["bakbone=i3d"])


def test_the_package_and_the_recipes_are_read_without_torch() -> None:
    script = (
        "import sys, aqa, aqa.variant, aqa.layout, aqa.voters, learn.joints, aqa.semg_features\n"
        "import aqa.recipe, aqa.samples, aqa.predictions, aqa.inputs, learn.array_cache\n"
        "import aqa.measures, aqa.error_columns, aqa.verdicts\n"
        "assert 'torch' not in sys.modules and 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=CONFIGS.parents[1])
