"""Reads `prompts/`, where all wording lies: templates, and lists of words in YAML."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

PROMPTS = Path(__file__).resolve().parent.parent / "prompts"


@functools.cache
def environment() -> "jinja2.Environment":
    """Return the environment over `prompts/`; HTML is escaped, a missing value is an error.

    The filters `sentence` and `clause` set the case of a text's first letter.
    """
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PROMPTS),
        autoescape=jinja2.select_autoescape(
            ["html", "html.j2"], default=False, default_for_string=False
        ),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    found.filters["clause"] = lambda text: text[:1].lower() + text[1:]
    return found


@functools.cache
def wording(name: str) -> dict[str, Any]:
    """Return prompts/NAME, a mapping in YAML, read once; not to be changed."""
    import yaml

    content: dict[str, Any] = yaml.safe_load((PROMPTS / name).read_text(encoding="utf-8"))
    return content


def render(name: str, /, **values: Any) -> str:
    """Return the template prompts/NAME, filled in; what it asks for must be there."""
    return environment().get_template(name).render(values)
