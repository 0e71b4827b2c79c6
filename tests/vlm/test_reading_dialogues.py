"""Dialogues read back: splits, and what is wrong is named with its line."""

import json
from pathlib import Path

import pytest

from flex.problems import InputError
from vlm.dialogues import DialogueRecord, read_dialogues, view_path

ROW = {
    "clip": "A01/001",
    "action": "A01",
    "split": "train",
    "turns": [{"stage": "score", "question": "Score?", "answer": "7", "sentences": []}],
    "provenance": {},
}


@pytest.fixture
def record() -> DialogueRecord:
    return DialogueRecord.model_validate(ROW)


def test_a_split_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dialogues.jsonl"
    rows = [ROW, ROW | {"split": "test", "clip": "A01/002"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [r.clip for r in read_dialogues(path)] == ["A01/001", "A01/002"]
    assert [r.clip for r in read_dialogues(path, "test")] == ["A01/002"]
    with pytest.raises(InputError, match="no dialogues of split 'dev'; has test, train"):
        read_dialogues(path, "dev")


def test_every_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dialogues.jsonl"
    turn = {"stage": "guess", "question": "?", "answer": "!"}
    rows = [ROW, ROW | {"turns": [turn]}, {"clip": "A01/003"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "[]\n")
    with pytest.raises(InputError) as caught:
        read_dialogues(path)
    places = {problem.place for problem in caught.value.problems}
    assert places == {f"{path}:{line}" for line in (2, 3, 4)}


def test_a_view_is_a_folder_or_a_video(tmp_path: Path, record: DialogueRecord) -> None:
    with pytest.raises(InputError, match=r"neither a folder View-1 nor View-1\.mp4"):
        view_path(tmp_path, record)
    video = tmp_path / "A01/001/View-1.mp4"
    video.parent.mkdir(parents=True)
    video.touch()
    assert view_path(tmp_path, record) == video
    (tmp_path / "A01/001/View-2").mkdir()
    assert view_path(tmp_path, record, "View-2").is_dir()
    named = record.model_copy(update={"views": {"View-1": "elsewhere.mp4"}})
    with pytest.raises(InputError, match=r"elsewhere\.mp4: View-1 of clip A01/001 is missing"):
        view_path(tmp_path, named)
