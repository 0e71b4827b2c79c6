"""From a clip's file to 18 envelopes at its frames; what cannot be used is left out and told."""

from pathlib import Path

import numpy as np
import pytest

from emg.recording import read_recording
from emg.signal import SignalSettings, clip_envelopes, muscle_envelopes
from flex.annotations import write_annotations
from flex.dataset import Clip, SemgSignal, semg_path
from flex.graph_file import load_graph
from flex.number_table import Floats
from flex.problems import InputError
from flex.sample import Annotation, Semg
from flex.semg import envelope
from flex.semg_columns import channel_names, muscle_of
from flex.semg_frames import even_times, mean_at_frames

GRAPH = load_graph()
RATE_HZ = 2000.0
NAMES = channel_names(GRAPH, "A02")
BENCH = channel_names(GRAPH, "A08")


def muscles(columns: int, lasts_s: float = 1.5, seed: int = 0) -> Floats:
    """Noise below 200 Hz, each column stronger than the one before, in mV."""
    noise = np.random.default_rng(seed).normal(size=(round(lasts_s * RATE_HZ) + 19, columns))
    lagged = [noise[lag : len(noise) - 19 + lag] for lag in range(8)]
    return np.asarray(np.sum(lagged, axis=0) * np.arange(1, columns + 1) * 0.05)


def signal(values: Floats, names: tuple[str, ...] = NAMES, rate: float = RATE_HZ) -> SemgSignal:
    return SemgSignal(values, names, rate)


def test_each_muscle_gets_the_envelope_of_its_own_column() -> None:
    values, times_s = muscles(4), np.arange(45) / 30
    seen = muscle_envelopes(signal(values), times_s, SignalSettings())
    expected = mean_at_frames(envelope(values, RATE_HZ), RATE_HZ, times_s)
    assert seen.values.shape == (45, 18)
    for column, name in enumerate(NAMES):
        assert seen.recorded[muscle_of(name)]
        np.testing.assert_allclose(seen.values[:, muscle_of(name)], expected[:, column])
    assert seen.recorded.sum() == 4
    assert not seen.values[:, ~seen.recorded].any()
    assert seen.excluded == ()


def test_a_bad_channel_is_left_out_and_told() -> None:
    values = muscles(4)
    values[:, 1] = 0
    seen = muscle_envelopes(signal(values), 103, SignalSettings(), place="EMG.csv")
    assert not seen.recorded[muscle_of(NAMES[1])]
    assert seen.recorded.sum() == 3
    (told,) = seen.excluded
    assert told.place == "EMG.csv, left triceps brachii"
    assert "flat line" in told.message


def test_the_other_electrode_of_a_muscle_stays() -> None:
    values = muscles(4)
    values[:, 0] = np.clip(values[:, 0], -0.05, 0.05)
    seen = muscle_envelopes(signal(values, BENCH), 103, SignalSettings())
    left = muscle_of("left pectoralis major")
    course = envelope(values, RATE_HZ)[:, 1:2]
    alone = mean_at_frames(course, RATE_HZ, even_times(103, len(values) / RATE_HZ))
    np.testing.assert_allclose(seen.values[:, left], alone[:, 0])
    assert seen.recorded[left]
    assert [told.place for told in seen.excluded] == ["sEMG, left pectoralis major 1"]


def test_settings_reach_the_envelope() -> None:
    values = muscles(4)
    plain = SignalSettings(average="mean", band_pass=False, window_s=0.05)
    seen = muscle_envelopes(signal(values), 103, plain)
    course = envelope(values, RATE_HZ, 0.05, average="mean", band_pass=False)
    expected = mean_at_frames(course, RATE_HZ, even_times(103, len(values) / RATE_HZ))
    np.testing.assert_allclose(seen.values[:, muscle_of(NAMES[2])], expected[:, 2])
    with pytest.raises(ValueError, match="Extra inputs"):
        SignalSettings.model_validate({"windows_s": 0.1})


HOLED = np.where(np.arange(12000).reshape(3000, 4) == 41, np.nan, 1.0)


def record(names: tuple[str, ...] = NAMES, rate: float = RATE_HZ) -> Annotation:
    semg = Semg(sample_rate_hz=rate, channels=names)
    return Annotation(clip="A02/001", action="A02", subject="P01", repetition=1, semg=semg)


def write_clip(root: Path, values: Floats, labels: Annotation | None = None) -> Clip:
    path = semg_path(root, "A02/001")
    path.parent.mkdir(parents=True)
    np.savetxt(path, values, delimiter=",", fmt="%.6f")
    return Clip("A02/001", "A02", {}, semg=path, annotation=labels)


@pytest.mark.parametrize(
    ("values", "labels", "message"),
    [
        (muscles(4), record(rate=200), "needs a sample rate above 900 Hz, found 200 Hz"),
        (muscles(3), record(), "has 3 columns, expected 4"),
        (HOLED, record(), "row 11, column 2: 'nan' is not a finite number"),
        (muscles(4), record(("biceps", *NAMES[1:])), "'biceps'.* none of the 18 muscles"),
        (muscles(2), record(NAMES[:1]), "has 2 columns, expected 1"),
        (muscles(4, lasts_s=0.1), record(), "expected 250 samples or more"),
        (muscles(4), None, "the sample rate is not known"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(
    tmp_path: Path, values: Floats, labels: Annotation | None, message: str
) -> None:
    clip = write_clip(tmp_path, values, labels)
    with pytest.raises(InputError, match=rf"EMG\.csv.*{message}"):
        clip_envelopes(clip, GRAPH, 103, SignalSettings())


def test_a_clip_without_semg_is_told() -> None:
    with pytest.raises(InputError, match="A02/001: has no sEMG file"):
        clip_envelopes(Clip("A02/001", "A02", {}), GRAPH, 103, SignalSettings())


def test_frames_beyond_the_recording_are_told(tmp_path: Path) -> None:
    clip = write_clip(tmp_path, muscles(4), record())
    with pytest.raises(InputError, match=r"15 frames lie outside the sEMG"):
        clip_envelopes(clip, GRAPH, np.arange(61) / 30, SignalSettings())


def test_a_stated_rate_serves_files_whose_record_has_none(tmp_path: Path) -> None:
    clip = write_clip(tmp_path, muscles(4))
    seen = clip_envelopes(clip, GRAPH, 103, SignalSettings(sample_rate_hz=RATE_HZ))
    assert seen.recorded.sum() == 4


def test_a_recording_is_read_with_its_record(tmp_path: Path) -> None:
    path = write_clip(tmp_path, muscles(4)).semg
    assert path is not None
    with pytest.raises(InputError, match="the sample rate is not known"):
        read_recording(path, GRAPH)
    write_annotations(tmp_path / "annotations.jsonl", [record()])
    found = read_recording(path, GRAPH)
    assert (found.channels, found.sample_rate_hz) == (NAMES, RATE_HZ)


def test_any_other_table_needs_a_rate_and_numbers_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    np.savetxt(path, muscles(3), delimiter=",")
    with pytest.raises(InputError, match="state it with --rate"):
        read_recording(path, GRAPH)
    assert read_recording(path, GRAPH, 1000.0).channels == ("column 1", "column 2", "column 3")
    with pytest.raises(InputError, match=r"none\.csv: cannot be read"):
        read_recording(tmp_path / "none.csv", GRAPH, 1000.0)
