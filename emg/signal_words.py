"""What `python -m emg signal` says: prompts/emg/signal.yaml."""

import functools
from pathlib import Path
from typing import Any

import yaml

WORDS_FILE = Path(__file__).resolve().parent.parent / "prompts" / "emg" / "signal.yaml"


@functools.cache
def words() -> dict[str, Any]:
    """Return all wording of the command and its figure."""
    found: dict[str, Any] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return found
