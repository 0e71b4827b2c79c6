"""Bad input, told whole: every problem at once, each with its place.

A loader collects `Problem`s while it reads and raises one `InputError` at the end, so that a user
mends a file in one go instead of meeting its faults one by one.
"""

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from pydantic import ValidationError

Loc = tuple[int | str, ...]


class Problem(NamedTuple):
    """One thing that is wrong: where it is, and what was found against what was expected."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class InputError(ValueError):
    """Input from outside that cannot be used; carries every `Problem` that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean X?)" for the known word nearest to `word`, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def problems_of(
    error: ValidationError,
    place: Callable[[Loc], str],
    known_keys: Sequence[str] = (),
) -> list[Problem]:
    """Turn a pydantic error into problems; `place` names where a field location lies in the file.

    Args:
        error: what pydantic raised.
        place: maps a location such as ("error_types", "ET001", "weight") to text for people.
        known_keys: names that an unknown key is compared with to suggest the one meant.
    """
    found = []
    for item in error.errors(include_url=False):
        loc = item["loc"]
        if item["type"] == "extra_forbidden":
            message = f"unknown key {loc[-1]!r}{nearest(str(loc[-1]), known_keys)}"
        elif item["type"] == "missing":
            message = f"{loc[-1]!r} is missing"
        else:
            field = ".".join(str(part) for part in loc)
            shown = repr(item["input"])
            shown = shown if len(shown) <= 80 else shown[:77] + "..."
            message = f"{field}: {item['msg']}, found {shown}"
        found.append(Problem(place(loc), message))
    return found
