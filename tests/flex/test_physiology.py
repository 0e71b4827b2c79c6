from pathlib import Path

import pytest

from flex.physiology import COLUMNS, load_physiology, physiology_path
from flex.problems import InputError

HEADER = ",".join(COLUMNS)


def _write(tmp_path: Path, text: str) -> Path:
    path = physiology_path(tmp_path, "A16/003")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_columns_are_read_by_name(tmp_path: Path) -> None:
    path = _write(tmp_path, f"{HEADER}\n0,110,20,1.5\n0.5,111,21,1.75\n")
    assert path == tmp_path / "Physiology/A16/003/physiology.csv"
    signal = load_physiology(path)
    assert signal.times_s.tolist() == [0, 0.5]
    assert signal.heart_rate_bpm.tolist() == [110, 111]
    assert signal.breathing_rate_per_min.tolist() == [20, 21]
    assert signal.chest_volume.tolist() == [1.5, 1.75]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER.replace("time_s", "time") + "\n0,1,1,1\n", "(did you mean time_s?)"),
        ("0,1,1,1\n", "row 1: the header must be time_s,"),
        ("", "found nothing"),
        (HEADER + "\n", "holds no rows of numbers"),
        (HEADER + "\n0,1,,1\n", "row 2, column 3: '' is not a finite number"),
        (HEADER + "\n0,1,1,1\n1,1,1,1\n1,1,1,1\n", "row 4, column 1: time_s must rise"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_physiology(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_physiology(tmp_path / "physiology.csv")
