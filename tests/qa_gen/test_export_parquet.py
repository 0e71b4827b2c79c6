"""The Parquet export loads with `datasets`, row for row as the dialogues were."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small_run import RunWriter, lifts

from flex.graph import Graph
from qa_gen import export_parquet
from qa_gen.export import export

COLUMNS = [
    "clip", "action", "action_name", "subject", "skill", "split", "views", "messages", "turns",
    "errors", "labelled", "score", "simulated", "graph", "writer", "model", "seed", "family",
    "facts_hash", "prompts", "review_state",
]  # fmt: skip


@pytest.fixture(scope="module")
def splits(small_export: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        import datasets

        cache = str(tmp_path_factory.mktemp("cache"))
        return datasets.load_dataset(str(small_export), cache_dir=cache)


def test_datasets_finds_the_splits(splits: Any) -> None:
    assert splits.num_rows == {"train": 4, "validation": 1, "test": 2}
    assert splits["train"].column_names == COLUMNS


def test_rows_are_the_dialogues(splits: Any, graph: Graph) -> None:
    first, _, partial, *_ = lifts(graph)
    row = splits["train"][0]
    assert row["action_name"] == "Squat"
    assert row["views"][1] == {"view": "left side", "path": "A16/001/left side.mp4"}
    assert [m["role"] for m in row["messages"]] == ["user", "assistant"] * 4
    assert row["messages"][5]["content"] == first.turn("evaluate").answer
    assert [turn["stage"] for turn in row["turns"]] == [turn.stage for turn in first.turns]
    assert row["score"] == first.facts.score
    assert row["facts_hash"] == first.facts.hash
    assert row["labelled"] is None
    error = {"key_step": "AK44", "error_type": "ET055", "start_s": 0.5, "end_s": 1.25}
    assert splits["train"][2]["errors"] == [error]
    assert splits["train"][2]["labelled"] == list(map(str, partial.facts.labelled or ()))


def test_subjects_of_the_splits_are_disjoint(splits: Any) -> None:
    train, validation, test = (set(splits[name]["subject"]) for name in splits)
    assert not (train & validation | train & test | validation & test)


def test_row_groups_are_bounded(
    graph: Graph, make_run: RunWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_parquet, "ROW_GROUP", 3)
    export(make_run(lifts(graph)[:4]), tmp_path / "out", graph)
    file = pq.ParquetFile(tmp_path / "out" / export_parquet.parquet_file("train"))
    groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert groups == [3, 1]
    assert file.read()["clip"].to_pylist() == [dialogue.clip for dialogue in lifts(graph)[:4]]
