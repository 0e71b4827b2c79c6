"""A model with the adapter's weights added in, kept only if its logits are the adapter's.

Three models answer one probe: base, adapter, and the merged one read back from disk. Adapter and
merged must agree, and both must differ from the base, or the adapter was never applied.

Weights keep the precision that the base is stored in. `generation_config.json` names the tokens
that end an answer and nothing else, so that answers are greedy and nothing is penalised, as in
evaluation: Qwen's own file asks for a penalty on repeated words, which servers apply unasked.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flex.problems import InputError, Problem
from flex.video import Frames, Sampler
from vlm.card import read_card
from vlm.chat import encode_prompt
from vlm.checkpoint_check import stored_dtype
from vlm.collate import Collator
from vlm.model import Coach, load_coach
from vlm.weights import find_model

# Largest difference of a logit, as a share of the largest logit: rounding of the merged weights.
TOLERANCE = {"float32": 1e-4, "bfloat16": 5e-2}
_QUESTION = "What went wrong in this repetition, and how can it be fixed?"


@dataclass(frozen=True)
class Parity:
    """Largest logit differences, as shares of the largest logit."""

    merged: float
    base: float
    tolerance: float
    folder: Path

    @property
    def holds(self) -> bool:
        """Whether merged and adapter agree, and the adapter does something."""
        return self.merged <= self.tolerance and self.base > self.merged

    @property
    def text(self) -> str:
        """The result in words."""
        return (
            f"logits of adapter and merged model differ by at most {self.merged:.1e} "
            f"(allowed {self.tolerance:.0e}), of adapter and base by {self.base:.1e}"
        )


def merge(adapter: Path, out: Path, model: str | None = None, dtype: str = "auto") -> Parity:
    """Write base and adapter as one model into `out`, with processor and sampler.

    Args:
        adapter: folder of a PEFT adapter.
        out: folder to write; it appears only if the parity holds.
        model: the base; else the one that the adapter names.
        dtype: precision of the weights; "auto" is that of the base.

    Raises:
        InputError: `out` exists, the adapter does not fit the base, or the parity fails.
    """
    import torch

    if out.exists():
        raise InputError([Problem(str(out), "exists already; name a new folder")])
    model = model or _base_of(adapter)
    kept = stored_dtype(find_model(model)) if dtype == "auto" else dtype
    # A CPU computes in 32 bits, which half of them are rounded from at the end.
    computed = kept if torch.cuda.is_available() else "float32"
    coach = load_coach(model, adapter, dtype=computed)
    before = read_card(adapter)
    card = coach.card(before.data if before else "").model_copy(update={"base": ""})
    tuned = probe_logits(coach)
    with coach.model.disable_adapter():
        base = probe_logits(coach)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as name:
        folder = Path(name) / out.name
        coach.model = coach.model.merge_and_unload().to(getattr(torch, kept))
        coach.model.save_pretrained(folder, safe_serialization=True)
        coach.processor.save_pretrained(folder)
        card.write(folder)
        device = str(coach.device)
        del coach  # two models at a time may not fit
        again = load_coach(folder, dtype=computed, device=device)
        parity = Parity(
            merged=_difference(tuned, probe_logits(again)),
            base=_difference(tuned, base),
            tolerance=TOLERANCE.get(kept, TOLERANCE["bfloat16"]),
            folder=out,
        )
        if not parity.holds:
            raise InputError([Problem(str(adapter), f"is not merged: {parity.text}")])
        shutil.move(folder, out)
    return parity


def probe_logits(coach: Coach) -> Any:
    """Return the logits of a fixed question about a fixed noise video: (tokens, vocabulary)."""
    import torch

    encoded = encode_prompt(
        coach.processor, [_noise(coach.sampler)], [{"role": "user", "content": _QUESTION}]
    )
    batch = Collator.of(coach.processor)([encoded])
    inputs = {name: value.to(coach.device) for name, value in batch.items()}
    for name in ("labels", "stage_ids"):
        inputs.pop(name)
    with torch.no_grad():
        return coach.model(**inputs, use_cache=False).logits[0].float().cpu()


def _noise(sampler: Sampler) -> Frames:
    shape = (sampler.frames, 56, 56, 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return Frames(pixels, tuple(range(sampler.frames)), 8.0, sampler.frames)


def _difference(left: Any, right: Any) -> float:
    return float((left - right).abs().max() / left.abs().max())


def _base_of(adapter: Path) -> str:
    path = adapter / "adapter_config.json"
    if not path.is_file():
        message = "holds no adapter_config.json, so it is no adapter"
        raise InputError([Problem(str(adapter), message)])
    settings = json.loads(path.read_text("utf-8"))
    return str(settings["base_model_name_or_path"])
