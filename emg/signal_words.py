"""What `python -m emg signal` says: prompts/emg/signal.yaml."""

from typing import Any

from flex.templates import wording


def words() -> dict[str, Any]:
    """Return all wording of the command and its figure."""
    return wording("emg/signal.yaml")
