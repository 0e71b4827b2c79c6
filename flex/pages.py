"""Gradio, which serves the pages of the coach and of the review.

gr = gradio()
"""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flex.problems import InputError, Problem


def gradio() -> Any:
    """Return the module gradio, which takes half as long to import as it does by itself.

    Raises:
        InputError: it, or something that it needs, is not installed.
    """
    try:
        with _without_stubs():
            import gradio as gr
    except ImportError as error:
        message = f"is not installed: pip install -e '.[coach]' ({error})"
        raise InputError([Problem(error.name or "gradio", message)]) from error
    return gr


@contextmanager
def _without_stubs() -> Iterator[None]:
    """Keep gradio from writing type stubs of all its components whenever it is imported.

    That takes half the time of the import and is of use to editors only. Gradio writes none for a
    class without a file, so that its classes have none for as long as it is imported.
    """
    if "gradio" in sys.modules:
        yield
        return
    module: Any = inspect
    getfile = module.getfile

    def no_file(of: Any) -> str:
        if inspect.isclass(of) and of.__module__.startswith("gradio."):
            raise OSError("no stub is to be written")
        found: str = getfile(of)
        return found

    module.getfile = no_file
    try:
        yield
    finally:
        module.getfile = getfile
