"""`python -m emg signal`: the table, the figure, and what is said of files that will not do."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from emg.signal_command import signal
from flex.cli import new_app
from flex.number_table import Floats
from flex.problems import InputError
from flex.semg_c3d import read_c3d

RATE_HZ = 2000.0
DATA = Path(os.environ.get("FLEX_COACH_DATA", Path(__file__).parents[3] / "shared/data"))
REAL = DATA / "semg/markers_analogs.c3d"
PNG = b"\x89PNG\r\n\x1a\n"

app = new_app("")
app.command()(signal)


def call(*words: str | Path) -> str:
    """Return what the command prints; problems are raised as by the function."""
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "300"})
    if done.exception:
        raise done.exception
    return done.output


def recording(columns: int = 3) -> Floats:
    noise = np.random.default_rng(0).normal(size=(3019, columns))
    return np.asarray(np.sum([noise[lag : 3000 + lag] for lag in range(8)], axis=0))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A CSV of three columns at 2000 Hz, the second of which is flat."""
    values = recording()
    values[:, 1] = 0.25
    path = tmp_path / "arm.csv"
    np.savetxt(path, values, delimiter=",")
    return path


def write_c3d(path: Path, values: Floats, labels: list[str], units: list[str]) -> None:
    ezc3d = pytest.importorskip("ezc3d")
    content: Any = ezc3d.c3d()
    content["parameters"]["POINT"]["RATE"]["value"] = [100.0]
    content["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    content["parameters"]["POINT"]["LABELS"]["value"] = []
    content["parameters"]["ANALOG"]["RATE"]["value"] = [RATE_HZ]
    content["parameters"]["ANALOG"]["LABELS"]["value"] = labels
    content["parameters"]["ANALOG"]["UNITS"]["value"] = units
    content["data"]["points"] = np.zeros((4, 0, len(values) // 20))
    content["data"]["analogs"] = values.T[None]
    content.write(str(path))


def test_a_flat_channel_is_named_and_the_others_are_drawn(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "chain.png"
    said = call(table, "--rate", "2000", "--figure", out)
    (flat,) = [line for line in said.splitlines() if "flat line (one value)" in line]
    assert "column 2" in flat
    assert sum("usable" in line for line in said.splitlines()) == 2
    assert out.read_bytes().startswith(PNG)


def test_without_a_figure_nothing_is_written(table: Path) -> None:
    call(table, "--rate", "2000")
    assert list(table.parent.iterdir()) == [table]


def test_a_channel_is_chosen_by_number_or_name(table: Path, tmp_path: Path) -> None:
    pictures: list[bytes] = []
    for chosen in (["1"], ["column 1"], ["column 3"], ["1", "column 3"]):
        out = tmp_path / f"{len(pictures)}.png"
        options = [word for name in chosen for word in ("--channel", name)]
        call(table, "--rate", "2000", *options, "--figure", out)
        pictures.append(out.read_bytes())
    assert pictures[0] == pictures[1]
    assert pictures[2] != pictures[0]
    # A row more makes a taller picture; its height stands in bytes 20 to 24.
    assert pictures[3][20:24] > pictures[0][20:24]
    with pytest.raises(InputError, match=r"no channel 'column 4' \(did you mean column 3\?\)"):
        call(table, "--rate", "2000", "--channel", "column 4", "--figure", tmp_path / "n.png")


def test_all_channels_unusable_is_told(tmp_path: Path) -> None:
    path = tmp_path / "off.csv"
    np.savetxt(path, np.zeros((3000, 2)), delimiter=",")
    with pytest.raises(InputError, match="no channel is usable; name one with --channel"):
        call(path, "--rate", "2000", "--figure", tmp_path / "n.png")


def test_slow_recordings_are_refused_and_plainly_averaged(tmp_path: Path) -> None:
    path = tmp_path / "slow.csv"
    np.savetxt(path, recording()[:600], delimiter=",")
    with pytest.raises(InputError, match="above 900 Hz, found 200 Hz"):
        call(path, "--rate", "200")
    out = tmp_path / "slow.png"
    call(path, "--rate", "200", "--no-band-pass", "--average", "mean", "--figure", out)
    assert out.read_bytes().startswith(PNG)


def test_c3d_gives_millivolts_of_what_is_called_emg(tmp_path: Path) -> None:
    values, path = recording(4), tmp_path / "trial.c3d"
    labels = ["Force.Fz", "Biceps.EMG1", "Triceps.EMG2", "Angle.EMG"]
    write_c3d(path, values, labels, ["V", "V", "mV", "deg"])
    found = read_c3d(path)
    assert found.channels == ("Biceps.EMG1", "Triceps.EMG2")
    assert found.sample_rate_hz == RATE_HZ
    np.testing.assert_allclose(found.values[:, 0], 1000 * values[:, 1], rtol=1e-5)
    np.testing.assert_allclose(found.values[:, 1], values[:, 2], rtol=1e-5)


def test_c3d_without_such_names_gives_all_voltages(tmp_path: Path) -> None:
    path = tmp_path / "trial.c3d"
    write_c3d(path, recording(2), ["left", "right"], ["uV", "V"])
    assert read_c3d(path).channels == ("left", "right")


def test_c3d_that_will_not_do_is_told(tmp_path: Path) -> None:
    path = tmp_path / "trial.c3d"
    write_c3d(path, recording(1), ["force"], ["N"])
    with pytest.raises(InputError, match="holds no analog channel in V, mV"):
        read_c3d(path)
    with pytest.raises(InputError, match="no such file"):
        read_c3d(tmp_path / "none.c3d")
    (tmp_path / "text.c3d").write_text("not a recording")
    with pytest.raises(InputError, match=r"text\.c3d: is not a C3D file"):
        read_c3d(tmp_path / "text.c3d")


@pytest.mark.skipif(not REAL.exists(), reason="the real recording is not there")
def test_the_real_recording_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("ezc3d")
    out = tmp_path / "real.png"
    said = call(REAL, "--channel", "Delt_med.EMG2", "--channel", "Biceps.EMG4", "--figure", out)
    assert "5.8 s at 2000 Hz" in said
    assert out.read_bytes().startswith(PNG)
