"""How the coach's page is served, as data: what `python -m coach demo` is told."""

from dataclasses import dataclass, field
from pathlib import Path

from coach.feedback import FEEDBACK_FILE
from coach.limits import Limits
from flex.graph_file import GRAPH_FILE
from vlm.dialogues import MAX_NEW_TOKENS

LOG_FILE = Path("runs/coach/log.jsonl")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the page is served with; `python -m coach demo --help` says what each is."""

    model: str | None = None
    adapter: Path | None = None
    endpoint: str | None = None
    base_endpoint_model: str | None = None
    emg: Path | None = None
    data: Path = Path("data/flex-sim")
    dialogues: Path = Path("runs/qa/dialogues.jsonl")
    graph_file: Path = GRAPH_FILE
    host: str = "127.0.0.1"
    port: int = 7860
    auth_file: Path | None = None
    feedback: Path = FEEDBACK_FILE
    log: Path = LOG_FILE
    limits: Limits = field(default_factory=Limits)
    waiting: int = 40
    max_new_tokens: int = MAX_NEW_TOKENS
