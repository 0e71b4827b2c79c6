"""Generates the dialogues of a data set: annotations in, `dialogues.jsonl` and `flagged.jsonl` out.

Clips stream through in order, so memory does not grow with the data set; a window of clips is in
work at once, and results are written in the order of the annotations whatever order they finish in.
Both files appear, atomically, only at the end. Answers of a language model are kept in the cache
beside them the moment they arrive, so a killed run goes on where it was, at no further cost, and
ends with the same bytes as one that was never disturbed.
"""

import asyncio
import platform
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from flex.files import atomic_write, write_text
from flex.graph import Graph
from flex.problems import InputError, Problem
from flex.sample import Annotation
from qa_gen.check import check_dialogue
from qa_gen.dialogue import STAGES, Dialogue, Provenance
from qa_gen.facts import facts_of
from qa_gen.runs import DIALOGUES, FLAGGED, RUN, RunRecord
from qa_gen.template_writer import FAMILIES, family_of, phrasing_file
from qa_gen.turns import dialogue_turns
from qa_gen.wording import prompts_hash
from qa_gen.writer import Late, Stopped, Writer

Item = TypeVar("Item")
Result = TypeVar("Result")

# Clips in work at once: enough for slow answers not to hold up the others.
WINDOW = 512


class Generator:
    """Makes one dialogue after another with one graph, one writer and one seed."""

    def __init__(
        self, graph: Graph, writer: Writer, *, seed: int, part_of: Callable[[Annotation], str]
    ) -> None:
        self._graph = graph
        self._writer = writer
        self._seed = seed
        self._part_of = part_of
        files = (phrasing_file(family, stage) for family in FAMILIES for stage in STAGES)
        self.prompts = prompts_hash(files)

    async def dialogue(self, annotation: Annotation) -> Dialogue:
        """Return the dialogue of a clip, with what the fact check and the writer found."""
        facts = facts_of(self._graph, annotation)
        split = self._part_of(annotation)
        family = family_of(split)
        written = await self._writer.write(facts, family)
        turns = dialogue_turns(
            self._graph, facts, written.sentences, family=family, seed=self._seed
        )
        findings = written.findings or tuple(check_dialogue(self._graph, facts, turns))
        return Dialogue(
            clip=annotation.clip,
            action=facts.action,
            subject=annotation.subject,
            skill=annotation.skill,
            split=split,
            views=annotation.views,
            turns=turns,
            facts=facts,
            provenance=Provenance(
                graph=facts.graph,
                prompts=f"{self.prompts}-{self._writer.prompts}",
                facts=facts.hash,
                writer=self._writer.name,
                model=written.model,
                seed=self._seed,
                family=family,
                attempts=written.attempts,
                tokens=written.tokens,
            ),
            findings=findings,
            simulated=annotation.source == "simulated",
        )


async def generate(
    generator: Generator,
    annotations: Iterable[Annotation],
    out: Path,
    record: RunRecord,
    *,
    progress: Callable[[Dialogue], None],
) -> RunRecord:
    """Write the dialogues of all annotations under `out` and return the finished record.

    A clip whose answer did not come in time is left out, and the run is then not complete.

    Raises:
        InputError: bad annotations; nothing is written then.
    """
    counts = {DIALOGUES: 0, FLAGGED: 0}
    late: list[str] = []
    stopped = None

    async def dialogue_or_none(annotation: Annotation) -> Dialogue | None:
        try:
            return await generator.dialogue(annotation)
        except Late as error:
            late.append(f"{annotation.clip} ({error})")
            return None

    with atomic_write(out / DIALOGUES) as good, atomic_write(out / FLAGGED) as flagged:
        try:
            async for dialogue in in_order(annotations, dialogue_or_none, WINDOW):
                if dialogue is None:
                    continue
                name = FLAGGED if dialogue.findings else DIALOGUES
                stream = flagged if dialogue.findings else good
                stream.write(dialogue.model_dump_json(exclude_defaults=True) + "\n")
                counts[name] += 1
                progress(dialogue)
        except Stopped as reason:
            stopped = str(reason)
    if late and stopped is None:
        stopped = (
            f"{len(late)} clips were not answered in time, such as {late[0]}. All others are "
            "finished and kept; give the same command again, or raise timeout_s"
        )
    return finish(record, out, counts, prompts=generator.prompts, stopped=stopped)


def finish(
    record: RunRecord, out: Path, counts: Mapping[str, int], *, prompts: str, stopped: str | None
) -> RunRecord:
    """Write `run.json` and return what it holds; `counts` has the lines of each file by name."""
    finished = record.model_copy(
        update={
            "dialogues": counts[DIALOGUES],
            "flagged": counts[FLAGGED],
            "prompts": prompts,
            "complete": stopped is None,
            "stopped": stopped,
        }
    )
    write_text(out / RUN, finished.model_dump_json(indent=2) + "\n")
    return finished


async def in_order(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Result]], window: int
) -> AsyncIterator[Result]:
    """Yield the results of `work` in the order of the items, `window` of them in work at once."""
    pending: deque[asyncio.Future[Result]] = deque()
    try:
        for item in items:
            pending.append(asyncio.ensure_future(work(item)))
            if len(pending) >= window:
                yield await pending.popleft()
        while pending:
            yield await pending.popleft()
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


@contextmanager
def sole_run(out: Path) -> Iterator[None]:
    """Keep a second run out of the same output folder.

    Raises:
        InputError: another run is at work there.
    """
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        problem = Problem(str(out), "another run is writing here; wait for it, or choose --out")
        raise InputError([problem]) from error
    try:
        yield
    finally:
        lock.release()


def versions() -> dict[str, str]:
    """Return the versions that shape the output."""
    packages = ("flex-coach", "jinja2", "openai", "pydantic", "snowballstemmer")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
