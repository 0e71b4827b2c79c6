"""Label Studio tasks hold every field that the labeling interface asks for."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from small_run import RunWriter, lifts

from flex.graph import Graph
from qa_gen.export import export


def parts(out: Path) -> tuple[ET.Element, list[dict[str, object]]]:
    folder = out / "label-studio"
    config = ET.fromstring((folder / "config.xml").read_text())
    return config, [task["data"] for task in json.loads((folder / "tasks.json").read_text())]


def test_every_field_of_the_interface_is_in_every_task(small_export: Path) -> None:
    config, tasks = parts(small_export)
    asked = {value[1:] for tag in config.iter() if (value := tag.get("value", "")).startswith("$")}
    assert len(tasks) == 7
    assert asked
    for task in tasks:
        assert asked <= set(task)


def test_every_control_points_at_an_object(small_export: Path) -> None:
    config, _ = parts(small_export)
    names = {tag.get("name") for tag in config.iter() if tag.get("name")}
    pointed_at = {tag.get("toName") for tag in config.iter() if tag.get("toName")}
    assert pointed_at
    assert pointed_at <= names
    choices = [tag.get("value") for tag in config.iter("Choice")]
    assert choices == ["accept", "edit", "reject"]


def test_task_shows_labels_and_check(small_export: Path) -> None:
    _, tasks = parts(small_export)
    first, clean = tasks[0], tasks[4]
    assert re.search(r"AK44:ET055 .+ — .+ \(weight \d+\)", str(first["labels"]))
    assert first["check"] == "fact check passed · unreviewed"
    assert first["video_left_side"] == "/data/local-files/?d=lifts/A16/001/left%20side.mp4"
    assert clean["labels"] == "no errors"
    assert "0.5–1.25 s" in str(tasks[2]["labels"])
    assert str(tasks[2]["labelled"]).count("AK44") == 2


def test_interface_shows_the_views_that_all_tasks_have(
    graph: Graph, make_run: RunWriter, tmp_path: Path
) -> None:
    export(make_run(lifts(graph)[:1]), tmp_path / "all", graph)
    config, _ = parts(tmp_path / "all")
    videos = [tag.get("value") for tag in config.iter("Video")]
    assert videos == ["$video_front", "$video_left_side"]


def test_interface_without_common_views_has_no_video(small_export: Path) -> None:
    config, _ = parts(small_export)
    assert not list(config.iter("Video"))
