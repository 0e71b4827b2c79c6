"""Who reads errors out of answers: the matcher, offline and at once, or a language model.

reader = choose("llm", endpoint="http://localhost:8000/v1", model="reader", out=Path("runs/eval"))
reader.name, reader.read(graph, answers)

How well each reads is measured by `eval.ceilings`.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from eval.answers import Answer
from eval.reading import Reading, read_evaluation
from eval.scripts import script_of
from flex.graph import Graph
from flex.problems import InputError, Problem

ReaderKind = Literal["matcher", "llm"]


class Reader(Protocol):
    """Reads evaluations.

    Attributes:
        name: for reports.
        failures: why answers are unread → how many.
    """

    name: str
    failures: Counter[str]

    def read(
        self,
        graph: Graph,
        answers: Sequence[Answer],
        progress: Callable[[int], object] = lambda _: None,
    ) -> list[Reading | None]:
        """Return what each answer says; `None` where it could not be read."""


class MatcherReader:
    """Reads by the patterns of the graph, which are English; see `Reader`.

    An answer in another script is unread. One in another language of Latin letters is read as
    English that names nothing, since no language is guessed.
    """

    def __init__(self) -> None:
        self.name = "the matcher"
        self.failures: Counter[str] = Counter()
        self._foreign: set[str] = set()

    def read(
        self,
        graph: Graph,
        answers: Sequence[Answer],
        progress: Callable[[int], object] = lambda _: None,
    ) -> list[Reading | None]:
        """Return what each answer says; `None` for one in another script."""
        return [self._read(graph, answer) for answer in answers]

    def _read(self, graph: Graph, answer: Answer) -> Reading | None:
        script = script_of(answer.answer)
        if script == "Latin" or answer.found is not None:
            return read_evaluation(graph, answer)
        if answer.answer not in self._foreign:
            self._foreign.add(answer.answer)
            self.failures[f"the matcher reads English, and they are written in {script}"] += 1
        return None


MATCHER = MatcherReader()


def choose(
    kind: ReaderKind,
    *,
    out: Path,
    endpoint: str | None = None,
    model: str | None = None,
    requests: int | None = None,
) -> Reader:
    """Return a reader.

    Args:
        kind: "matcher", or "llm" for a served model.
        out: folder of the run, where a served model's replies are kept.
        endpoint: OpenAI-compatible server, up to and with `/v1`; its key is in OPENAI_API_KEY.
        model: name of the served model.
        requests: how many requests may be sent; the answers left over are unread.

    Raises:
        InputError: "llm" without endpoint and model, or the matcher with one.
    """
    given = {"--reader-endpoint": endpoint, "--reader-model": model}
    if kind == "matcher":
        if any(given.values()):
            names = " and ".join(name for name, value in given.items() if value)
            raise InputError([Problem(names, "is for --reader llm")])
        return MatcherReader()
    if endpoint is None or model is None:
        message = f"--reader llm needs {' and '.join(n for n, value in given.items() if not value)}"
        raise InputError([Problem("--reader", message)])
    from eval.reader_llm import LlmReader
    from vlm.endpoint import Endpoint

    asker = Endpoint(endpoint, model, os.environ.get("OPENAI_API_KEY", "none"))
    return LlmReader(asker, out, most=requests)
