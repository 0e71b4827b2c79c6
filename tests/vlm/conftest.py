"""Clips of known content, and a tiny random model."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vlm_clips import TURNS, MakeFrames

from flex.video import Frames, Sampler
from vlm.dialogues import Turn
from vlm.generate import Conversation
from vlm.model import Coach, load_coach
from vlm.tiny import tiny_coach_folder


@pytest.fixture(scope="session")
def coach_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [text for turn in TURNS for text in (turn.question, turn.answer)]
    return tiny_coach_folder(tmp_path_factory.mktemp("tiny"), texts=texts)


@pytest.fixture(scope="session")
def coach(coach_folder: Path) -> Coach:
    return load_coach(coach_folder, device="cpu")


@pytest.fixture(scope="session")
def lively(coach_folder: Path) -> Coach:
    """A model whose answers depend on what it is asked: fresh weights only repeat one token."""
    import torch

    lively = load_coach(coach_folder, device="cpu")
    with torch.no_grad():
        for weight in lively.model.model.parameters():
            if weight.ndim == 2:
                weight *= 6
    return lively


@pytest.fixture(scope="session")
def turns() -> tuple[Turn, ...]:
    return TURNS


@pytest.fixture(scope="session")
def make_frames() -> MakeFrames:
    def make(
        count: int = 16, side: int = 112, total: int = 60, fps: float = 30.0, seed: int = 0
    ) -> Frames:
        pixels = np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), np.uint8)
        indices = tuple(int((i + 0.5) * total / count) for i in range(count))
        return Frames(pixels, indices, fps, total)

    return make


@pytest.fixture
def conversations(make_frames: MakeFrames) -> list[Conversation]:
    """Several lengths of text and video, one of them with two videos, one with history."""

    def ask(*contents: str) -> list[dict[str, str]]:
        roles = ("user", "assistant")
        return [{"role": roles[i % 2], "content": text} for i, text in enumerate(contents)]

    return [
        Conversation((make_frames(16, seed=1),), ask("Which exercise is this?")),
        Conversation((make_frames(4, seed=2),), ask("Hm?", "It is the squat.", "How was mine?")),
        Conversation((), ask("How is it done well? " * 9)),
        Conversation((make_frames(2, seed=3), make_frames(8, side=56, seed=4)), ask("And?")),
    ]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """60 frames at 30 fps of 224 pixels: a grey that grows by 4 a frame."""
    import av

    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(30))
        stream.width = stream.height = 224
        stream.pix_fmt, stream.gop_size = "yuv420p", 10
        for shade in range(60):
            pixels = np.full((224, 224, 3), 4 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def small() -> Sampler:
    return Sampler(frames=4, pixels=56 * 56)
