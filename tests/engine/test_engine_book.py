"""The driver's book: an item stands in one of its two lists, and a run reads which."""

from pathlib import Path

import pytest

from engine.book import Book
from engine.lists import Done, KeyedList, Quarantined
from engine.one_item import Finished, Refused

DONE = Finished('{"n": 1}', {"a.txt": b"abc"})
REFUSED = Refused("is damaged")


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path, KeyedList(tmp_path / "done.jsonl"), KeyedList(tmp_path / "bad.jsonl"))


def test_a_done_item_leaves_quarantine(book: Book) -> None:
    book.enter("a", "1", REFUSED)
    assert book.state("a", "1") == "quarantined"
    book.enter("a", "1", DONE)
    assert "a" not in book.quarantine
    assert book.state("a", "1") == "done"


def test_a_refused_item_is_done_no_more_and_leaves_no_file(book: Book, tmp_path: Path) -> None:
    book.enter("a", "1", DONE)
    assert (tmp_path / "a.txt").read_bytes() == b"abc"
    book.enter("a", "2", REFUSED)
    assert "a" not in book.done
    assert not (tmp_path / "a.txt").exists()
    assert book.state("a", "2") == "quarantined"


def test_a_driver_killed_between_its_two_entries_leaves_no_item_in_both_lists(book: Book) -> None:
    book.enter("a", "1", DONE)
    book.quarantine.add(Quarantined("a", "1", "is damaged"))
    assert book.state("a", "1") == "done"
    assert "a" not in book.quarantine


def test_both_lists_count_for_their_stamp_only(book: Book) -> None:
    book.enter("a", "1", DONE)
    book.enter("b", "1", REFUSED)
    assert [book.state(key, "2") for key in ("a", "b", "c")] == ["todo"] * 3


def test_a_file_that_was_cut_is_not_done(book: Book, tmp_path: Path) -> None:
    book.enter("a", "1", DONE)
    (tmp_path / "a.txt").write_bytes(b"ab")
    assert book.state("a", "1") == "todo"


def test_of_two_lines_with_one_key_the_later_counts(tmp_path: Path) -> None:
    first = KeyedList(tmp_path / "done.jsonl")
    for stamp in ("1", "2"):
        first.add(Done("a", stamp, {}, None))
    first.add(Done("z", "1", {}, None))
    again = KeyedList(tmp_path / "done.jsonl")
    row = again.get("a")
    assert row is not None
    assert row["stamp"] == "2"
    again.settle(["z", "a"])
    assert (tmp_path / "done.jsonl").read_bytes().count(b"\n") == 2
    assert [KeyedList(tmp_path / "done.jsonl").get(key) for key in "za"] == [
        {"key": "z", "stamp": "1", "files": {}, "result": None},
        row,
    ]
