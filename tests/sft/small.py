"""Six short synthetic clips, their dialogues and a random tiny coach: all that a run needs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from sft.recipe import Recipe
from vlm.tiny import tiny_coach_folder

TURNS = [
    ("recognise", "What is it?", "A press."),
    ("standard", "How is it done?", "Stand tall. Push the bar up."),
    ("evaluate", "What went wrong?", "Your elbows flared."),
    ("score", "Which score?", "I give it 71 of 100."),
]


@dataclass(frozen=True)
class Small:
    """Where everything lies."""

    root: Path
    base: Path
    data: Path
    dialogues: Path

    def recipe(self, **changes: Any) -> Recipe:
        """Return a recipe of a few steps on the tiny coach."""
        settings: dict[str, Any] = {
            "model": str(self.base),
            "device": "cpu",
            "frames": 4,
            "pixels": 56 * 56,
            "frame_cache": self.root / "frames",
            "feature_cache": self.root / "features",
            "rank": 4,
            "alpha": 8,
            "batch": 2,
            "accumulate": 1,
            "lr": 1e-2,
            "epochs": 2,
            "log_every": 1,
            "save_every": 2,
            "schedule": "constant",
        }
        return Recipe(**settings | changes)


def write_clip(path: Path, seed: int, frames: int = 12) -> None:
    """Write a short mp4 of moving noise, 56 pixels wide."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width = stream.height = 56
        stream.pix_fmt = "yuv420p"
        for _ in range(frames):
            blocks = random.integers(0, 256, (7, 7, 3), dtype=np.uint8)
            picture = av.VideoFrame.from_ndarray(blocks.repeat(8, 0).repeat(8, 1), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def row(clip: str, subject: str, split: str, times: int = 1) -> dict[str, Any]:
    """Return a line of dialogues.jsonl; `times` makes its answers longer."""
    turns = [{"stage": s, "question": q, "answer": " ".join([a] * times)} for s, q, a in TURNS]
    kept = {"clip": clip, "action": "A01", "subject": subject, "split": split, "turns": turns}
    return {**kept, "simulated": True}


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write dialogues.jsonl."""
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")


def build(root: Path) -> Small:
    """Write clips, dialogues and the base under `root`."""
    rows = []
    for number in range(6):
        clip = f"A01/{number:03d}"
        write_clip(root / "data" / clip / "View-1.mp4", number)
        rows.append(row(clip, f"P{number % 3}", "train", times=1 + number % 3))
    write_clip(root / "data" / "A01/100/View-1.mp4", 100)
    rows.append(row("A01/100", "P9", "test"))
    write_rows(root / "dialogues.jsonl", rows)
    base = tiny_coach_folder(root / "base", [answer for _, _, answer in TURNS])
    return Small(root, base, root / "data", root / "dialogues.jsonl")
