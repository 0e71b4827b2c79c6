"""What the reports call things, and their pages filled in: prompts/aqa."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROMPTS = Path(__file__).resolve().parent.parent / "prompts"


@functools.cache
def words() -> dict[str, Any]:
    """Return which measures are shown, in which order, and how all is called."""
    text = (PROMPTS / "aqa" / "figures.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def order() -> list[str]:
    """Return the known variants in the order of the table: the paper's, ours, baselines."""
    return list(words()["variants"])


def label_of(variant: str) -> str:
    """Return the name of a variant for people; its own name where we have none."""
    return str(words()["variants"].get(variant, variant))


def render(name: str, content: Mapping[str, Any]) -> str:
    """Return prompts/aqa/NAME filled in; what it asks for must be there."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PROMPTS),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=jinja2.select_autoescape(["html", "html.j2"]),
    )
    return environment.get_template(f"aqa/{name}").render(content)
