"""The chat files hold the four turns and name the videos as their readers expect."""

import json
from pathlib import Path

import pytest
from small_run import lifts

from flex.graph import Graph
from qa_gen.export_chat import openai_record, sharegpt_record

SPLITS = {"train": 4, "validation": 1, "test": 2}


@pytest.mark.parametrize("kind", ["openai", "llama-factory"])
def test_lines_per_split(small_export: Path, kind: str) -> None:
    counts = {
        path.stem: len(path.read_text().splitlines())
        for path in (small_export / kind).glob("*.jsonl")
    }
    assert counts == SPLITS


def test_openai_alternates_and_carries_the_videos_first(graph: Graph) -> None:
    seen, unseen = lifts(graph)[:2]
    messages = openai_record(seen)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * 4
    *videos, text = messages[0]["content"]
    assert [part["video_url"]["url"] for part in videos] == list(seen.views.values())
    assert text == {"type": "text", "text": seen.turns[0].question}
    assert all(isinstance(message["content"], str) for message in messages[1:])
    assert openai_record(unseen)["messages"][0]["content"] == unseen.turns[0].question


def test_sharegpt_has_one_mark_per_video(graph: Graph) -> None:
    for dialogue in lifts(graph):
        record = sharegpt_record(dialogue)
        text = "".join(part["value"] for part in record["conversations"])
        assert text.count("<video>") == len(record["videos"]) == len(dialogue.views)
        assert [part["from"] for part in record["conversations"]] == ["human", "gpt"] * 4


def test_dataset_info_names_every_split(small_export: Path) -> None:
    folder = small_export / "llama-factory"
    info = json.loads((folder / "dataset_info.json").read_text())
    assert set(info) == {f"flex_videoqa_{split}" for split in SPLITS}
    for entry in info.values():
        first = json.loads((folder / entry["file_name"]).read_text().splitlines()[0])
        assert entry["formatting"] == "sharegpt"
        assert entry["columns"]
        assert set(entry["columns"].values()) <= set(first)
        assert entry["tags"]["user_tag"] == first["conversations"][0][entry["tags"]["role_tag"]]
