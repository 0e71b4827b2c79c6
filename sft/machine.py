"""Which recipe suits this machine, and whether a recipe can run on it at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flex.problems import InputError, Problem
from sft.recipe import Recipe

CONFIGS = Path("configs/sft")
# What the 3B model needs, whole and in 4 bits, in GiB: a card of 12 says that it has 11.6.
NEEDED_GIB = 20
SMALL_GIB = 11
MANY = 8
_AMPERE = (8, 0)
_EASE = (
    "lower batch (and raise accumulate as much), set checkpointing=true, lower frames or pixels, "
    "or lower rank"
)


@dataclass(frozen=True)
class Gpu:
    """One GPU: its name, its memory, and whether it computes in bf16 (Ampere and newer)."""

    name: str
    memory_gib: float
    bf16: bool = True


def gpus() -> list[Gpu]:
    """Return the GPUs that PyTorch can use."""
    import torch

    if not torch.cuda.is_available():
        return []
    found = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return [Gpu(one.name, one.total_memory / 2**30, one.major >= _AMPERE[0]) for one in found]


def choose(found: list[Gpu], ranks: int = 1) -> tuple[Path, str]:
    """Return the recipe for a machine with these GPUs, and why; `ranks` are torchrun's."""
    if not found:
        return CONFIGS / "tiny.yaml", "no GPU was found: the tiny coach, on the CPU"
    smallest = min(found, key=lambda gpu: gpu.memory_gib)
    named = f"{len(found)} × {smallest.name} of {smallest.memory_gib:.0f} GiB"
    if not smallest.bf16:
        return CONFIGS / "tiny.yaml", f"{named}: it does not compute in bf16, so the tiny coach"
    if smallest.memory_gib < SMALL_GIB:
        why = f"less than the {SMALL_GIB} GiB that Qwen2.5-VL-3B takes in 4 bits, so the tiny coach"
        return CONFIGS / "tiny.yaml", f"{named}: {why}"
    if smallest.memory_gib < NEEDED_GIB:
        why = f"less than the {NEEDED_GIB} GiB that Qwen2.5-VL-3B takes, so its base in 4 bits"
        return CONFIGS / "small_gpu.yaml", f"{named}: {why}"
    why = f"{named}: enough for Qwen2.5-VL-3B in bf16"
    if ranks >= MANY:
        return CONFIGS / "eight_gpus.yaml", f"{why}, on {ranks} ranks"
    if len(found) > ranks:
        why += (
            f"; {ranks} of them used, torchrun --nproc_per_node {len(found)} -m sft auto uses all"
        )
    return CONFIGS / "best.yaml", why


def ranks() -> int:
    """Return how many ranks torchrun has started; one without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def device_of(recipe: Recipe) -> str:
    """Return "cuda" or "cpu" for a recipe.

    Raises:
        InputError: the recipe needs a GPU and there is none.
    """
    import torch

    available = torch.cuda.is_available()
    if recipe.device == "cuda" and not available:
        message = f"{recipe.model} needs a GPU, and PyTorch {torch.__version__} finds none here"
        hint = "use --config configs/sft/tiny.yaml, or --set device=cpu to try regardless (slow)"
        raise InputError([Problem("device", f"{message}; {hint}")])
    return "cuda" if available and recipe.device != "cpu" else "cpu"


def check_shape(shape: str) -> None:
    """See that a shape to be measured suits this machine.

    Raises:
        InputError: the 3B shape, and no GPU.
    """
    if shape == "3b" and not gpus():
        message = "the 3B shape needs a GPU, and PyTorch finds none here"
        hint = "--shape tiny runs the same code on a CPU in seconds"
        raise InputError([Problem("--shape", f"{message}; {hint}")])


def memory_of(device: str) -> float | None:
    """Return the bytes of this run's smallest GPU; None where nothing is to be fitted to it.

    That is a CPU, and FSDP, which shards what the estimate counts.
    """
    from accelerate.utils import gather_object

    if device == "cpu" or os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true":
        return None
    return float(min(gather_object([min(gpu.memory_gib for gpu in gpus())]))) * 2**30


@contextmanager
def memory_told(recipe: Recipe) -> Iterator[None]:
    """Turn an error that says that memory ran out into what to lower.

    Raises:
        InputError: memory ran out.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        problem = memory_problem(error, recipe)
        if problem is None:
            raise
        raise problem from error


def memory_problem(error: BaseException, recipe: Recipe) -> InputError | None:
    """Return what to lower if an error says that memory ran out, else None."""
    import torch

    text = str(error)
    if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in text:
        return None
    now = f"batch={recipe.batch}, frames={recipe.frames}, pixels={recipe.pixels}"
    first = f"; first try --set {_next_setting(recipe)}"
    return InputError([Problem("out of memory", f"{_EASE} with --set; now {now}{first}")])


def _next_setting(recipe: Recipe) -> str:
    """Return the setting whose change costs least, of those that are left to change."""
    if recipe.fit == "auto":
        return "fit=fixed --set batch=1 --set checkpointing=true"
    if recipe.batch > 1:
        smaller = next(size for size in range(recipe.batch - 1, 0, -1) if recipe.batch % size == 0)
        more = recipe.accumulate * recipe.batch // smaller
        return f"batch={smaller} --set accumulate={more}"
    if not recipe.checkpointing:
        return "checkpointing=true"
    return "four_bit=true" if not recipe.four_bit else f"frames={max(2, recipe.frames // 4 * 2)}"


def attention_of(recipe: Recipe, device: str = "cuda") -> str:
    """Return the attention to use: "auto" is flash-attention where it can run, else SDPA.

    It must be installed, and the GPU be an Ampere or newer.
    """
    if recipe.attention != "auto":
        return recipe.attention
    fast = device != "cpu" and _installed("flash_attn") and _capability() >= _AMPERE
    return "flash_attention_2" if fast else "sdpa"


def liger_of(recipe: Recipe) -> bool:
    """Tell whether to use liger's kernels: wanted and installed."""
    return recipe.liger and _installed("liger_kernel")


def four_bit_of(recipe: Recipe) -> bool:
    """Tell whether to measure with a base in 4 bits: wanted, and bitsandbytes is installed."""
    return recipe.four_bit and _installed("bitsandbytes")


def fused_on(recipe: Recipe, device: str) -> bool:
    """Tell whether a run on this device uses liger's kernels, which a CPU cannot run."""
    return device != "cpu" and liger_of(recipe)


def _capability() -> tuple[int, int]:
    """Return the GPU's compute capability; a new one's where there is no GPU to ask."""
    import torch

    return torch.cuda.get_device_capability() if torch.cuda.is_available() else _AMPERE


def _installed(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package) is not None
