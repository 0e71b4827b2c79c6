"""What the page says, from `prompts/review/page/`."""

import functools
from pathlib import Path
from typing import Any

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict

from flex.templates import PROMPTS, environment, wording
from review.words import words

FOLDER = "review/page"


class PageWords(BaseModel):
    """Words of the page.

    Attributes:
        title: of the browser's tab.
        tabs: their names.
        says: what the desk and the server say when something happens.
        keys: key → what it does, in the order of the help.
        roles: what each role does.
        form: the form that adds people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    tabs: dict[str, str]
    says: dict[str, str]
    keys: dict[str, str]
    roles: dict[str, str]
    form: dict[str, str]


@functools.cache
def page_words() -> PageWords:
    """Return the words."""
    return PageWords.model_validate(wording(f"{FOLDER}/words.yaml"))


def filled(name: str, **values: Any) -> str:
    """Return a template of the page; values in HTML are escaped."""
    template = environment().get_template(f"{FOLDER}/{name}")
    return template.render(page=page_words(), words=words(), **values)


def style(name: str) -> Markup:
    """Return a style sheet of ours as it is."""
    return Markup((PROMPTS / Path(FOLDER) / name).read_text(encoding="utf-8"))
