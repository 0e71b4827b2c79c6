"""The frames a second of a folder of JPEG frames: what the data folder states, and nothing else."""

import json
from pathlib import Path

import pytest

from flex.frame_rate import folder_rate, stated_rate
from flex.problems import InputError


@pytest.fixture
def view(tmp_path: Path) -> Path:
    view = tmp_path / "A01/001/View-1"
    view.mkdir(parents=True)
    return view


def annotate(root: Path, **fields: object) -> None:
    row = {"clip": "A01/001", "action": "A01", **fields}
    (root / "annotations.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")


def test_a_rate_that_nobody_states_is_asked_for(view: Path, tmp_path: Path) -> None:
    assert stated_rate(view, 103) is None
    with pytest.raises(InputError, match=r"View-1: .*rate is not known: state duration_s"):
        folder_rate(view, 103)
    assert folder_rate(view, 103, 25.0) == 25
    annotate(tmp_path)
    with pytest.raises(InputError, match="rate is not known"):
        folder_rate(view, 103)


def test_the_record_states_it_by_its_length_or_its_rate(view: Path, tmp_path: Path) -> None:
    annotate(tmp_path, frame_rate_hz=120)
    assert folder_rate(view, 103, 25.0) == 120
    annotate(tmp_path, duration_s=2.04, frame_rate_hz=120)
    assert folder_rate(view, 103) == pytest.approx(50), "from the first moment to the last"
    annotate(tmp_path, duration_s=2.04, frame_rate_hz=50.5)
    assert folder_rate(view, 103) == 50.5, "103 frames at this rate last for 2.04 s"
    annotate(tmp_path, duration_s=0, frame_rate_hz=True)
    assert stated_rate(view, 103) is None, "the check of the data names such a record"


def test_a_view_may_lie_where_its_record_says(tmp_path: Path) -> None:
    view = tmp_path / "phone/lift-7"
    view.mkdir(parents=True)
    annotate(tmp_path, duration_s=2, views={"phone": "phone/lift-7"})
    assert folder_rate(view, 61) == 30


def test_a_file_of_the_data_folder_states_it_first(view: Path, tmp_path: Path) -> None:
    annotate(tmp_path, duration_s=2)
    (tmp_path / "fps").write_text("60\n", encoding="utf-8")
    assert folder_rate(view, 103) == 60
    (view / "fps").write_text("59.94", encoding="utf-8")
    assert folder_rate(view, 103) == 59.94
    for wrong in ("fast", "0", "-3", "inf", "nan", ""):
        (view / "fps").write_text(wrong, encoding="utf-8")
        with pytest.raises(InputError, match=r"fps: expected the frames a second"):
            folder_rate(view, 103)


def test_what_lies_above_the_data_folder_says_nothing(tmp_path: Path) -> None:
    view = tmp_path / "data/A01/001"
    view.mkdir(parents=True)
    annotate(tmp_path / "data")
    (tmp_path / "fps").write_text("60", encoding="utf-8")
    assert stated_rate(view, 2) is None
