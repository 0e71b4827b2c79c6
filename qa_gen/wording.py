"""Reads the wording under `prompts/`: Jinja2 text, strict about missing values.

    environment().get_template("card/card.md.j2").render(...)
    phrasings("dialogue/train/score.j2")["answer"]      # a list of templates, one per line

A phrasings file has sections; every other line is one phrasing.

    {# comment #}
    [question]
    What score does this {{ action }} deserve?
"""

import functools
from collections.abc import Iterable

import jinja2

from flex.files import hash_text
from flex.problems import InputError, Problem
from flex.templates import PROMPTS, environment

Phrasings = dict[str, list[jinja2.Template]]


@functools.cache
def phrasings(name: str) -> Phrasings:
    """Return the phrasings of a file by section.

    Raises:
        InputError: a phrasing before the first section, or an empty section.
    """
    sections: Phrasings = {}
    path = PROMPTS / name
    current: list[jinja2.Template] | None = None
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("{#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], [])
        elif current is None:
            raise InputError([Problem(f"{path}:{number}", "a phrasing before the first [section]")])
        else:
            current.append(environment().from_string(line))
    empty = [section for section, lines in sections.items() if not lines]
    if empty:
        raise InputError(Problem(str(path), f"section [{section}] is empty") for section in empty)
    return sections


def prompts_hash(names: Iterable[str]) -> str:
    """Return a hash over the text of the named files, for the provenance of what they made."""
    parts = [part for name in sorted(names) for part in (name, (PROMPTS / name).read_text("utf-8"))]
    return hash_text(*parts)
