"""Which layers LoRA tunes: listed from the model's configuration, then compared with what PEFT did.

A pattern that matches too much (the vision tower) or too little is an error, not a surprise.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from flex.problems import InputError, Problem, nearest
from sft.recipe import Recipe

_LLM = r".*language_model\.layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)"
_VISION = r".*visual\.blocks\.\d+\.(attn\.(qkv|proj)|mlp\.(gate|up|down)_proj)"
_MERGER = r".*visual\.merger\.mlp\.(0|2)"
# Scope → the regular expression that PEFT matches with a module's whole name.
SCOPES = {"llm": _LLM, "llm+vision+merger": rf"(?:{_LLM}|{_VISION}|{_MERGER})"}


def planned_modules(config: Any, scope: str) -> set[str]:
    """Return the names of the linear layers that a scope tunes in a Qwen2.5-VL of this shape.

    Raises:
        InputError: the scope is unknown.
    """
    if scope not in SCOPES:
        known = nearest(scope, SCOPES)
        message = f"unknown scope {scope!r}{known}, expected one of {', '.join(SCOPES)}"
        raise InputError([Problem("scope", message)])
    linear = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"]
    mlp = ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
    names = {
        f"model.language_model.layers.{layer}.{name}"
        for layer in range(config.text_config.num_hidden_layers)
        for name in linear + mlp
    }
    if scope != "llm":
        names |= {
            f"model.visual.blocks.{block}.{name}"
            for block in range(config.vision_config.depth)
            for name in ["attn.qkv", "attn.proj", *mlp]
        }
        names |= {"model.visual.merger.mlp.0", "model.visual.merger.mlp.2"}
    return names


def tuned_modules(model: Any) -> set[str]:
    """Return the names, in the base model, of the layers that carry a LoRA adapter."""
    prefix = "base_model.model."
    return {
        name.removeprefix(prefix)
        for name, module in model.named_modules()
        if hasattr(module, "lora_A") and len(module.lora_A)
    }


def add_lora(model: Any, recipe: Recipe) -> Any:
    """Return the model wrapped by PEFT, with adapters on exactly the layers of the scope.

    Raises:
        InputError: the layers that got an adapter are not those of the scope.
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        use_rslora=recipe.rslora,
        target_modules=SCOPES[recipe.scope],
        task_type="CAUSAL_LM",
    )
    shape = model.config
    tuned = get_peft_model(model, config)  # adapters in 32 bits, whatever the base has
    check_modules(tuned, planned_modules(shape, recipe.scope))
    return tuned


def go_on(model: Any, recipe: Recipe, start: Path) -> Any:
    """Return a model that carries an adapter, ready to tune that further.

    Raises:
        InputError: the adapter is not of the recipe's rank, alpha, dropout or scope.
    """
    found = model.peft_config["default"]
    settings = {
        "rank": (found.r, recipe.rank),
        "alpha": (found.lora_alpha, recipe.alpha),
        "dropout": (found.lora_dropout, recipe.dropout),
        "rslora": (found.use_rslora, recipe.rslora),
    }
    problems = [
        Problem(str(start), f"has {name} {before}, the recipe {now}; give it --set {name}={before}")
        for name, (before, now) in settings.items()
        if before != now
    ]
    if problems:
        raise InputError(problems)
    found.inference_mode = False
    for name, weight in model.named_parameters():
        weight.requires_grad_("lora_" in name)
    check_modules(model, planned_modules(model.get_base_model().config, recipe.scope))
    return model


def trained_weights(model: Any) -> int:
    """Return how many weights of a model are trained."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def check_modules(model: Any, planned: set[str]) -> None:
    """Compare the layers with an adapter, and the trainable weights, with the planned layers.

    Raises:
        InputError: a layer too many or too few, or a trainable weight that is no adapter's.
    """
    tuned = tuned_modules(model)
    problems = [
        Problem(name, "has an adapter that nobody listed") for name in sorted(tuned - planned)
    ]
    problems += [Problem(name, "got no adapter") for name in sorted(planned - tuned)]
    problems += [
        Problem(name, "is trained, and is no adapter's weight")
        for name, weight in model.named_parameters()
        if weight.requires_grad and "lora_" not in name
    ]
    if problems:
        raise InputError(problems)


def describe(model: Any, scope: str) -> str:
    """Return the tuned layers in words, such as "28 language_model.self_attn.q_proj, …"."""
    kinds: Counter[str] = Counter()
    for name in tuned_modules(model):
        parts = [part for part in name.removeprefix("model.").split(".") if not part.isdigit()]
        kinds[".".join(part for part in parts if part not in ("layers", "blocks"))] += 1
    weights = sum(p.numel() for p in model.parameters())
    trained = trained_weights(model)
    listed = ", ".join(f"{count} × {name}" for name, count in sorted(kinds.items()))
    share = 100 * trained / weights
    return (
        f"LoRA on {scope}: {listed}; {trained:,} of {weights:,} weights are trained ({share:.2f} %)"
    )


class Movement:
    """Proves that every LoRA matrix moves: A has no gradient before B moved, so both by step 2."""

    def __init__(self, model: Any) -> None:
        self._before = {name: weight.detach().clone() for name, weight in _adapters(model)}

    def still(self, model: Any) -> list[str]:
        """Return the names of the LoRA matrices that are what they were."""
        return [
            name
            for name, weight in _adapters(model)
            if weight.numel() and bool((weight.detach() == self._before[name]).all())
        ]


def _adapters(model: Any) -> list[tuple[str, Any]]:
    """Return the LoRA matrices by name; of a sharded one, this rank's part."""
    return [
        (name, weight.to_local() if hasattr(weight, "to_local") else weight)
        for name, weight in model.named_parameters()
        if "lora_" in name
    ]
