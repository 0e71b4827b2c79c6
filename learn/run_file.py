"""Reads what a finished run says of itself: `model.json`."""

import json
from pathlib import Path
from typing import Any

from flex.problems import InputError, Problem


def read_run_file(path: Path, needed: set[str], command: str) -> dict[str, Any]:
    """Return the description of a run.

    Args:
        path: `model.json`, which is written last.
        needed: the keys that it must have.
        command: what makes such a run, for messages.

    Raises:
        InputError: no such file, no JSON, or keys that are missing.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"is missing: this is no finished run of `{command}`"
        raise InputError([Problem(str(path), message)]) from error
    except json.JSONDecodeError as error:
        raise InputError([Problem(str(path), f"not valid JSON: {error.msg}")]) from error
    if lacking := sorted(needed - set(found)):
        raise InputError([Problem(str(path), f"lacks {', '.join(lacking)}")])
    return found
