"""What the page says: `prompts/coach/page.yaml`."""

import functools
from typing import Any

import yaml

from flex.templates import PROMPTS

WORDS_FILE = PROMPTS / "coach" / "page.yaml"


@functools.cache
def words() -> dict[str, Any]:
    """Return all wording of the page."""
    found: dict[str, Any] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return found


def say(sentence: str, /, **values: object) -> str:
    """Return one sentence, filled in; plain text, to be escaped where it is HTML."""
    return str(words()[sentence]).format(**values)


def left_out(reason: str) -> str:
    """Return why one of the answers that are compared is left out."""
    return str(words()["left_out"][reason])
