"""The gallery: a few clips of each skill level, of the test split only, with pictures."""

import json
from pathlib import Path

import pytest
from coach_clips import GRAPH, write_film

from coach.gallery import choose_records, find_examples
from flex.problems import InputError
from vlm.dialogues import DialogueRecord, Turn

TURN = Turn(stage="recognise", question="Which?", answer="A squat.")


def record(number: int, action: str, skill: str | None, split: str = "test") -> DialogueRecord:
    clip = f"{action}/{number:03}"
    return DialogueRecord(
        clip=clip, action=action, skill=skill, split=split, turns=(TURN,), simulated=True
    )


RECORDS = [
    record(1, "A16", "novice"),
    record(2, "A16", "novice"),
    record(3, "A15", "novice"),
    record(4, "A16", "expert"),
    record(5, "A02", "expert"),
    record(6, "A02", "amateur", "train"),
    record(7, "A02", None),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    film = write_film(tmp_path / "film.mp4").read_bytes()
    for one in RECORDS:
        folder = tmp_path / "data" / one.clip
        folder.mkdir(parents=True)
        (folder / "View-1.mp4").write_bytes(film + b"\0" * int(one.clip[-3:]))
    (tmp_path / "dialogues.jsonl").write_text(
        "".join(json.dumps(one.model_dump()) + "\n" for one in RECORDS)
    )
    return tmp_path / "data"


def test_a_few_of_each_skill_with_different_exercises(data: Path, tmp_path: Path) -> None:
    posters = tmp_path / "posters"
    found = find_examples(tmp_path / "dialogues.jsonl", data, GRAPH, posters, per_skill=2)
    assert [(example.clip, example.skill) for example in found] == [
        ("A15/003", "novice"),
        ("A16/001", "novice"),
        ("A02/005", "expert"),
        ("A16/004", "expert"),
    ]
    assert found[0].caption == "Deadlift, novice"
    assert (found[0].view, found[0].simulated) == ("front_diagonal", True)
    assert all(example.poster.read_bytes()[:2] == b"\xff\xd8" for example in found)
    made = {path: path.stat().st_mtime_ns for path in posters.iterdir()}
    find_examples(tmp_path / "dialogues.jsonl", data, GRAPH, posters, per_skill=2)
    assert {path: path.stat().st_mtime_ns for path in posters.iterdir()} == made


def test_clips_without_a_film_are_left_out(data: Path, tmp_path: Path) -> None:
    (data / "A15/003/View-1.mp4").unlink()
    found = find_examples(tmp_path / "dialogues.jsonl", data, GRAPH, tmp_path, per_skill=1)
    assert [example.clip for example in found] == ["A16/001", "A02/005"]
    with pytest.raises(InputError, match="holds no View-1"):
        find_examples(tmp_path / "dialogues.jsonl", tmp_path / "none", GRAPH, tmp_path)


def test_exercises_are_spread_over_skills() -> None:
    chosen = choose_records(RECORDS, 1)
    assert len({one.action for one in chosen}) == len(chosen)
    assert choose_records([], 3) == []
