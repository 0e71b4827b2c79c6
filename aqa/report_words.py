"""What the reports call things, and their pages filled in: prompts/aqa."""

from collections.abc import Mapping
from typing import Any

from flex import templates
from flex.templates import wording


def words() -> dict[str, Any]:
    """Return which measures are shown, in which order, and how all is called."""
    return wording("aqa/figures.yaml")


def order() -> list[str]:
    """Return the known variants in the order of the table: the paper's, ours, baselines."""
    return list(words()["variants"])


def label_of(variant: str) -> str:
    """Return the name of a variant for people; its own name where we have none."""
    return str(words()["variants"].get(variant, variant))


def render(name: str, content: Mapping[str, Any]) -> str:
    """Return prompts/aqa/NAME filled in; what it asks for must be there."""
    return templates.render(f"aqa/{name}", **content)
