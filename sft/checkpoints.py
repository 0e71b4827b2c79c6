"""Finding the last complete checkpoint: one is complete only once its marker lies in it.

A run killed while it saves leaves a folder without a marker; that folder is passed over, and the
one before it is taken. The log is cut back to the same step, so that it never tells a step twice.
"""

import json
import re
from pathlib import Path

from flex.files import write_text

MARKER = "complete.json"
_NAME = re.compile(r"checkpoint-(\d+)")


def mark_complete(checkpoint: Path) -> None:
    """Write the marker, naming each file of the checkpoint with its size in bytes."""
    sizes = {path.name: path.stat().st_size for path in sorted(checkpoint.iterdir())}
    write_text(checkpoint / MARKER, json.dumps(sizes, indent=1) + "\n")


def is_complete(checkpoint: Path) -> bool:
    """Tell whether a checkpoint has its marker and every file that it names, in full."""
    marker = checkpoint / MARKER
    if not marker.is_file():
        return False
    sizes = json.loads(marker.read_text(encoding="utf-8"))
    return all(
        (checkpoint / name).exists()
        and ((checkpoint / name).is_dir() or (checkpoint / name).stat().st_size == size)
        for name, size in sizes.items()
    )


def step_of(checkpoint: Path) -> int:
    """Return the optimizer step after which a checkpoint was saved."""
    found = _NAME.fullmatch(checkpoint.name)
    assert found, checkpoint
    return int(found[1])


def last_complete(folder: Path) -> Path | None:
    """Return the complete checkpoint with the most steps, or None."""
    if not folder.is_dir():
        return None
    named = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    return max((path for path in named if is_complete(path)), key=step_of, default=None)


def cut_log(path: Path, step: int) -> None:
    """Drop the lines of a JSON Lines log that were written after `step`, and a torn last line."""
    if not path.is_file():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if row["step"] <= step:
            kept.append(line + "\n")
    write_text(path, "".join(kept))
