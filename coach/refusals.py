"""A refused upload: one friendly sentence that says what to do (`prompts/coach/refusals.yaml`)."""

import re
import unicodedata
from typing import Any

from flex.problems import InputError, Problem
from flex.templates import PROMPTS, wording

REFUSALS_FILE = PROMPTS / "coach" / "refusals.yaml"
_LONGEST_NAME = 60


class UploadError(InputError):
    """An upload that is not taken.

    Attributes:
        kind: which limit or fault, such as "too_long".
        sentence: what the user is shown; plain text, to be escaped where it is HTML.
    """

    def __init__(self, kind: str, name: str, **values: Any) -> None:
        self.kind = kind
        self.sentence: str = wording("coach/refusals.yaml")[kind].format(name=name, **values)
        super().__init__([Problem(name, self.sentence)])


def shown_name(name: str) -> str:
    """Return a file's name for show: no folders, no control or direction marks, not long.

    Nothing is ever opened by this name.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    # Categories C…: control characters, and marks that turn the reading direction.
    kept = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in last)
    kept = " ".join(kept.split()).strip(". ")
    if len(kept) > _LONGEST_NAME:
        half = _LONGEST_NAME // 2
        kept = f"{kept[: half - 1]}…{kept[-half:]}"
    return kept or "the clip"
