"""Which program serves a model: vLLM, `transformers serve`, or something else.

    find_server("http://localhost:8000/v1", "none")     # Server("vllm", (0, 33, 0))

They take frames in different ways, or not at all.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

_TIMEOUT_S = 10.0
# A path that only `transformers serve` has.
_TRANSFORMERS_PATH = "/load_model"


@dataclass(frozen=True)
class Server:
    """What a server is.

    Attributes:
        kind: "other" where it does not show, "absent" where nobody answers.
        version: as numbers, empty if it is not told.
    """

    kind: Literal["vllm", "transformers", "other", "absent"]
    version: tuple[int, ...] = ()


def find_server(base_url: str, api_key: str) -> Server:
    """Ask a server what it is.

    Args:
        base_url: up to and with `/v1`.
        api_key: sent along.
    """
    root = base_url.rstrip("/").removesuffix("/v1")
    told = _get(f"{base_url.rstrip('/')}/models", api_key)
    if told is None:
        return Server("absent")
    models = told.get("data")
    owners = {one.get("owned_by") for one in models} if isinstance(models, list) else set()
    if "vllm" in owners:
        version = (_get(f"{root}/version", api_key) or {}).get("version", "")
        numbers = re.match(r"\d+(\.\d+)*", str(version))
        return Server("vllm", tuple(map(int, numbers[0].split("."))) if numbers else ())
    if _TRANSFORMERS_PATH in (_get(f"{root}/openapi.json", api_key) or {}).get("paths", {}):
        return Server("transformers")
    return Server("other")


def _get(address: str, api_key: str) -> dict[str, Any] | None:
    """Return what lies at an address, empty unless a JSON object; `None` if nobody answers."""
    import httpx

    try:
        with httpx.Client(timeout=_TIMEOUT_S) as client:
            answer = client.get(address, headers={"authorization": f"Bearer {api_key}"})
        found = answer.json() if answer.is_success else {}
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
