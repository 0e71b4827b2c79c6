"""Numbers as JSON can hold them."""

import math
from typing import Any


def without_nan(value: Any) -> Any:
    """Return dicts, lists and numbers with None where a number is not finite."""
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
