"""The Croissant description validates, and reads back the dialogues."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from flex.files import hash_file
from qa_gen.export_croissant import COLUMNS
from qa_gen.export_parquet import SCHEMA


@pytest.fixture(scope="module")
def dataset(small_export: Path) -> Any:
    import mlcroissant

    return mlcroissant.Dataset(str(small_export / "croissant.json"))


def test_every_column_is_described() -> None:
    assert list(COLUMNS) == SCHEMA.names


def test_it_validates_without_errors(dataset: Any) -> None:
    assert not dataset.metadata.ctx.issues.errors


def test_it_names_the_files_with_their_hashes(small_export: Path) -> None:
    text = json.loads((small_export / "croissant.json").read_text())
    assert text["license"] == "https://creativecommons.org/licenses/by-nc/4.0/"
    assert "2506.03198" in text["citeAs"]
    for file in text["distribution"]:
        assert file["sha256"] == hash_file(small_export / file["contentUrl"])


def test_it_holds_no_date(small_export: Path) -> None:
    assert "date" not in (small_export / "croissant.json").read_text()


def test_records_are_the_rows(dataset: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        counts = {
            name: len(list(dataset.records(name))) for name in ("train", "validation", "test")
        }
    assert counts == {"train": 4, "validation": 1, "test": 2}
    record = next(iter(dataset.records("train")))
    assert record["train/clip"] == b"A16/001"
    assert len(record["train/messages"]) == 8
    assert record["train/messages"][0]["train/messages/role"] in ("user", b"user")
    assert len(record["train/errors"]) == 2
    assert record["train/score"] < 100
