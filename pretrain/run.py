"""The folder of a run: the base, the helpers that are thrown away later, and what was done."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flex.files import write_text
from flex.problems import InputError, Problem

FACTS = "run.json"


def load_base(run: Path) -> tuple[Any, Any]:
    """Return processor and model of a run.

    Raises:
        InputError: the run has no finished eyes, or its model is not whole.
    """
    if not (run / FACTS).exists():
        problem = "holds no trained eyes; expected run.json of `python -m pretrain look` in it"
        raise InputError([Problem(str(run), problem)])
    import torch
    from transformers import AutoProcessor, Qwen2_5_VLForConditionalGeneration

    from vlm.checkpoint_check import check_checkpoint

    check_checkpoint(run)
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(run, dtype=torch.float32)
    return AutoProcessor.from_pretrained(run), model


def load_helpers(run: Path, **helpers: Any) -> None:
    """Load helpers' weights, each from the file of its name.

    Raises:
        InputError: the run lacks one.
    """
    from safetensors.torch import load_file

    for name, module in helpers.items():
        weights = run / f"{name}.safetensors"
        if not weights.exists():
            problem = "is missing; expected what `python -m pretrain look` and `speak` write"
            raise InputError([Problem(str(weights), problem)])
        module.load_state_dict(load_file(weights))


def saver(out: Path, processor: Any, model: Any, **helpers: Any) -> Callable[[], None]:
    """Return what writes the base and its helpers to `out`, which is made."""
    out.mkdir(parents=True, exist_ok=True)

    def save() -> None:
        from safetensors.torch import save_file

        model.save_pretrained(out)
        processor.save_pretrained(out)
        for name, module in helpers.items():
            save_file(module.state_dict(), out / f"{name}.safetensors")

    return save


def add_run(out: Path, start: Path | None, facts: dict[str, float]) -> None:
    """Write `run.json`: the facts, added to those of the run that this one goes on from."""
    before = start / FACTS if start else None
    sums = json.loads(before.read_text("utf-8")) if before and before.exists() else {}
    sums |= {name: sums.get(name, 0) + value for name, value in facts.items()}
    write_text(out / FACTS, json.dumps(sums))
