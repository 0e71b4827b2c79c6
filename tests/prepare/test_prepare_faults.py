"""What is wrong with recordings is said, and costs nothing but what it is wrong with."""

import errno
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from small_raw import FPS, RATE_HZ, SET_S, Run, film_from, write_film, write_raw

from flex.graph_file import load_graph
from flex.problems import InputError
from prepare.film import Film, film_view
from prepare.recording import read_recordings


def test_a_truncated_video_costs_the_clips_past_its_end(tmp_path: Path, run: Run) -> None:
    folder = write_raw(tmp_path / "raw")
    path = folder / "View-1.mp4"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    done = run()
    assert done.clips >= 1
    assert done.clips + len(done.quarantined) == 3
    assert "View-1.mp4: has no frames from" in done.quarantined[-1].reason
    assert " of 303" in (tmp_path / "root/prepare/report.md").read_text()


def test_a_video_without_its_index_costs_its_recording_only(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw", name="P02-A02", subject="P02")
    folder = write_raw(tmp_path / "raw")
    (folder / "View-1.mp4").write_bytes((folder / "View-1.mp4").read_bytes()[:200])
    done = run()
    assert done.clips == 3
    assert [row.key for row in done.quarantined] == ["P01-A02"]
    assert "View-1.mp4" in done.quarantined[0].reason


def test_a_view_seven_frames_late_is_found(tmp_path: Path, run: Run) -> None:
    films = {"View-1": film_from(0.5), "View-2": film_from(0.5 + 7 / FPS)}
    write_raw(tmp_path / "raw", films=films)
    assert run().clips == 3
    report = (tmp_path / "root/prepare/report.md").read_text()
    offsets = [float(row.split("|")[3]) for row in report.splitlines() if "| View-" in row]
    assert offsets[1] - offsets[0] == pytest.approx(7 / FPS, abs=0.5 / FPS)
    assert offsets[0] == pytest.approx(0.5, abs=1 / FPS)


def test_frames_dropped_with_a_gap_cost_the_clip_with_the_gap(tmp_path: Path, run: Run) -> None:
    times_s = np.arange(0.5, SET_S, 1 / FPS)
    kept = times_s[(times_s < 5.0) | (times_s > 5.4)]
    write_raw(tmp_path / "raw", films={"View-1": lambda path: write_film(path, kept)})
    done = run()
    assert done.clips == 2
    assert [row.key for row in done.quarantined] == ["A02/002"]
    assert "has no frames from 4.9" in done.quarantined[0].reason


def test_frames_dropped_without_a_gap_are_found_by_the_drift(tmp_path: Path, run: Run) -> None:
    times_s = np.arange(0.5, SET_S, 1 / FPS)
    kept = times_s[(times_s < 3.8) | (times_s > 4.2)]
    clock = np.arange(len(kept)) / FPS
    bad = {"View-1": film_from(0.5), "View-2": lambda path: write_film(path, kept, clock)}
    write_raw(tmp_path / "raw", films=bad)
    done = run()
    assert [row.key for row in done.quarantined] == ["P01-A02"]
    assert "View-2.mp4" in done.quarantined[0].reason
    assert "about 12 frames are lost" in done.quarantined[0].reason


def test_a_skeleton_shorter_than_its_video_costs_the_last_clip(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw", rows=round(9.7 * RATE_HZ))
    (tmp_path / "raw/segments.csv").write_text(
        "recording,repetition,start_frame,phase_2_frame,phase_3_frame,end_frame\n"
        "P01-A02,1,90,114,168,228\nP01-A02,2,432,456,510,600\n"
    )
    done = run()
    assert done.clips == 1
    reason = done.quarantined[0].reason
    assert "skeleton.csv: ends at 9.700 s, the repetition at 10.000 s" in reason


def test_semg_of_another_rate_is_cut_by_its_own_and_a_wrong_rate_is_said(
    tmp_path: Path, run: Run
) -> None:
    folder = write_raw(tmp_path / "raw", semg_hz=500.0)
    assert run().clips == 3
    semg = np.loadtxt(tmp_path / "root/EMG/A02/001/EMG.csv", delimiter=",")
    assert np.diff(semg[:, 0]) == pytest.approx(1 / 500, abs=2e-4)
    card = yaml.safe_load((folder / "recording.yaml").read_text())
    card["semg"]["rate_hz"] = 1000
    (folder / "recording.yaml").write_text(yaml.safe_dump(card))
    done = run("again")
    assert (
        "5300 samples at rate_hz 1000 last 5.3 s, the skeleton 10.6 s" in done.quarantined[0].reason
    )


def test_a_table_is_refused_with_everything_that_is_wrong(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw")
    table = tmp_path / "raw/segments.csv"
    table.write_text(
        "recording,repetition,start_s,phase_2_s,phase_3_s,end_s\n"
        "P01-A02,1,1.5,1.9,2.8,3.8\n"
        "P01-A02,2,3.5,4.5,5.4,6.4\n"
        "P01-A02,2,7.2,7.6,8.5,9.5\n"
        "P01-A20,1,7.2,7.6,8.5,9.5\n"
        "P01-A02,4,9.9,9.8,10.0,10.2\n"
    )
    with pytest.raises(InputError) as caught:
        run()
    said = str(caught.value)
    assert "segments.csv:3: repetition 2 starts at 3.500 s, before repetition 1 (line 2)" in said
    assert "segments.csv:4: repetition 2 is already on line 3" in said
    assert "segments.csv:5: recording: there is no 'P01-A20' (did you mean P01-A02?)" in said
    assert "segments.csv:6: times must rise" in said
    assert not list((tmp_path / "root").rglob("*.mp4"))


def test_proposals_that_are_not_as_many_as_the_labels_are_not_matched(
    tmp_path: Path, run: Run
) -> None:
    write_raw(tmp_path / "raw")
    row = '{{"clip": "A02/04{0}", "action": "A02", "subject": "P01", "repetition": {0}}}\n'
    (tmp_path / "raw/annotations.jsonl").write_text("".join(map(row.format, range(1, 6))))
    done = run()
    assert done.clips == 0
    assert "3 repetitions are proposed, 5 are labelled" in done.quarantined[0].reason


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_apart_from_a_bad_video(tmp_path: Path) -> None:
    folder = write_raw(tmp_path / "raw")
    (tmp_path / "View-1.mp4").symlink_to("/dev/full")
    film = Film(lines=64, crf=20, video=tmp_path / "View-1.mp4")
    with pytest.raises(OSError, match="No space left") as caught:
        film_view(folder / "View-1.mp4", (1.5, 3.8), 0.5, film)
    assert caught.value.errno == errno.ENOSPC


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="file/root"):
        run("file/root")


def test_a_missing_file_and_a_mended_one_with_retry(tmp_path: Path, run: Run) -> None:
    folder = write_raw(tmp_path / "raw")
    shutil.move(folder / "vitals.csv", folder / "gone.csv")
    done = run()
    assert done.quarantined[0].reason.endswith("vitals.csv: is missing")
    shutil.move(folder / "gone.csv", folder / "vitals.csv")
    assert run(retry=True).clips == 3


def test_a_card_is_refused_with_all_its_faults(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw", action="A99", load=3)
    with pytest.raises(InputError) as caught:
        read_recordings(tmp_path / "raw", load_graph())
    assert "recording.yaml" in str(caught.value)
    assert "unknown key 'load' (did you mean load_kg?)" in str(caught.value)


def test_vital_signs_of_another_time_cost_the_clips(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw", vitals={"file": "vitals.csv", "offset_s": 100.0})
    done = run()
    assert done.clips == 0
    said = r"vitals.csv: goes from 100.000 to 110.500 s, the repetition from 1\.\d+ to 3\.\d+ s"
    assert re.search(said, done.quarantined[0].reason)
