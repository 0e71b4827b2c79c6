"""What the page says: `prompts/coach/page.yaml`."""

from typing import Any

from flex.templates import wording


def words() -> dict[str, Any]:
    """Return all wording of the page."""
    return wording("coach/page.yaml")


def say(sentence: str, /, **values: object) -> str:
    """Return one sentence, filled in; plain text, to be escaped where it is HTML."""
    return str(words()[sentence]).format(**values)


def left_out(reason: str) -> str:
    """Return why one of the answers that are compared is left out."""
    return str(words()["left_out"][reason])
