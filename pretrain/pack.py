"""Writes the base as it is shipped: bfloat16 weights, the processor, and a card."""

import json
import shutil
from pathlib import Path

from flex.files import write_text
from flex.problems import InputError, Problem
from flex.templates import render
from pretrain.run import FACTS

_HELPERS = {
    "helpers.safetensors",
    "readers.safetensors",
    "model.safetensors",
    "log.jsonl",
    FACTS,
}


def pack(run: Path, out: Path) -> None:
    """Copy what `speak` wrote, without the helpers and in half the bytes.

    Raises:
        InputError: the run has not finished, or its model is not whole.
    """
    path, facts = run / FACTS, {"gists": 0, "lessons": 0}
    if path.exists():
        facts |= json.loads(path.read_text("utf-8"))
    if "talks" not in facts:
        problem = "holds no finished run; expected run.json of `python -m pretrain speak` in it"
        raise InputError([Problem(str(run), problem)])
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    from vlm.checkpoint_check import check_checkpoint

    check_checkpoint(run)
    out.mkdir(parents=True, exist_ok=True)
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(run, dtype=torch.bfloat16)
    model.save_pretrained(out)
    for path in run.iterdir():
        if path.name not in _HELPERS | {"config.json", "generation_config.json"}:
            shutil.copy(path, out / path.name)
    _forget_origin(out / "tokenizer_config.json")
    weights = sum(weight.numel() for weight in model.parameters())
    write_text(out / "README.md", render("base/card.md.j2", **facts, weights=weights))


def _forget_origin(tokenizer: Path) -> None:
    """Drop what the tokenizer's file says of where it was loaded from on this machine."""
    config = json.loads(tokenizer.read_text("utf-8"))
    kept = {k: v for k, v in config.items() if k not in ("is_local", "local_files_only")}
    write_text(tokenizer, json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
