"""YAML as plain data together with the line of every key and item, for errors that say where."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flex.problems import InputError, Loc, Problem


@dataclass(frozen=True)
class PlacedYaml:
    """Plain data of one YAML file, and the 1-based line where each location starts."""

    path: Path
    data: Any
    lines: dict[Loc, int]

    def place(self, loc: Loc) -> str:
        """Return "file:line" of a location, or of the nearest parent that is in the file."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return f"{self.path}:{self.lines.get(loc, 1)}"


def read_yaml(path: Path) -> PlacedYaml:
    """Read one YAML document.

    Raises:
        InputError: the file cannot be read, is not YAML, or has one key twice in a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(str(path), f"not UTF-8 text: {error.reason}")]) from error
    loader = yaml.CSafeLoader(text)
    try:
        node = loader.get_single_node()
        lines: dict[Loc, int] = {}
        problems: list[Problem] = []
        _note_lines(node, (), lines, problems, path)
        if problems:
            raise InputError(problems)
        data = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or str(error)
        raise InputError([Problem(f"{path}{line}", f"not valid YAML: {why}")]) from error
    finally:
        loader.dispose()
    return PlacedYaml(path, data, lines)


def _note_lines(
    node: yaml.Node | None, loc: Loc, lines: dict[Loc, int], problems: list[Problem], path: Path
) -> None:
    if node is None:
        return
    lines.setdefault(loc, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            child = (*loc, key.value)
            if child in lines:
                place = f"{path}:{key.start_mark.line + 1}"
                problems.append(Problem(place, f"key {key.value!r} is given twice"))
            lines[child] = key.start_mark.line + 1
            _note_lines(value, child, lines, problems, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*loc, index), lines, problems, path)
