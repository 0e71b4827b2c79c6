"""Trains the base by the clock: `look` teaches the eyes, `speak` the words for what they see."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flex.graph import Graph
from flex.graph_file import load_graph
from pretrain.cohorts import Cohorts
from pretrain.eyes import Viewer, Views, build_helpers, see, view_losses
from pretrain.notes import corpus
from pretrain.practice import mixed, practise, prefetch
from pretrain.run import add_run, load_base, load_helpers, saver
from pretrain.speech import Speaker, build_readers, reading_losses, speech_losses
from pretrain.watch import watch
from vlm.tiny import build_model, build_processor
from vlm.vision_attention import join_equal_chunks

_GLANCES, _CLIPS = 192, 24
_GISTS, _LOOKS, _TALKS, _BRIEF = 512, 64, 24, 72
_SHORT = 0.8  # share of reading from the gist of clips
_READER = 0.3  # pace of the layers that have learnt to read, once words are learnt


def look(
    films: Path,
    out: Path,
    *,
    minutes: float,
    glances: float = 1.0,
    seed: int = 0,
    start: Path | None = None,
    fast: bool = False,
) -> None:
    """Train the eyes, from random weights or from `start`, and write model and helpers to `out`.

    For the first share `glances` of the time they see single steps of time, each of another clip;
    then whole clips. With `fast` the tower's blocks are compiled, which takes a C++ compiler.

    Raises:
        InputError: `start` has no finished eyes, or lacks their helpers.
    """
    graph = load_graph()
    cohorts = Cohorts(films)
    processor, model = load_base(start) if start else _new_base(graph, seed)
    viewer = Viewer(graph, cohorts, seed)
    hidden = model.config.text_config.hidden_size
    helpers = build_helpers(hidden, len(viewer.errors.occurrences), len(graph.actions))
    if start:
        load_helpers(start, helpers=helpers)
    join_equal_chunks(model)
    if fast:
        for block in model.model.visual.blocks:
            block.compile(dynamic=False)
    model.train()
    save = saver(out, processor, model, helpers=helpers)
    eyes = (model.model.visual, helpers)
    log = out / "log.jsonl"
    shares = {"glances": glances, "clips": 1 - glances}
    streams = {"glances": viewer.glances(_GLANCES), "clips": viewer.clips(_CLIPS)}
    steps = {
        stage: practise(
            eyes,
            _losses(model, helpers, streams[stage]),
            log,
            share * minutes,
            save,
            stage=stage,
        )
        for stage, share in shares.items()
        if share
    }
    counts = {
        "glances": _GLANCES * steps.get("glances", 0),
        "clips": _CLIPS * steps.get("clips", 0),
    }
    add_run(out, start, {"look_minutes": minutes, **counts})


def speak(
    films: Path,
    run: Path,
    out: Path,
    *,
    minutes: float,
    read: float = 0.4,
    looks: int = 2,
    brief: float = 0.0,
    pace: float = 1.0,
    seed: int = 0,
    fast: bool = False,
) -> None:
    """Train the words of a run whose eyes are finished, and write the base to `out`.

    Every clip is seen `looks` times beforehand, varied each time. For the first share `read` of the
    time the lower half of the language model learns to read what is seen, first the gist of clips;
    then it learns at a lower rate, and words with the upper half. A share `brief` of the steps has
    short talks about the gist of clips, three times as many in a step. A run that has words already
    goes on with a lower `pace`. With `fast` the layers are compiled, which takes a C++ compiler.

    Raises:
        InputError: the run has no eyes.
    """
    graph, cohorts = load_graph(), Cohorts(films)
    processor, model = load_base(run)
    join_equal_chunks(model)
    features = watch(model.eval(), cohorts, looks, seed, films.parent / "features")
    records = [cohorts.record(n) for n in range(len(cohorts))]
    speaker = Speaker(graph, processor.tokenizer, features, records, seed)
    hidden = model.config.text_config.hidden_size
    readers = build_readers(hidden, len(speaker.errors.occurrences))
    heads = {"readers": readers}
    if (run / "readers.safetensors").exists():
        load_helpers(run, **heads)
    if (run / "helpers.safetensors").exists():  # for `pretrain.together`, which goes on with them
        helpers = build_helpers(hidden, len(speaker.errors.occurrences), len(graph.actions))
        load_helpers(run, helpers=helpers)
        heads["helpers"] = helpers
    if fast:
        for layer in model.model.language_model.layers:
            layer.compile(dynamic=True)
    model.train()
    save = saver(out, processor, model, **heads)
    lower = {f"layers.{n}." for n in range(len(model.model.language_model.layers) // 2)}

    def slower_below(name: str) -> float:
        return pace * (_READER if any(name.startswith(layer) for layer in lower) else 1.0)

    counts: dict[str, float] = {"speak_minutes": minutes}

    def lost(stage: str, losses: Any, batches: Iterator[dict[str, Any]]) -> Iterator[Any]:
        for batch in prefetch(batches):
            counts[stage] = counts.get(stage, 0) + len(batch["input_ids"])
            yield losses(model, readers, batch)

    whole, short = speaker.talks(_TALKS), speaker.brief_talks(_BRIEF)
    stages = {
        "gists": (_SHORT * read, reading_losses, speaker.looks(_GISTS, 1), lambda _: pace),
        "looks": ((1 - _SHORT) * read, reading_losses, speaker.looks(_LOOKS), lambda _: pace),
        "talks": (1 - read, speech_losses, mixed(short, whole, brief, seed), slower_below),
    }
    for stage, (share, losses, batches, paces) in stages.items():
        if not share:
            continue
        practise(
            (model.model.language_model, readers),
            lost(stage, losses, batches),
            out / "log.jsonl",
            share * minutes,
            save,
            stage=stage,
            pace=paces,
        )
    add_run(out, run, counts)


def _new_base(graph: Graph, seed: int) -> tuple[Any, Any]:
    """Return processor and model of a tiny base that has learnt nothing yet."""
    words = Path(__file__).parent.parent / "prompts" / "dialogue"
    processor = build_processor(
        [*corpus(graph), *(p.read_text("utf-8") for p in sorted(words.rglob("*.j2")))]
    )
    return processor, build_model(processor.tokenizer, seed=seed)


def _losses(model: Any, helpers: Any, views: Iterator[Views]) -> Iterator[dict[str, Any]]:
    for seen in prefetch(views):
        yield view_losses(helpers, see(model, seen.pixels, seen.poses.shape[1]), seen)
