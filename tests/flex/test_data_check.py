import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from flex.data_check import DataReport, check_data
from flex.dataset import Clip, semg_path, skeleton_path
from flex.files import write_jsonl
from flex.graph import Graph
from flex.sample import Annotation

WriteClip = Callable[..., Path]
MakeRecord = Callable[..., Annotation]


@pytest.fixture
def good(write_clip: WriteClip, make_record: MakeRecord) -> Path:
    """Three clips of two subjects with everything that the layout has."""
    records = []
    for number in (1, 2, 3):
        write_clip(f"A01/00{number}", shade=10 * number)
        subject = "P01" if number < 3 else "N01"
        records.append(make_record(f"A01/00{number}", subject=subject))
    root = write_clip("A07/001", shade=50, semg=2)
    write_jsonl(root / "annotations.jsonl", [*records, make_record("A07/001", subject="N01")])
    return root


def _texts(root: Path, graph: Graph) -> list[str]:
    found = [str(problem) for problem in check_data(root, graph).problems]
    return [text.replace(f"{root}/", "") for text in found]


def _edit(root: Path, line: int, **fields: object) -> None:
    path = root / "annotations.jsonl"
    rows = [json.loads(text) for text in path.read_text().splitlines()]
    rows[line - 1] |= fields
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_good_folder_has_no_problems(good: Path, graph: Graph) -> None:
    seen: list[str] = []

    def track(clips: list[Clip]) -> Iterable[Clip]:
        seen.extend(clip.clip for clip in clips)
        return clips

    report = check_data(good, graph, track=track)
    assert report == DataReport(4, 4, 2, 2, ("View-1", "View-2"), ())
    assert seen == ["A01/001", "A01/002", "A01/003", "A07/001"]


def test_everything_at_once(good: Path, graph: Graph, jpeg: Callable[..., bytes]) -> None:
    _edit(good, 1, subject=None)
    _edit(good, 2, score=12.5)
    (good / "A01/001/View-1/img_00057.JPG").unlink()
    (good / "A01/002/View-1/img_00001.JPG").write_bytes(b"")
    (good / "A01/002/View-1/img_00002.JPG").write_bytes(b"no picture")
    (good / "A01/002/View-1/img_00003.JPG").write_bytes(jpeg(1)[:-10])
    (good / "A01/002/View-2/img_00001.JPG").write_bytes(jpeg(1, 32, 16))
    skeleton_path(good, "A01/001").write_text("a,b\n1,2\n")
    skeleton_path(good, "A01/002").unlink()
    semg_path(good, "A01/003").write_text("1,2,3,4\n1,2,3,inf\n")
    np.savetxt(semg_path(good, "A07/001"), np.ones((4, 4)), "%g", ",")
    for frame in (good / "A01/003/View-2").iterdir():
        frame.unlink()
    (good / "A01/003/View-2").rmdir()
    assert sorted(_texts(good, graph)) == sorted(
        [
            "annotations.jsonl:1: A01/001 has no subject; the split by subject needs one",
            "annotations.jsonl:2: score: 12.5 is stated, the errors give 100.0 (penalty 0 of 161); "
            "if the source used another total, state it as score_total",
            "A01/001/View-1: has 102 frames, expected 103; missing: img_00057",
            "A01/002/View-1/img_00001.JPG: is empty",
            "A01/002/View-1/img_00002.JPG: is not a JPEG",
            "A01/002/View-1/img_00003.JPG: breaks off before the end of the picture",
            "A01/002/View-2: has frames of more than one size: "
            "32×16 in img_00001.JPG, 16×16 in img_00002.JPG",
            "Skeleton/A01/001/skeleton_points.csv, row 2: has 2 columns, expected 63",
            "Skeleton/A01/002/skeleton_points.csv: is missing; Skeleton holds other clips of A01",
            "EMG/A01/003/EMG.csv, row 2, column 4: 'inf' is not a finite number",
            *(f"EMG/A07/001/EMG.csv, row {n}: has 4 columns, expected 2" for n in (1, 2, 3, 4)),
            "A01/003/View-2: is missing; other clips of A01 have it",
        ]
    )


def test_frames_without_a_person_are_counted(good: Path, graph: Graph) -> None:
    path = skeleton_path(good, "A01/001")
    lines = path.read_text().splitlines()
    lines[50] = lines[60] = ",".join(["0"] * 63)
    path.write_text("\n".join(lines) + "\n")
    (text,) = _texts(good, graph)
    assert text.startswith("Skeleton/A01/001/skeleton_points.csv, row 51: ")
    assert "in 2 frames" in text


def test_videos_are_opened(
    good: Path, graph: Graph, write_video: Callable[[Path, int], None]
) -> None:
    write_video(good / "A07/002/View-1.mp4", 103)
    write_video(good / "A07/002/View-2.mp4", 102)
    whole = (good / "A07/002/View-1.mp4").read_bytes()
    (good / "A07/003").mkdir()
    (good / "A07/003/View-1.mp4").write_bytes(whole[: len(whole) // 2])
    (good / "A07/003/View-2.mp4").write_bytes(b"")
    found = [text for text in _texts(good, graph) if ".mp4" in text]
    assert found[0] == "A07/002/View-2.mp4: has 102 frames, expected 103"
    assert [text.split(": cannot be decoded")[0] for text in found[1:]] == [
        "A07/003/View-1.mp4",
        "A07/003/View-2.mp4",
    ]


def test_a_described_video_may_be_longer(
    tmp_path: Path,
    graph: Graph,
    make_record: MakeRecord,
    write_video: Callable[[Path, int], None],
) -> None:
    write_video(tmp_path / "videos/a.mp4", 60)
    views = {"front": "videos/a.mp4"}
    said = {"frame_rate_hz": 30, "subject": "s", "views": views, "action": "A16"}
    records = [make_record("a", duration_s=2, **said), make_record("b", duration_s=3, **said)]
    records.append(make_record("c", action="A16", subject="s", views={"front": "videos/c.mp4"}))
    write_jsonl(tmp_path / "annotations.jsonl", records)
    assert _texts(tmp_path, graph) == [
        "videos/a.mp4: has 60 frames, expected 89 or 90 or 91 or 103",
        "videos/c.mp4: is missing",
    ]


def test_promises_of_records_and_neighbours(
    good: Path, graph: Graph, write_clip: WriteClip, make_record: MakeRecord
) -> None:
    write_clip("A02/001", views=1, semg=0)
    write_clip("A02/002", views=1, semg=0)
    semg = {"sample_rate_hz": 2000, "channels": ["a", "b", "c", "d"]}
    lines = (good / "annotations.jsonl").read_text()
    more = [make_record("A01/009", subject="N01"), make_record("A02/001", subject="X", semg=semg)]
    text = "".join(record.model_dump_json(exclude_none=True) + "\n" for record in more)
    (good / "annotations.jsonl").write_text(lines + text)
    (good / "A21/001").mkdir(parents=True)
    assert sorted(_texts(good, graph)) == [
        "A01/009: is missing; it has a record, and other clips of A01 have files",
        "A02/002: has files and no record in annotations.jsonl",
        "A21: the graph has no action 'A21'",
        "EMG/A02/001/EMG.csv: is missing; the record states its channels",
        "EMG/A02: is missing; EMG holds other actions (clips without: 1)",
        "Skeleton/A02: is missing; Skeleton holds other actions (clips without: 2)",
    ]


def test_a_wrong_semg_rate_does_not_fit_the_duration(good: Path, graph: Graph) -> None:
    semg = {"sample_rate_hz": 20, "channels": ["a", "b", "c", "d"]}
    _edit(good, 1, duration_s=2, semg=semg)
    assert _texts(good, graph) == []
    _edit(good, 1, semg={**semg, "sample_rate_hz": 200})
    assert _texts(good, graph) == [
        "EMG/A01/001/EMG.csv: 40 samples at 200 Hz last 0.20 s, the clip 2 s"
    ]


def test_a_wrong_calibration_is_told_once(good: Path, graph: Graph) -> None:
    (good / "cameras.json").write_text('{"View-1": {"width": 0}}')
    told = _texts(good, graph)
    assert told
    assert all("cameras.json" in line and "View-1" in line for line in told)
    assert sum("width" in line for line in told) == 1


def test_split_lists_are_held_against_folders_and_scores(good: Path, graph: Graph) -> None:
    (good / "Split_4").mkdir()
    rows = {"train": [[1, 1, 100], [1, 2, 50.5]], "test": [[3, 9, 70]]}
    for part, values in rows.items():
        path = good / f"Split_4/split_4_{part}_list.mat"
        scipy.io.savemat(path, {f"consolidated_{part}_list": np.array(values)})
    assert _texts(good, graph) == [
        "Split_4/split_4_train_list.mat: gives A01/002 the score 50.50, its record 100.0",
        "Split_4/split_4_test_list.mat: lists A03/009, which has no folder",
    ]
    (good / "Split_4/split_4_test_list.mat").unlink()
    assert "Split_4/split_4_test_list.mat: is missing" in _texts(good, graph)


def test_one_subject_with_two_skills(good: Path, graph: Graph) -> None:
    _edit(good, 1, skill="expert")
    _edit(good, 2, skill="novice")
    assert _texts(good, graph) == [
        "annotations.jsonl:2: subject P01 is novice here and expert before"
    ]


def test_labels_alone_are_fine_and_nothing_is_not(
    tmp_path: Path, graph: Graph, make_record: MakeRecord
) -> None:
    assert "holds neither" in _texts(tmp_path, graph)[0]
    semg = {"sample_rate_hz": 2000, "channels": ["a"]}
    record = make_record("A01/001", subject="P01", semg=semg)
    write_jsonl(tmp_path / "annotations.jsonl", [record])
    assert _texts(tmp_path, graph) == []


def test_quick_opens_nothing(good: Path, graph: Graph) -> None:
    (good / "A01/001/View-1/img_00057.JPG").write_bytes(b"")
    assert check_data(good, graph, open_files=False).problems == ()
