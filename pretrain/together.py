"""Trains the whole base by the clock: eyes and words at once, after `look` and `speak`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flex.graph_file import load_graph
from pretrain.cohorts import Cohorts
from pretrain.eyes import Viewer, build_helpers
from pretrain.lessons import lesson_losses, lessons
from pretrain.practice import practise, prefetch
from pretrain.run import add_run, load_base, load_helpers, saver
from pretrain.speech import Speaker, build_readers
from vlm.vision_attention import join_equal_chunks


def together(
    films: Path,
    run: Path,
    out: Path,
    *,
    minutes: float,
    brief: float = 0.85,
    pace: float = 0.6,
    seed: int = 0,
    fast: bool = False,
) -> None:
    """Train eyes and words of a run that has both, and write the base to `out`.

    A share `brief` of the steps has short talks about the gist of clips, the others whole ones.
    With `fast` the language model is compiled, which takes a C++ compiler.

    Raises:
        InputError: the run has no finished eyes, or lacks the helpers of eyes or of words.
    """
    graph, cohorts = load_graph(), Cohorts(films)
    processor, model = load_base(run)
    records = [cohorts.record(n) for n in range(len(cohorts))]
    speaker = Speaker(graph, processor.tokenizer, [], records, seed)
    viewer = Viewer(graph, cohorts, seed)
    hidden, occurrences = model.config.text_config.hidden_size, len(viewer.errors.occurrences)
    helpers = build_helpers(hidden, occurrences, len(graph.actions))
    readers = build_readers(hidden, occurrences)
    load_helpers(run, helpers=helpers, readers=readers)
    join_equal_chunks(model)
    if fast:
        for layer in model.model.language_model.layers:
            layer.compile(dynamic=True)
    model.train()
    counts: dict[str, float] = {"together_minutes": minutes, "lessons": 0}

    def losses() -> Iterator[dict[str, Any]]:
        for lesson in prefetch(lessons(viewer, speaker, brief, seed)):
            counts["lessons"] += len(lesson.views.actions)
            yield lesson_losses(model, helpers, readers, lesson)

    practise(
        (model.model.visual, model.model.language_model, helpers, readers),
        losses(),
        out / "log.jsonl",
        minutes,
        saver(out, processor, model, helpers=helpers, readers=readers),
        stage="together",
        pace=lambda _: pace,
    )
    add_run(out, run, counts)
