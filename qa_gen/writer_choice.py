"""Chooses the writer of evaluations: templates, or the language model of a config.

`auto` takes a language model if a config is named, or if the environment holds the key of one of
the endpoints in `configs/qa_gen/`; else templates. Which it is, and why, is said before a run.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flex.config import load_config
from flex.graph import Graph
from flex.problems import InputError, Problem
from qa_gen.template_writer import TemplateWriter
from qa_gen.writer import Writer

if TYPE_CHECKING:
    from qa_gen.llm_config import LlmConfig

CONFIGS = Path(__file__).resolve().parent.parent / "configs" / "qa_gen"
CACHE = "answers.sqlite"


class WriterChoice(StrEnum):
    """Which writer to use."""

    AUTO = "auto"
    TEMPLATE = "template"
    LLM = "llm"


class Chosen(NamedTuple):
    """The choice, and why; `config` is that of the language model, or `None` for templates."""

    config: "LlmConfig | None"
    why: str


def choose(
    choice: WriterChoice, config: Path | None, settings: Sequence[str], budget: float | None
) -> Chosen:
    """Return what to write with.

    Raises:
        InputError: no config for a language model, or a config that is wrong.
    """
    from qa_gen.llm_config import LlmConfig  # pydantic models that templates do without

    if choice is WriterChoice.TEMPLATE:
        return Chosen(None, "templates, as asked")
    path = config or _config_with_key()
    if path is None:
        if choice is WriterChoice.LLM:
            known = ", ".join(sorted(p.name for p in CONFIGS.glob("*.yaml")))
            message = f"name one with --config, such as one of configs/qa_gen: {known}"
            raise InputError([Problem("--writer llm", message)])
        return Chosen(None, "templates, since no key of a language model is set")
    limit = [] if budget is None else [f"budget={budget}"]
    loaded = load_config(LlmConfig, path, [*settings, *limit])
    loaded.require_plain_url()
    loaded.api_key()
    reason = "as configured" if config else f"since {loaded.api_key_env} is set"
    return Chosen(loaded, f"{loaded.model} at {loaded.endpoint}, {reason}")


def _config_with_key() -> Path | None:
    from qa_gen.llm_config import LlmConfig

    for path in sorted(CONFIGS.glob("*.yaml")):
        variable = load_config(LlmConfig, path).api_key_env
        if variable and os.environ.get(variable, "").strip():
            return path
    return None


@asynccontextmanager
async def open_writer(
    chosen: Chosen, graph: Graph, out: Path, *, seed: int
) -> AsyncIterator[Writer]:
    """Open the writer; answers of a language model are cached under `out`."""
    if chosen.config is None:
        yield TemplateWriter(graph, seed=seed)
        return
    from qa_gen.llm_writer import open_llm_writer  # openai takes a while to import

    async with open_llm_writer(graph, chosen.config, out / CACHE) as writer:
        yield writer
