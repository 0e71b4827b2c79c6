"""Dialogues of different length, with videos of different length, as one batch.

batch = Collator(pad_id)([encode(...), encode(...)])      # training: padded on the right
batch = Collator(pad_id, side="left")([encode_prompt(...)])   # generation: answers start together
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vlm.chat import NO_STAGE, NOT_LEARNT, Encoded

VIDEO_TYPE = 2


@dataclass(frozen=True)
class Collator:
    """Pads and stacks.

    Attributes:
        pad_id: what fills short rows; attention leaves it out.
        video_token_id: marks the places of video for the positions.
        side: "right" for training, "left" for generation.
        multiple_of: pads the length to a multiple, which tensor cores like.
    """

    pad_id: int
    video_token_id: int
    side: Literal["right", "left"] = "right"
    multiple_of: int = 1

    @classmethod
    def of(
        cls, processor: Any, *, side: Literal["right", "left"] = "right", multiple_of: int = 1
    ) -> "Collator":
        """Return a collator for a processor's tokens."""
        pad = processor.tokenizer.pad_token_id
        return cls(pad, processor.video_token_id, side, multiple_of)

    def __call__(self, rows: Sequence[Encoded]) -> dict[str, Any]:
        """Return a batch of B dialogues, padded to L.

        Returns:
            input_ids, attention_mask, mm_token_type_ids, labels, stage_ids: (B, L) int64.
            pixel_values_videos: (patches of all videos, 1176) float, or video_features in its place
                where all rows bring features, a list of (tokens, width), one a video, which
                `vlm.features.with_encoder_outputs` turns into what the model takes;
                video_grid_thw: (videos, 3) int64; second_per_grid_ts: (videos,) float. None of
                these if there is no video. Only tensors and lists of them, which a data loader
                can pin and move.
        """
        import torch

        longest = max(len(row) for row in rows)
        length = -(-longest // self.multiple_of) * self.multiple_of
        batch: dict[str, Any] = {
            "input_ids": self._stack([row.input_ids for row in rows], self.pad_id, length),
            "attention_mask": self._stack([[1] * len(row) for row in rows], 0, length),
            "labels": self._stack([row.labels for row in rows], NOT_LEARNT, length),
            "stage_ids": self._stack([row.stage_ids for row in rows], NO_STAGE, length),
        }
        is_video = batch["input_ids"] == self.video_token_id
        batch["mm_token_type_ids"] = is_video * VIDEO_TYPE * batch["attention_mask"]
        seen = [row.vision for row in rows if row.vision.tokens]
        if not seen:
            return batch
        batch["video_grid_thw"] = torch.cat([vision.video_grid_thw for vision in seen])
        steps_s = [step for vision in seen for step in vision.second_per_grid_ts]
        batch["second_per_grid_ts"] = torch.tensor(steps_s)
        if all(vision.features is not None for vision in seen):
            batch["video_features"] = [
                video for vision in seen for video in vision.features.split(list(vision.tokens))
            ]
        else:
            pixels = [vision.pixel_values_videos for vision in seen]
            batch["pixel_values_videos"] = torch.cat(pixels)
        return batch

    def _stack(self, rows: Sequence[list[int]], fill: int, length: int) -> Any:
        import torch

        padded = []
        for row in rows:
            padding = [fill] * (length - len(row))
            padded.append(row + padding if self.side == "right" else padding + row)
        return torch.tensor(padded)
