"""Dialogues of a data set by many workers: processes here, or Ray; the same bytes as one process.

    made = generate_by_workers(chosen, graph, records, part, out, record, where=Engine(jobs=8))

A shard, some clips in a row, is a small run of its own, which `qa_gen.generate` does in a worker.
Shards lie under `out/engine` until all are there and are then joined in their order, so a run that
was killed goes on with the shards that it lacks.

Workers that ask a language model share the run's file of answers and divide the requests that may
be in flight, so whatever is killed loses those in flight and nothing else.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from engine.lists import Quarantined
from engine.run import Outcome, run_all
from engine.where import Engine
from flex.files import atomic_write, hash_text, write_text
from flex.graph import Graph
from flex.problems import InputError, Problem
from flex.processors import processors
from flex.sample import Annotation
from qa_gen.generate import Generator, finish, generate
from qa_gen.parts import PartOf
from qa_gen.runs import DIALOGUES, FLAGGED, RunRecord
from qa_gen.writer_choice import Chosen, open_writer

if TYPE_CHECKING:
    from qa_gen.llm_config import LlmConfig

SHARDS = "engine"
# Clips of a shard. Templates take milliseconds a clip; a language model is kept busy by many
# clips at once, and waits at the end of each shard for its slowest answer.
TEMPLATE_SHARD = 32
LLM_SHARD = 128
_DIVIDED = ("concurrency", "concurrency_min", "concurrency_max")
_SECRET = {"base_url", "api_key_env"}  # the address is in the record, without what it may hide


@dataclass(frozen=True)
class Shard:
    """Some clips in a row; kept as text, which is small.

    Attributes:
        key: the first clip.
        lines: the record of each clip, as JSON.
        parts: the part of the split of each.
    """

    key: str
    lines: tuple[str, ...]
    parts: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Where its dialogues lie, under `out/engine`."""
        return hash_text(self.key)


@dataclass(frozen=True)
class WriteShard:
    """The work: the dialogues of a shard, written as those of a run.

    Attributes:
        chosen: the writer; a language model with this worker's share of its requests.
        out: the folder of the whole run, with the answers of a language model.
        record: what is run.
    """

    chosen: Chosen
    graph: Graph
    out: Path
    record: RunRecord

    def __call__(self, shard: Shard, folder: Path) -> dict[str, int]:
        """Write the files of a run; return how many lines each has.

        Raises:
            InputError: a clip that cannot be used, or the run stops, here or in another worker.
        """
        stop = stop_file(self.out)
        if stop.exists():
            raise InputError([Problem("stopped", "not begun, since the run stops")])
        finished = asyncio.run(self._write(shard, folder / shard.folder))
        if finished.stopped is not None:
            write_text(stop, finished.stopped)
            raise InputError([Problem("stopped", finished.stopped)])
        return {DIALOGUES: finished.dialogues, FLAGGED: finished.flagged}

    async def _write(self, shard: Shard, folder: Path) -> RunRecord:
        annotations = [Annotation.model_validate_json(line) for line in shard.lines]
        parts = {one.clip: part for one, part in zip(annotations, shard.parts, strict=True)}
        seed = self.record.seed
        async with open_writer(self.chosen, self.graph, self.out, seed=seed) as writer:
            generator = Generator(
                self.graph, writer, seed=seed, part_of=lambda record: parts[record.clip]
            )
            return await generate(
                generator, annotations, folder, self.record, progress=lambda _: None
            )


def generate_by_workers(
    chosen: Chosen,
    graph: Graph,
    annotations: Iterable[Annotation],
    part: PartOf,
    out: Path,
    record: RunRecord,
    *,
    where: Engine,
    size: int | None = None,
) -> RunRecord:
    """Write the dialogues of all annotations under `out` and return the finished record.

    Where the run stops because the endpoint is down or refuses, the dialogues up to the first
    shard that is not finished are written.

    Args:
        chosen: the writer.
        graph: of the annotations.
        annotations: the clips, in the order of the output.
        part: says which part of the split a clip is in.
        out: the folder of the run, which nobody else writes to.
        record: what is run.
        where: the workers; a shard that failed in an earlier run is always tried again.
        size: clips of a shard; by default more for a language model than for templates.

    Raises:
        InputError: bad annotations, or a shard that cannot be written, named by its first clip;
            the files of the run are left as they were, and finished shards are kept. Also, see
            `require_shareable`.
    """
    require_shareable(chosen, where)
    out = out.absolute()
    size = size or (TEMPLATE_SHARD if chosen.config is None else LLM_SHARD)
    shards = list(_shards(annotations, part, size))
    prompts, wording = asyncio.run(_wording(chosen, graph, out, record.seed))
    same = [record.model_dump_json(), prompts, wording, _settings(chosen.config)]
    stop_file(out).unlink(missing_ok=True)
    where, share = _divided(chosen, replace(where, retry=True), len(shards))
    outcome = run_all(
        shards,
        WriteShard(share, graph, out, record),
        where=where,
        out=out / SHARDS,
        key=lambda shard: shard.key,
        stamp=lambda shard: hash_text(*same, *shard.lines, *shard.parts),
        title=f"dialogues, shards of {size}",
    )
    stop = stop_file(out)
    stopped = stop.read_text("utf-8") if stop.exists() else None
    if outcome.quarantined and stopped is None:
        raise InputError(_problems(outcome.quarantined))
    counts = _join(out, shards, outcome)
    finished = finish(record, out, counts, prompts=prompts, stopped=stopped)
    if stopped is None:
        shutil.rmtree(out / SHARDS)
    return finished


def require_shareable(chosen: Chosen, where: Engine) -> None:
    """Refuse what workers cannot share.

    Raises:
        InputError: a budget, or a language model on Ray.
    """
    problems = []
    if chosen.config is not None and chosen.config.budget is not None:
        message = (
            "workers do not see what the others have on its way, so together they could spend "
            "more; leave out --jobs, since one process too keeps "
            f"{chosen.config.concurrency_max} requests in flight"
        )
        problems.append(Problem("--budget", message))
    if chosen.config is not None and where.ray is not None:
        message = (
            "the key of a language model and the file of its paid answers stay on this machine; "
            "use --jobs, since asking waits for the endpoint and not for processors"
        )
        problems.append(Problem("--ray", message))
    if problems:
        raise InputError(problems)


def stop_file(out: Path) -> Path:
    """Return the file that says why a run stops; workers look for it before each shard."""
    return out / SHARDS / "stopped.txt"


def _shards(annotations: Iterable[Annotation], part: PartOf, size: int) -> Iterator[Shard]:
    rest = iter(annotations)
    while some := list(islice(rest, size)):
        lines = tuple(record.model_dump_json() for record in some)
        yield Shard(some[0].clip, lines, tuple(map(part, some)))


async def _wording(chosen: Chosen, graph: Graph, out: Path, seed: int) -> tuple[str, str]:
    """Return the hash of the dialogues' wording, and that of the writer's."""
    async with open_writer(chosen, graph, out, seed=seed) as writer:
        return Generator(graph, writer, seed=seed, part_of=lambda _: "").prompts, writer.prompts


def _settings(config: "LlmConfig | None") -> str:
    """Return all that an answer may depend on, and nothing secret."""
    return "" if config is None else config.model_dump_json(exclude=_SECRET)


def _divided(chosen: Chosen, where: Engine, shards: int) -> tuple[Engine, Chosen]:
    """Return as many workers as there can be requests in flight, and the share of each."""
    config = chosen.config
    if config is None:
        return where, chosen
    workers = max(1, min(where.jobs or processors(), shards, config.concurrency_max))
    share = {name: max(1, getattr(config, name) // workers) for name in _DIVIDED}
    return replace(where, jobs=workers), chosen._replace(config=config.model_copy(update=share))


def _join(out: Path, shards: Iterable[Shard], outcome: Outcome) -> Counter[str]:
    """Write the run's files from those of the shards, up to the first that is not done."""
    counts = Counter[str]()
    done = dict(outcome.results())
    with atomic_write(out / DIALOGUES) as good, atomic_write(out / FLAGGED) as flagged:
        for shard in takewhile(lambda shard: shard.key in done, shards):
            for name, stream in ((DIALOGUES, good), (FLAGGED, flagged)):
                stream.write((out / SHARDS / shard.folder / name).read_text("utf-8"))
            counts.update(done[shard.key])
    return counts


def _problems(quarantined: Iterable[Quarantined]) -> list[Problem]:
    return [Problem(f"the clips from {row.key} on", row.reason) for row in quarantined]
