"""Gradio as the pages get it: whole, without writing stubs, and an error if it is not there."""

import os
import subprocess
import sys

import pytest

from flex.pages import gradio
from flex.problems import InputError

IMPORT = """
import inspect, sys
from importlib.util import find_spec
from pathlib import Path

place = Path(find_spec("gradio").origin).parent
written = []
def watch(event, details):
    if event == "open" and str(details[0]).startswith(str(place)):
        written.extend(name for name in details[:1] if str(name).endswith(".pyi"))
sys.addaudithook(watch)
from flex.pages import gradio

before = inspect.getfile
gr = gradio()
assert gr is gradio() and gr.Blocks and inspect.getfile is before
assert inspect.getfile(gr.Video).endswith("video.py")
print(len(written))
"""


def test_no_stub_is_read_or_written() -> None:
    quiet = os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, env=quiet, check=False
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(InputError, match=r"gradio: is not installed: pip install -e '.\[coach\]'"):
        gradio()
