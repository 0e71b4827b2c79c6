"""Writes dialogues for fine-tuning: OpenAI messages and LLaMA-Factory's ShareGPT, JSON Lines.

`openai/<split>.jsonl`: one `{"messages": [...]}` a line. The first question carries the videos as
`video_url` parts, as vLLM and other OpenAI-compatible servers read them; without views every
content is plain text.

`llama-factory/<split>.jsonl` and `dataset_info.json`: `conversations` from human and gpt, and
`videos`; the first question starts with one `<video>` for each of them.

Paths of videos are those of the annotations, relative to the data folder. Lines come in the order
of the Parquet rows.
"""

import json
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from qa_gen.dialogue import Dialogue
from qa_gen.export_parquet import messages_of

OPENAI = "openai"
LLAMA_FACTORY = "llama-factory"
SHAREGPT_ROLES = {"user": "human", "assistant": "gpt"}


def openai_record(dialogue: Dialogue) -> dict[str, Any]:
    """Return the dialogue as OpenAI messages, its videos in the first one."""
    messages: list[dict[str, Any]] = [*messages_of(dialogue)]
    if dialogue.views:
        parts = [
            {"type": "video_url", "video_url": {"url": path}} for path in dialogue.views.values()
        ]
        text = {"type": "text", "text": messages[0]["content"]}
        messages[0] = {"role": "user", "content": [*parts, text]}
    return {"messages": messages}


def sharegpt_record(dialogue: Dialogue) -> dict[str, Any]:
    """Return the dialogue as ShareGPT; there are as many `<video>` as `videos`."""
    conversations = [
        {"from": SHAREGPT_ROLES[message["role"]], "value": message["content"]}
        for message in messages_of(dialogue)
    ]
    videos = list(dialogue.views.values())
    conversations[0]["value"] = "<video>" * len(videos) + conversations[0]["value"]
    return {"clip": dialogue.clip, "conversations": conversations, "videos": videos}


def dataset_info(splits: list[str]) -> dict[str, Any]:
    """Return the `dataset_info.json` that names the splits to LLaMA-Factory."""
    return {
        f"flex_videoqa_{split}": {
            "file_name": f"{split}.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "videos": "videos"},
            "tags": {
                "role_tag": "from",
                "content_tag": "value",
                "user_tag": "human",
                "assistant_tag": "gpt",
            },
        }
        for split in splits
    }


class ChatFiles:
    """The chat files of an export; a split's files appear with its first dialogue."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._streams: dict[tuple[str, str], IO[str]] = {}

    def add(self, dialogue: Dialogue) -> None:
        """Add a dialogue to the files of its split."""
        self._line(OPENAI, dialogue.split, openai_record(dialogue))
        self._line(LLAMA_FACTORY, dialogue.split, sharegpt_record(dialogue))

    def _line(self, kind: str, split: str, record: dict[str, Any]) -> None:
        stream = self._streams.get((kind, split))
        if stream is None:
            path = self._folder / kind / f"{split}.jsonl"
            path.parent.mkdir(exist_ok=True)
            stream = path.open("w", encoding="utf-8", newline="\n")
            self._streams[kind, split] = stream
        stream.write(json.dumps(record, ensure_ascii=False) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        for stream in self._streams.values():
            stream.close()
        if kind is None and self._streams:
            info = dataset_info([split for name, split in self._streams if name == LLAMA_FACTORY])
            path = self._folder / LLAMA_FACTORY / "dataset_info.json"
            path.write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
