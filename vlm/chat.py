"""A dialogue about videos as the model reads it: token ids, labels, and the videos' tensors.

    encoded = encode(coach.processor, [frames], record.turns)
    inputs = encode_prompt(coach.processor, [frames], [{"role": "user", "content": "What is it?"}])

The text is built from spans of the ChatML template, each turned into ids on its own:

    <|im_start|>user⏎ [<|vision_start|><|video_pad|>…<|vision_end|>] question <|im_end|>⏎
    <|im_start|>assistant⏎ | answer <|im_end|> | ⏎

What is learnt is the span between the bars, known by where it was put and never searched for; with
`learn_newline` the ⏎ after it too, as LLaMA-Factory has it. What people write is never read as a
special token, so that nobody can end a turn by typing its marker.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flex.problems import InputError, Problem
from flex.video import Frames
from vlm.dialogues import STAGES, Turn

START, END = "<|im_start|>", "<|im_end|>"
VISION_START, VIDEO_PAD, VISION_END = "<|vision_start|>", "<|video_pad|>", "<|vision_end|>"
NOT_LEARNT = -100
NO_STAGE = -1
ROLES = ("system", "user", "assistant")
Message = dict[str, str]
_ONE_READS = threading.Lock()


@dataclass(frozen=True)
class Vision:
    """The tensors of some videos.

    Attributes:
        pixel_values_videos: (patches of all videos, 1176) float.
        video_grid_thw: (videos, 3) int: pairs of frames, rows and columns of patches.
        second_per_grid_ts: seconds from one pair of frames to the next, for each video.
        tokens: how many placeholders each video has in the text.
        features: (tokens of all videos, width) float in place of the pixels, from a cache.
    """

    pixel_values_videos: Any = None
    video_grid_thw: Any = None
    second_per_grid_ts: tuple[float, ...] = ()
    tokens: tuple[int, ...] = ()
    features: Any = None


@dataclass
class Encoded:
    """One dialogue, L tokens long.

    Attributes:
        input_ids: L ids.
        labels: L ids; -100 where nothing is learnt.
        stage_ids: L numbers: which of `STAGES` a learnt token belongs to, else -1.
        vision: the videos' tensors.
    """

    input_ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    stage_ids: list[int] = field(default_factory=list)
    vision: Vision = field(default_factory=Vision)

    def __len__(self) -> int:
        return len(self.input_ids)

    def add(self, ids: Sequence[int], stage: int | None = None) -> None:
        """Append a span; it is learnt if it has a stage (`NO_STAGE` will do)."""
        self.input_ids += ids
        self.labels += ids if stage is not None else [NOT_LEARNT] * len(ids)
        self.stage_ids += [NO_STAGE if stage is None else stage] * len(ids)


def encode(
    processor: Any,
    videos: Sequence[Frames] | Vision,
    turns: Sequence[Turn],
    *,
    system: str | None = None,
    max_tokens: int | None = None,
    learn_newline: bool = False,
    place: str = "dialogue",
) -> Encoded:
    """Return a dialogue with its answers to learn.

    Args:
        processor: Qwen2.5-VL's.
        videos: what is seen before the first question, or its tensors (`see`).
        turns: questions and answers.
        system: instead of the system text that the processor's chat template puts first.
        max_tokens: the longest dialogue allowed.
        learn_newline: the newline after an answer's `<|im_end|>` is learnt too.
        place: names the dialogue in errors.

    Raises:
        InputError: the dialogue is longer than `max_tokens`. It is never cut: that would drop the
            last turn, or some of the video.
    """
    vision = videos if isinstance(videos, Vision) else see(processor, videos)
    encoded = Encoded(vision=vision)
    encoded.add(_preamble(processor, system))
    for number, turn in enumerate(turns):
        _add_message(encoded, processor, "user", turn.question, vision if not number else None)
        stage = STAGES.index(turn.stage)
        _add_answer(encoded, processor, turn.answer, stage, learn_newline=learn_newline)
    if max_tokens is not None and len(encoded) > max_tokens:
        message = f"has {len(encoded)} tokens, more than the {max_tokens} allowed, and is never cut"
        raise InputError([Problem(place, f"{message}; raise the limit or sample fewer pixels")])
    return encoded


def encode_prompt(
    processor: Any, videos: Sequence[Frames] | Vision, messages: Sequence[Message]
) -> Encoded:
    """Return messages up to where the model's next answer starts; nothing is learnt.

    Args:
        processor: Qwen2.5-VL's.
        videos: what is seen before the first user message.
        messages: {"role": "system" | "user" | "assistant", "content": text}; a system message, if
            any, comes first.

    Raises:
        InputError: no user message, or an unknown role.
    """
    vision = videos if isinstance(videos, Vision) else see(processor, videos)
    roles = [message["role"] for message in messages]
    if "user" not in roles or set(roles) - set(ROLES) or "system" in roles[1:]:
        expected = "expected an optional system message, then user and assistant"
        raise InputError([Problem("messages", f"{expected}, found {roles}")])
    system = messages[0]["content"] if roles[0] == "system" else None
    encoded = Encoded(vision=vision)
    encoded.add(_preamble(processor, system))
    first_user = roles.index("user")
    for number, (role, message) in enumerate(zip(roles, messages, strict=True)):
        if role == "assistant":
            _add_answer(encoded, processor, message["content"], None)
        elif role == "user":
            seen = vision if number == first_user else None
            _add_message(encoded, processor, "user", message["content"], seen)
    encoded.add(_marked(processor, f"{START}assistant\n"))
    return encoded


def see(processor: Any, videos: Sequence[Frames]) -> Vision:
    """Return videos as the vision tower takes them; nothing is resized or sampled again.

    The true times go in through the metadata; the steps between pairs of frames come out.
    """
    if not videos:
        return Vision()
    import torch
    from transformers.video_utils import VideoMetadata

    tower = processor.video_processor
    made = tower(
        videos=[torch.from_numpy(video.pixels).permute(0, 3, 1, 2) for video in videos],
        video_metadata=[
            VideoMetadata(
                total_num_frames=video.total, fps=video.fps, frames_indices=list(video.indices)
            )
            for video in videos
        ],
        do_sample_frames=False,
        do_resize=False,
        input_data_format="channels_first",
        return_tensors="pt",
    )
    return Vision(
        made["pixel_values_videos"],
        made["video_grid_thw"],
        tuple(_grid_step_s(video, tower.temporal_patch_size) for video in videos),
        tuple((made["video_grid_thw"].prod(-1) // tower.merge_size**2).tolist()),
    )


def unseen(processor: Any, video: Frames) -> Vision:
    """Return the room that a video takes in the text, without its tensors, which cost time."""
    tower = processor.video_processor
    count, height, width, _ = video.pixels.shape
    patches = (height // tower.patch_size) * (width // tower.patch_size)
    return Vision(tokens=(count // tower.temporal_patch_size * patches // tower.merge_size**2,))


def with_features(vision: Vision, features: Any) -> Vision:
    """Return a video whose pixels are replaced by the vision tower's features."""
    return replace(vision, pixel_values_videos=None, features=features)


def _grid_step_s(video: Frames, temporal_patch: int) -> float:
    return temporal_patch * video.total / (video.sampled * video.fps)


def _preamble(processor: Any, system: str | None) -> list[int]:
    """Return the system turn: the one given, or what the chat template puts first."""
    if system is not None:
        return [
            *_marked(processor, f"{START}system\n"),
            *plain_ids(processor, system),
            *_marked(processor, f"{END}\n"),
        ]
    question = [{"role": "user", "content": [{"type": "text", "text": "?"}]}]
    rendered = processor.apply_chat_template(question, tokenize=False)
    return _marked(processor, rendered.partition(f"{START}user")[0])


def _add_message(
    encoded: Encoded, processor: Any, role: str, text: str, vision: Vision | None
) -> None:
    encoded.add(_marked(processor, f"{START}{role}\n"))
    for count in vision.tokens if vision else ():
        encoded.add(_marked(processor, VISION_START))
        encoded.add([processor.video_token_id] * count)
        encoded.add(_marked(processor, VISION_END))
    encoded.add([*plain_ids(processor, text), *_marked(processor, f"{END}\n")])


def _add_answer(
    encoded: Encoded, processor: Any, text: str, stage: int | None, *, learn_newline: bool = False
) -> None:
    encoded.add(_marked(processor, f"{START}assistant\n"))
    encoded.add([*plain_ids(processor, text), *_marked(processor, END)], stage)
    encoded.add(_marked(processor, "\n"), stage if learn_newline else None)


def _marked(processor: Any, text: str) -> list[int]:
    """Return the ids of template text, whose markers are special tokens."""
    return _ids(processor, text, split_special_tokens=False)


def plain_ids(processor: Any, text: str) -> list[int]:
    """Return the ids of what a person or a model wrote; a marker in it is plain text."""
    return _ids(processor, text, split_special_tokens=True)


def _ids(processor: Any, text: str, *, split_special_tokens: bool) -> list[int]:
    # What a marker is read as is a switch of the tokenizer itself, not of the call.
    with _ONE_READS:
        ids: list[int] = processor.tokenizer(
            text, add_special_tokens=False, split_special_tokens=split_special_tokens
        )["input_ids"]
    return ids
