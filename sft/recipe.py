"""A training recipe: every setting of a run, read from `configs/sft/*.yaml`; `--set` wins.

The recipe is kept in the run's folder, so that a resumed run can prove that it is the same one.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flex.files import hash_text
from flex.video import Sampler
from vlm.cache import FRAMES

# Settings that do not change what is learnt, and may differ when a run is resumed.
FREE = frozenset(
    {"workers", "jobs", "save_every", "keep", "allow_broken"}
    | {"frame_cache", "feature_cache", "rehearsal"}
)


class Recipe(BaseModel):
    """What to tune, on which frames, with which optimizer. Times are steps, sizes are tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="Hub id or folder of a Qwen2.5-VL.")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["float32", "bfloat16"] = "float32"
    attention: Literal["auto", "eager", "sdpa", "flash_attention_2"] = "sdpa"
    liger: bool = Field(default=False, description="Fused kernels, when liger-kernel is installed.")
    four_bit: bool = Field(
        default=False, description="Load the language model's layers in 4 bits, by bitsandbytes."
    )
    checkpointing: bool = Field(default=False, description="Recompute activations: less memory.")
    fit: Literal["fixed", "auto"] = Field(
        default="fixed",
        description="auto: the GPU's memory decides checkpointing and how the dialogues of a step, "
        "batch × accumulate, are split into passes.",
    )
    rehearsal: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="A pass of the longest batch before the first step; auto: in long runs.",
    )

    sampling: Literal["uniform", "phases", "llama-factory"] = "uniform"
    frames: int = Field(default=16, ge=2, le=128, multiple_of=2)
    pixels: int = Field(default=112 * 112, ge=28 * 28, description="Most pixels of a frame.")
    folder_fps: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Frames a second of folders of JPEG frames whose rate the data do not state.",
    )
    tokens_per_second: int | None = Field(
        default=None,
        ge=1,
        description="Temporal positions of a second of video; null: the base's own, but 8 for "
        "fewer than 4, so that pairs of frames of a short clip do not share one.",
    )
    views: tuple[str, ...] = Field(default=("View-1",), min_length=1)
    split: str = "train"
    limit: int | None = Field(default=None, ge=1, description="Only the first clips.")
    learn_newline: bool = Field(
        default=False, description="Learn the newline after an answer's <|im_end|> too."
    )
    max_tokens: int = Field(default=8192, ge=64, description="A longer dialogue is refused.")
    shared_subjects: bool = Field(
        default=False,
        description="Subjects may be in other splits too, as when split by repetition.",
    )
    allow_broken: bool = Field(default=False, description="Train without clips that fail.")
    jobs: int | None = Field(
        default=None, ge=1, description="Processes that decode clips; null: one a processor."
    )
    frame_cache: Path = FRAMES
    feature_cache: Path | None = Field(
        default=Path("runs/cache/features"), description="Of a frozen vision tower; null: none."
    )
    length_grouped: bool = True
    workers: int = Field(default=0, ge=0, description="Processes that prepare batches.")

    scope: Literal["llm", "llm+vision+merger"] = "llm"
    rank: int = Field(default=8, ge=1)
    alpha: float = Field(default=16, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    rslora: bool = Field(default=False, description="Scale by alpha/√rank, not alpha/rank.")

    grain: float = Field(
        default=0.0, ge=0, description="Noise on cached features, as a share of their deviation."
    )
    unseen: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the video's tokens left out of a pass."
    )

    batch: int = Field(default=2, ge=1, description="Dialogues per device and pass.")
    accumulate: int = Field(default=4, ge=1, description="Passes per optimizer step.")
    epochs: float = Field(default=2, gt=0)
    steps: int | None = Field(default=None, ge=1, description="Stop after so many; wins.")
    lr: float = Field(default=5e-5, gt=0)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(default=0.0, ge=0, lt=1, description="Share of the steps.")
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float = Field(default=1.0, gt=0, description="Largest gradient norm.")
    seed: int = 0

    log_every: int = Field(default=10, ge=1)
    save_every: int = Field(default=50, ge=1)
    keep: int = Field(default=2, ge=2, description="Checkpoints kept; two survive a kill.")

    @model_validator(mode="after")
    def _saves_on_log_steps(self) -> Self:
        if self.save_every % self.log_every:
            message = f"save_every ({self.save_every}) is not a multiple of log_every"
            raise ValueError(f"{message} ({self.log_every}): a resumed log would differ")
        return self

    @model_validator(mode="after")
    def _blurs_features_only(self) -> Self:
        if (self.grain or self.unseen) and (self.feature_cache is None or self.scope != "llm"):
            raise ValueError("grain and unseen need scope llm and a feature_cache")
        return self

    @property
    def sampler(self) -> Sampler:
        """The frame sampler that is stored with the adapter."""
        return Sampler(
            kind=self.sampling,
            frames=self.frames,
            pixels=self.pixels,
            folder_fps=self.folder_fps,
        )

    def fingerprint(self) -> str:
        """Return a hash of everything that changes what is learnt."""
        return hash_text(self.model_dump_json(exclude=set(FREE)))
