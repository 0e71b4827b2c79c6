"""The page's log: a line for people on the console, and one of JSON in a file.

No question, answer or name of a clip is written, only how long they took.
"""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.markup import escape

from flex.cli import err


class Log:
    """Appends to a file; safe for any number of threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._one = path, threading.Lock()

    def answer(self, **fields: Any) -> None:
        """Write that an answer ended: `first_s` and `seconds` since it was asked for."""
        first, seconds = fields["first_s"], fields["seconds"]
        came = "no token" if first is None else f"first token after {first:.2f} s"
        err.print(
            f"answer: {escape(fields['model'] or 'nobody')}, {fields['stage'] or 'free question'}, "
            f"turn {fields['turn']}, {fields['state']}, {came}, {seconds:.2f} s in all; "
            f"clips decoded since start: {fields['decoded']}"
        )
        self._write("answer", fields)

    def event(self, name: str, **fields: Any) -> None:
        """Write anything else."""
        self._write(name, fields)

    def failure(self, mark: str) -> None:
        """Write the exception that is handled, under the mark that the visitor was given."""
        err.print(f"[red]failed[/], mark {mark}")
        err.print_exception()
        self._write("failure", {"mark": mark})

    def _write(self, event: str, fields: dict[str, Any]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in fields.items()}
        line = json.dumps({"time": now, "event": event, **rounded}) + "\n"
        with self._one, self._path.open("a", encoding="utf-8") as file:
            file.write(line)
