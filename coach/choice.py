"""Which model talks: one on this machine with or without an adapter, or one behind an endpoint.

    chosen = choose_model(Settings(model="models/tiny-coach-base", adapter=Path("runs/sft/coach")))
    talker = chosen.opener()

Nothing is loaded before `opener` is called.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from coach.settings import Settings
from coach.talk import AT_ONCE, MODES, Mode, Talker, open_local_talker
from coach.talk import open_served_talker as open_served
from coach.words import left_out
from flex.problems import InputError, Problem
from vlm.card import require_card
from vlm.defaults import find_sampler, is_tiny
from vlm.weights import base_of

TINY_BASE = Path("models/tiny-coach-base")
TINY_ADAPTER = Path("runs/sft/coach")


@dataclass(frozen=True)
class Chosen:
    """Which model talks.

    Attributes:
        local: folder or hub id of a model on this machine; `None` behind an endpoint.
        names: what each mode is called.
        left_out: why a mode is not among them, for people.
    """

    opener: Callable[[], Talker]
    names: dict[Mode, str]
    simulated: bool
    at_once: int
    local: str | None
    left_out: dict[Mode, str] = field(default_factory=dict)


def choose_model(settings: Settings) -> Chosen:
    """Return the model that is asked for, or the tiny coach with its adapter if that is there.

    Raises:
        InputError: no such model or adapter, no torch, an endpoint without a model's name or the
            card of its adapter, or a base of an endpoint without one.
    """
    if settings.endpoint:
        return _served(settings, settings.endpoint)
    if settings.base_endpoint_model:
        message = "goes with --endpoint; a base on this machine is --model"
        raise InputError([Problem("--base-endpoint-model", message)])
    adapter = settings.adapter
    if settings.model is None and adapter is None and (TINY_ADAPTER / "flex_coach.json").exists():
        adapter = TINY_ADAPTER
    model = settings.model or (base_of(adapter) if adapter else str(TINY_BASE))
    _check_torch()
    sampler = find_sampler(model, adapter)
    base, tuned = Path(model).name, adapter.name if adapter else ""
    names: dict[Mode, str] = {"base": base, "prompted": f"{base} told the rules"}
    if adapter:
        names["tuned"] = f"{base} + {tuned}"
    return Chosen(
        opener=lambda: open_local_talker(model, adapter, sampler),
        names={mode: names[mode] for mode in MODES if mode in names},
        simulated=is_tiny(model),
        at_once=AT_ONCE,
        local=model,
        left_out={} if adapter else {"tuned": left_out("no_adapter")},
    )


def _served(settings: Settings, endpoint: str) -> Chosen:
    model = settings.model
    if not model:
        message = "with --endpoint, name the model as the server calls it"
        raise InputError([Problem("--model", message)])
    if settings.adapter is None:
        message = "with --endpoint, name the served adapter's folder: its card says what it saw"
        raise InputError([Problem("--adapter", message)])
    require_card(settings.adapter)
    base = settings.base_endpoint_model
    names: dict[Mode, str] = {"tuned": model}
    if base:
        names = {"base": base, "prompted": f"{base} told the rules", **names}
    return Chosen(
        opener=lambda: open_served(endpoint, model, base, adapter=settings.adapter),
        names=names,
        simulated=False,
        at_once=AT_ONCE,
        local=None,
        left_out={mode: left_out("no_base") for mode in MODES if mode not in names},
    )


def _check_torch() -> None:
    import importlib.util

    for name in ("torch", "transformers", "peft"):
        if importlib.util.find_spec(name) is None:
            message = f"the local model needs {name}: pip install -e '.[coach,train]'"
            raise InputError([Problem(name, message)])
