"""Trains the base for a given time, with helpers that are thrown away: pose, action, errors."""

import json
import math
import time
from pathlib import Path
from typing import Any

from flex import cli
from flex.files import write_text
from flex.graph_file import load_graph
from pretrain.batches import Teacher, batches, prefetch
from pretrain.notes import corpus
from vlm.tiny import build_model, build_processor
from vlm.vision_attention import join_equal_chunks

_WARM = 200
_CLIP = 1.0
_POSE, _ERRORS, _ACTION = 4.0, 1.0, 0.5  # how much the helpers' losses count


def train(
    films: Path,
    out: Path,
    *,
    minutes: float,
    look: float = 0.4,
    clips: int = 16,
    pages: int = 2,
    rate: float = 1.2e-3,
    seed: int = 0,
    start: Path | None = None,
) -> None:
    """Train from random weights, or from `start`, and write model, processor and log to `out`.

    For the first share `look` of the time the eyes learn alone, from pose and errors.
    """
    import torch

    graph = load_graph()
    torch.manual_seed(seed)
    words = Path(__file__).parent.parent / "prompts" / "dialogue"
    processor = build_processor(
        [*corpus(graph), *(p.read_text("utf-8") for p in sorted(words.rglob("*.j2")))]
    )
    model = build_model(processor.tokenizer, seed=seed)
    teacher = Teacher(graph, processor.tokenizer, films, seed + int(time.time()) % 1000)
    heads = build_heads(
        model.config.text_config.hidden_size, len(teacher.occurrences), len(graph.actions)
    )
    if start:
        from safetensors.torch import load_file

        model.load_state_dict(load_file(start / "model.safetensors"), strict=False)
        model.tie_weights()
        heads.load_state_dict(load_file(start / "heads.safetensors"), strict=False)
    parameters = [*model.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.05)
    began, step, seen = time.monotonic(), 0, 0
    sums: dict[str, float] = {}
    log = out / "log.jsonl"
    out.mkdir(parents=True, exist_ok=True)
    join_equal_chunks(model)
    model.train()
    upcoming = prefetch(batches(teacher, clips, pages))
    while (passed := (time.monotonic() - began) / 60) < minutes:
        factor = min(1, (step + 1) / _WARM) * (0.02 + 0.98 * _cosine(passed / minutes))
        for group in optimiser.param_groups:
            group["lr"] = rate * factor
        losses = step_losses(model, heads, next(upcoming), speak=passed >= look * minutes)
        optimiser.zero_grad(set_to_none=True)
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(parameters, _CLIP)
        optimiser.step()
        step, seen = step + 1, seen + clips
        for name, loss in losses.items():
            sums[name] = sums.get(name, 0.0) + float(loss.detach())
        if step % 50 == 0:
            line = {"step": step, "clips": seen, "minutes": round(passed, 2)}
            line |= {name: round(value / 50, 4) for name, value in sums.items()}
            sums = {}
            with log.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
            cli.err.print(line)
        if step % 250 == 0:
            save(model, processor, heads, out)
    save(model, processor, heads, out)
    write_text(out / "run.json", json.dumps({"minutes": minutes, "steps": step, "clips": seen}))


def build_heads(hidden: int, errors: int, actions: int) -> Any:
    """Return the helpers.

    From the features of each step of time (B, 8, 16 × hidden) to the pose, and on to the errors;
    from the mean of all features (B, hidden), which the language model reads most easily, to the
    action and the errors.
    """
    from torch import nn

    return nn.ModuleDict(
        {
            "look": nn.Sequential(nn.Linear(16 * hidden, 256), nn.GELU()),
            "pose": nn.Linear(256, 63),
            "errors": nn.Sequential(
                nn.Flatten(1), nn.Linear(8 * 256, 512), nn.GELU(), nn.Linear(512, errors)
            ),
            "action": nn.Linear(hidden, actions),
            "gist": nn.Sequential(nn.Linear(hidden, 512), nn.GELU(), nn.Linear(512, errors)),
        }
    )


def step_losses(model: Any, heads: Any, batch: Any, *, speak: bool) -> dict[str, Any]:
    """Return the losses of a batch: pose and errors, and of the text if the model is to speak."""
    import torch
    from torch.nn import functional

    inputs, losses = dict(batch.inputs), {}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        seen = model.model.get_video_features(
            inputs.pop("pixel_values_videos"), inputs["video_grid_thw"]
        )
        features = torch.stack(list(seen.pooler_output))
        look = heads["look"](features.reshape(*batch.poses.shape[:2], -1))
        pose, errors = heads["pose"](look).float(), heads["errors"](look).float()
        mean = features.mean(dim=1)
        action, gist = heads["action"](mean).float(), heads["gist"](mean).float()
        if speak:
            losses["text"] = _text_loss(model, inputs, features, batch.weights)
    return losses | {
        "pose": _POSE * functional.smooth_l1_loss(pose.reshape(batch.poses.shape), batch.poses),
        "action": _ACTION * functional.cross_entropy(action, batch.actions),
        "errors": _ERRORS * _wrong(errors, batch),
        "gist": _ERRORS * _wrong(gist, batch),
    }


def _wrong(logits: Any, batch: Any) -> Any:
    """Return the mean loss over the errors that each clip's action can have."""
    from torch.nn.functional import binary_cross_entropy_with_logits

    loss = binary_cross_entropy_with_logits(logits, batch.errors, reduction="none")
    return (loss * batch.known).sum() / batch.known.sum()


def _text_loss(model: Any, inputs: dict[str, Any], features: Any, weights: Any) -> Any:
    """Return the weighted mean loss of the answers, given features of videos (B, 128, hidden)."""
    from torch.nn.functional import cross_entropy

    embedded = model.get_input_embeddings()(inputs["input_ids"])
    places = (inputs["mm_token_type_ids"] == 2).unsqueeze(-1).expand_as(embedded)
    embedded = embedded.masked_scatter(places, features.to(embedded.dtype))
    times = {name: inputs[name] for name in ("video_grid_thw", "second_per_grid_ts")}
    positions, _ = model.model.get_rope_index(
        inputs["input_ids"],
        inputs["mm_token_type_ids"],
        attention_mask=inputs["attention_mask"],
        **times,
    )
    logits = model(
        inputs_embeds=embedded,
        attention_mask=inputs["attention_mask"],
        position_ids=positions,
        use_cache=False,
    ).logits[:, :-1]
    learnt = weights[:, 1:] > 0
    loss = cross_entropy(
        logits[learnt].float(), inputs["input_ids"][:, 1:][learnt], reduction="none"
    )
    return (loss * weights[:, 1:][learnt]).sum() / weights.sum()


def save(model: Any, processor: Any, heads: Any, out: Path) -> None:
    """Write weights, processor and the helpers."""
    from safetensors.torch import save_file

    model.save_pretrained(out)
    processor.save_pretrained(out)
    save_file(heads.state_dict(), out / "heads.safetensors")


def _cosine(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(done, 1)))
