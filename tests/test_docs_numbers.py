"""Every figure of docs/numbers.md has a command that can be given, data and a date."""

import importlib
import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import typer

from benchmarks.__main__ import BENCHMARKS

ROOT = Path(__file__).parent.parent
NUMBERS = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
COLUMNS = ["what", "command", "data", "date", "result"]
DATE = r"20\d\d-[01]\d-[0-3]\d"


def tables(text: str) -> list[list[str]]:
    """Return the cells of every table line but the rulers."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if set("".join(row)) != {"-"}]


def commands_in(text: str) -> list[str]:
    cells = "\n".join("\n".join(row) for row in tables(text))
    return sorted(set(re.findall(r"`((?:make|python -m) [^`]+)`", cells)))


def parse(command: str) -> None:
    """Parse a command as its own command line would, without running it."""
    words = shlex.split(command)
    if words[0] == "make":
        targets = [word for word in words[1:] if "=" not in word]
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert targets
        assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
        return
    name, arguments = words[2], words[3:]
    found = importlib.util.find_spec(name)
    assert found is not None
    package = bool(found.submodule_search_locations)
    app = importlib.import_module(f"{name}.__main__" if package else name).app
    typer.main.get_command(app).main(arguments, prog_name=name, standalone_mode=False)
    if name == "benchmarks":
        assert set(arguments[1::2]) <= set(BENCHMARKS)


def test_every_row_has_command_data_and_date() -> None:
    rows = [row for row in tables(NUMBERS) if row != COLUMNS]
    assert len(rows) > 30
    for row in rows:
        what, command, data, date, result = row
        assert what
        assert data
        assert result
        assert commands_in(f"| {command} |"), what
        assert re.match(DATE, date), what


def test_the_readme_dates_what_was_seen() -> None:
    header, *rows = tables(README)
    assert header[2] == "when"
    for where, seen, when, command in rows:
        assert re.match(DATE, when) or ("Not yet" in seen and when == "–"), where
        assert commands_in(f"| {command} |"), where


@pytest.mark.parametrize("command", commands_in(NUMBERS + README))
def test_commands_can_be_given(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, object]] = []
    monkeypatch.setattr(
        typer.core.TyperCommand, "invoke", lambda _, context: given.append(context.params)
    )
    parse(command)
    assert given or command.startswith("make ")
