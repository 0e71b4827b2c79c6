"""Tunes the tiny coach on two gloo ranks, its layers sharded as FSDP2 shards them on GPUs.

torchrun --nproc_per_node 2 fsdp_ranks.py BASE OUT: the same batches on both ranks, so that the
result is that of one process. OUT gets the adapters, and the precisions as metadata.
"""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import yaml
from torch.nn.functional import cross_entropy

from sft.lora import add_lora
from sft.precision import autocast, leave_casts_to_autocast, shard_policy
from sft.recipe import Recipe
from vlm.model import load_coach

STEPS = 60


def tuned(
    base: Path, dtype: str, *, shard: bool = False, adapters: str = "float32", steps: int = STEPS
) -> Any:
    """Return the model after some steps of AdamW on fixed tokens, and the optimizer."""
    recipe = Recipe(model=str(base), device="cpu", dtype=dtype, rank=4, alpha=8, lr=1e-4)
    model = load_coach(base, dtype=dtype, device="cpu").model
    model.requires_grad_(False)
    torch.manual_seed(0)
    model = add_lora(model, recipe)
    if adapters == "bfloat16":
        for weight in model.parameters():
            weight.data = weight.data.bfloat16()
    if dtype != "float32":
        leave_casts_to_autocast(model)
    if shard:
        _shard(model, recipe)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.lr, weight_decay=0.0)
    ids = torch.randint(20, 250, (steps, 2, 24), generator=torch.Generator().manual_seed(1))
    for batch in ids:
        with autocast(recipe, "cpu"):
            logits = model(input_ids=batch, use_cache=False).logits
            loss = cross_entropy(logits[:, :-1].flatten(0, 1).float(), batch[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model, optimizer


def _shard(model: Any, recipe: Recipe) -> None:
    """Shard by accelerate's own function, with the settings of configs/accelerate/fsdp2.yaml."""
    from accelerate.utils import FullyShardedDataParallelPlugin
    from accelerate.utils.fsdp_utils import fsdp2_prepare_model

    settings = yaml.safe_load(Path("configs/accelerate/fsdp2.yaml").read_text("utf-8"))
    chosen = settings["fsdp_config"]
    plugin = FullyShardedDataParallelPlugin(
        fsdp_version=chosen["fsdp_version"],
        auto_wrap_policy=chosen["fsdp_auto_wrap_policy"].lower(),
        transformer_cls_names_to_wrap=chosen["fsdp_transformer_layer_cls_to_wrap"].split(","),
        reshard_after_forward=chosen["fsdp_reshard_after_forward"],
        cpu_ram_efficient_loading=chosen["fsdp_cpu_ram_efficient_loading"],
        mixed_precision_policy=shard_policy(recipe),
    )
    accelerator = SimpleNamespace(
        state=SimpleNamespace(fsdp_plugin=plugin),
        mixed_precision=settings["mixed_precision"],
        is_main_process=True,
    )
    fsdp2_prepare_model(accelerator, model)


def adapters_of(model: Any) -> dict[str, torch.Tensor]:
    """Return the adapters' weights by name, gathered from all ranks."""
    return {
        name: (weight.full_tensor() if hasattr(weight, "full_tensor") else weight).detach()
        for name, weight in model.named_parameters()
        if "lora_" in name
    }


def main(base: Path, out: Path) -> None:
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    model, optimizer = tuned(base, "bfloat16", shard=True)
    weights = adapters_of(model)
    moments = {str(state["exp_avg"].dtype) for state in optimizer.state.values()}
    stored = {str(p.dtype) for p in model.parameters() if p.requires_grad}
    frozen = {str(p.dtype) for p in model.parameters() if not p.requires_grad}
    found = {"moments": moments, "adapters": stored, "frozen": frozen}
    if torch.distributed.get_rank() == 0:
        text = {name: ",".join(sorted(kinds)) for name, kinds in found.items()}
        save_file({name: weight.clone() for name, weight in weights.items()}, out, metadata=text)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
