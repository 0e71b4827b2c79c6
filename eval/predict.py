"""Runs a model over a split, in the modes of the paper: pretrained, prompted with rules, tuned.

    run(model="models/tiny-coach-base", adapter=Path("runs/sft/tiny"), limit=10)

Writes `answers-MODE.jsonl` (see `eval.answers`) and `predict-MODE.json` (what was run) into `out`.
Every answer is kept in `out/cache.jsonl` as soon as it is given, so that the same command goes on
where it was. A clip that does not decode is named and left out, never replaced.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.where import Engine
from eval.answers import Answer, write_answers
from eval.options import CACHE
from eval.predict_cache import AnswerCache
from eval.predict_dialogue import Asker, Responder
from eval.predict_plan import Plan, clips_of, rules_of
from flex.cli import err
from flex.files import write_text
from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError, Problem
from flex.video import Sampler
from vlm.cache import FrameCache
from vlm.dialogues import DEFAULT_VIEW, MAX_NEW_TOKENS, read_dialogues
from vlm.weights import base_of

Mode = Literal["pretrained", "prompted", "tuned"]
MODES: tuple[Mode, ...] = ("pretrained", "prompted", "tuned")


class PredictRecord(BaseModel):
    """What one mode was run with, for the report.

    Attributes:
        rules: which rules the model was told; empty but in the mode "prompted".
        reused: how many answers came from the cache.
        cut: how many answers were cut at the longest length allowed.
        broken: the clips that were left out, each with what is wrong with it.
    """

    mode: str
    model: str
    adapter: str | None
    weights: str
    sampler: dict[str, Any]
    decoding: dict[str, Any]
    rules: str
    data: str
    split: str
    view: str
    simulated: bool
    clips: int
    answers: int
    reused: int
    cut: int = 0
    seconds: float
    broken: list[str]


def run(
    *,
    model: str | None = None,
    adapter: Path | None = None,
    modes: Sequence[str] | None = None,
    endpoint: str | None = None,
    data: Path = Path("data/flex-sim"),
    dialogues: Path = Path("runs/qa/dialogues.jsonl"),
    out: Path = Path("runs/eval"),
    cache: Path = CACHE,
    split: str = "test",
    view: str = DEFAULT_VIEW,
    limit: int | None = None,
    batch: int = 8,
    max_new_tokens: int = MAX_NEW_TOKENS,
    sampler: Sampler | None = None,
    graph_file: Path = GRAPH_FILE,
    where: Engine | None = None,
    gpus: float = 0.0,
) -> list[Path]:
    """Ask a model about every clip of a split; return the files of answers, one a mode.

    Args:
        model: folder or hub id of the base, by default the adapter's; behind an endpoint, the name
            that it serves.
        adapter: a PEFT folder, for the mode "tuned"; behind an endpoint its card is enough.
        modes: default: pretrained and prompted, and tuned if there is an adapter. Behind an
            endpoint one mode at a time, since the server decides whether the adapter is on.
        endpoint: base address of an OpenAI-compatible server, instead of a local model.
        data: folder of the clips.
        dialogues: the file with their questions, answers and facts.
        out: folder of the run; the same folder resumes it.
        cache: folder of decoded frames and of what the vision tower makes of them; training uses
            the same by default.
        split: train, validation or test.
        view: the camera that the model sees.
        sampler: the frames of a model without adapter; by default the adapter's, so that all
            modes see the same frames, else what the recipe for such a model shows.
        limit: only the first clips.
        batch: how many clips are asked at once; halved when the memory runs out.
        max_new_tokens: the longest answer.
        graph_file: where the rules come from.
        where: workers that ask, each with a replica of the model; default: this process alone.
        gpus: graphics cards of each worker.

    Raises:
        InputError: unknown modes, "tuned" without an adapter, neither model nor adapter, no such
            clips, none that decodes, workers for an endpoint.
    """
    from vlm.generate import Decoding

    chosen = _modes(modes, adapter, endpoint)
    if where is not None and endpoint is not None:
        message = "a server runs its replicas itself; leave out --jobs and --ray"
        raise InputError([Problem("--endpoint", message)])
    if endpoint is not None and not model:
        message = "with --endpoint, name the model as the server calls it"
        raise InputError([Problem("--model", message)])
    model = model or base_of(adapter)
    records = read_dialogues(dialogues, split)[:limit]
    plan = Plan(
        data=data,
        records=records,
        split=split,
        view=view,
        out=out,
        cache=cache,
        batch=batch,
        decoding=Decoding(max_new_tokens=max_new_tokens),
        graph=load_graph(graph_file),
    )
    written = []
    loaded: tuple[bool, Responder, Sampler] | None = None
    for mode in chosen:
        wants_adapter = mode == "tuned"
        if where is not None:
            record = _mode_of_workers(mode, plan, model, adapter, sampler, where, gpus)
        else:
            if loaded is None or loaded[0] != wants_adapter:
                loaded = None  # the base goes before the tuned model comes
                opened = _load(model, adapter, endpoint, sampler, wants_adapter, plan.features)
                loaded = (wants_adapter, *opened)
            _, responder, frames = loaded
            used = adapter if wants_adapter else None
            record = _mode(mode, responder, frames, plan, model, used)
        written.append(out / f"answers-{mode}.jsonl")
        err.print(
            f"{mode}: {record.answers:,} answers on {record.clips:,} clips in "
            f"{record.seconds:.0f} s, {record.reused:,} of them from the cache, {record.cut:,} cut "
            f"at {max_new_tokens:,} tokens"
        )
    return written


def _modes(modes: Sequence[str] | None, adapter: Path | None, endpoint: str | None) -> list[str]:
    default = ["pretrained"] if endpoint else [*MODES[:2], *(["tuned"] if adapter else [])]
    chosen = list(dict.fromkeys(modes or default))
    problems = [
        Problem("--mode", f"unknown mode {mode!r}; expected one of {', '.join(MODES)}")
        for mode in chosen
        if mode not in MODES
    ]
    if "tuned" in chosen and adapter is None:
        message = "the mode tuned needs the folder of an adapter, or of its card if it is served"
        problems.append(Problem("--adapter", message))
    if endpoint and "tuned" in chosen and len(chosen) > 1:
        message = "behind an endpoint, ask for tuned alone: the base has another name there"
        problems.append(Problem("--mode", message))
    if problems:
        raise InputError(problems)
    return chosen


def _load(
    model: str,
    adapter: Path | None,
    endpoint: str | None,
    sampler: Sampler | None,
    tuned: bool,
    features: Path,
) -> tuple[Responder, Sampler]:
    from eval.predict_model import open_endpoint, open_local

    if endpoint:
        served, frames = open_endpoint(endpoint, model, adapter, sampler, tuned=tuned)
        served.ready()
        return served, frames
    return open_local(model, adapter, sampler, tuned=tuned, features=features)


def _mode_of_workers(
    mode: str,
    plan: Plan,
    model: str,
    adapter: Path | None,
    sampler: Sampler | None,
    where: Engine,
    gpus: float,
) -> PredictRecord:
    from eval.predict_engine import Replica, ask_workers

    started = time.monotonic()
    replica = Replica(model, adapter, sampler, tuned=mode == "tuned")
    told = ask_workers(mode, plan, replica, where=where, gpus=gpus)
    used = adapter if replica.tuned else None
    return _mode(mode, told, told.sampler, plan, model, used, fresh=told.fresh, started=started)


def _mode(
    mode: str,
    responder: Responder,
    sampler: Sampler,
    plan: Plan,
    model: str,
    adapter: Path | None,
    *,
    fresh: int = 0,
    started: float | None = None,
) -> PredictRecord:
    started = time.monotonic() if started is None else started
    frames = FrameCache(plan.frames)
    rules = rules_of(responder, sampler, plan) if mode == "prompted" else None
    if rules is not None:
        err.print(f"prompted: the model is told {rules.why}")
    clips, problems = clips_of(plan, frames, sampler)
    answers: list[Answer] = []
    reused = 0
    with AnswerCache(plan.out / "cache.jsonl") as cache, _progress() as bar:
        for broken in cache.broken:
            err.print(f"cache: {broken}; its question is asked again", markup=False)
        task = bar.add_task(mode, total=sum(len(clip.record.turns) for clip in clips))

        def step(done: int, old: int) -> None:
            nonlocal reused
            reused += old
            bar.update(task, advance=done)

        asker = Asker(
            mode=mode,
            view=plan.view,
            responder=responder,
            frames=frames,
            sampler=sampler,
            cache=cache,
            decoding=plan.decoding,
            rules=rules,
            step=step,
        )
        for given, faults in asker.ask_all(clips, plan.batch):
            answers += given
            problems += faults
    for problem in problems:
        err.print(f"left out: {problem}", markup=False)
    if not answers:
        raise InputError(problems)
    write_answers(plan.out / f"answers-{mode}.jsonl", answers)
    record = PredictRecord(
        mode=mode,
        model=model,
        adapter=None if adapter is None else str(adapter),
        weights=responder.weights,
        sampler=sampler.model_dump(),
        decoding=plan.decoding.model_dump(),
        rules="" if rules is None else rules.why,
        data=plan.data.name,
        split=plan.split,
        view=plan.view,
        simulated=any(clip.simulated for clip in plan.records),
        clips=len({answer.clip for answer in answers}),
        answers=len(answers),
        reused=reused - fresh,
        cut=sum(answer.cut for answer in answers),
        seconds=round(time.monotonic() - started, 2),
        broken=[str(problem) for problem in problems],
    )
    write_text(plan.out / f"predict-{mode}.json", record.model_dump_json(indent=2) + "\n")
    return record


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("answers"),
        TimeRemainingColumn(),
        console=err,
    )
