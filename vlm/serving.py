"""How an adapter is served by vLLM, so that the model sees there what it saw in training.

    print(serve_command(read_card(adapter), adapter, "Qwen/Qwen2.5-VL-3B-Instruct"))

What the command cannot say, such as when each frame was taken, goes with each request
(`vlm.endpoint`).
"""

import json
import shlex
from pathlib import Path

from flex.templates import render
from vlm.card import CoachCard

# The first one that gives Qwen2.5-VL the times of the frames that a request brings (its pull
# request 47736); the one that a request and the command were last read against.
LEAST_VLLM = (0, 31, 0)
READ_VLLM = (0, 33, 0)
# vLLM takes no other rank as its highest.
_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


def serve_command(card: CoachCard, adapter: Path, base: str) -> str:
    """Return the command that serves an adapter and its base with vLLM.

    Args:
        card: what the adapter has learnt from.
        adapter: PEFT folder, with its `adapter_config.json`.
        base: hub id or folder.
    """
    settings = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    return render(
        "sft/serve.j2",
        base=shlex.quote(base),
        name=shlex.quote(adapter.name),
        folder=shlex.quote(str(adapter)),
        rank=next((rank for rank in _RANKS if rank >= settings["r"]), settings["r"]),
        towers="visual" in str(settings.get("target_modules")),
        overrides=overrides(card),
    ).strip()


def overrides(card: CoachCard) -> str:
    """Return `--hf-overrides` for positions other than the base's; empty where they are the same.

    A card that does not know the base's names them all the same, which does no harm.
    """
    rate = card.tokens_per_second
    if rate is None or rate == card.base_tokens_per_second:
        return ""
    changed = {"vision_config": {"tokens_per_second": rate}}
    return f"--hf-overrides {shlex.quote(json.dumps(changed))}"


def version_text(version: tuple[int, ...]) -> str:
    """Return 0.31.0 for (0, 31, 0)."""
    return ".".join(map(str, version))
