"""How fast is the review with as many dialogues as FLEX has clips? `python -m review bench`.

Makes a store of dialogues from the templates, and lets people take items and decide them.
"""

import random
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flex.files import atomic_write, write_text
from flex.graph import Graph
from flex.sample import Annotation, ErrorLabel
from qa_gen.dialogue import Dialogue, Provenance
from qa_gen.facts import facts_of
from qa_gen.runs import DIALOGUES, FLAGGED, RUN, RunRecord
from qa_gen.template_writer import TemplateWriter, family_of
from qa_gen.turns import dialogue_turns
from review.decisions import decide
from review.edits import check_text
from review.load import load
from review.people import add_person
from review.queue import next_item
from review.store import Store

CLIPS = 7512
PEOPLE = ("ana", "ben", "cleo")
SPLIT = "train"


@dataclass(frozen=True)
class Timing:
    """How long something took, in milliseconds."""

    name: str
    times: int
    median_ms: float
    p95_ms: float
    worst_ms: float


def bench(
    folder: Path, graph: Graph, *, clips: int = CLIPS, steps: int = 300, behind: int = 2000
) -> list[Timing]:
    """Return timings of next, decide, both, and of the fact check of a text.

    Args:
        folder: an empty folder for the store.
        graph: the knowledge graph.
        clips: how many dialogues are in the store.
        steps: how many items people review.
        behind: how many items the first person has already done alone; the queue has to pass
            over them.
    """
    write_run(folder / "run", graph, clips)
    with Store(folder / "review.db") as store:
        load(store, folder / "run", graph)
        for name in PEOPLE:
            add_person(store, name, "first")
        for _ in range(min(behind, clips // 2)):
            _review(store, PEOPLE[0])
        found = [_review(store, PEOPLE[step % len(PEOPLE)]) for step in range(steps)]
        looked = [_check(store, graph) for _ in range(min(steps, 100))]
    return [
        _timing("next item", [next_ms for next_ms, _ in found]),
        _timing("decide", [decide_ms for _, decide_ms in found]),
        _timing("next item and decide", [sum(pair) for pair in found]),
        _timing("fact check of a text", looked),
    ]


def write_run(
    run: Path, graph: Graph, clips: int, *, seed: int = 0, views: Mapping[str, str] | None = None
) -> None:
    """Write a run of template dialogues about made-up labels; all have the same views, if any."""
    with atomic_write(run / DIALOGUES) as stream:
        for made in dialogues(graph, clips, seed):
            dialogue = made.model_copy(update={"views": dict(views or {})})
            stream.write(dialogue.model_dump_json(exclude_defaults=True) + "\n")
    write_text(run / FLAGGED, "")
    record = RunRecord(
        data="made up",
        graph=graph.version,
        graph_name=graph.name,
        writer="template",
        seed=seed,
        split="none",
        prompts="",
        versions={},
        dialogues=clips,
    )
    write_text(run / RUN, record.model_dump_json())


def dialogues(graph: Graph, clips: int, seed: int) -> Iterator[Dialogue]:
    """Yield dialogues about clips of all actions in turn, with up to five errors each."""
    draw, writer = random.Random(seed), TemplateWriter(graph, seed=seed)
    actions, family = list(graph.actions), family_of(SPLIT)
    for number in range(clips):
        action = actions[number % len(actions)]
        known = graph.occurrences(action)
        errors = draw.sample(known, draw.randint(0, min(5, len(known))))
        annotation = Annotation(
            clip=f"{action}/{number // len(actions) + 1:03}",
            action=action,
            errors=tuple(ErrorLabel(key_step=e.key_step, error_type=e.error_type) for e in errors),
        )
        facts = facts_of(graph, annotation)
        sentences = writer.sentences(facts, family)
        yield Dialogue(
            clip=annotation.clip,
            action=action,
            subject=None,
            split=SPLIT,
            turns=dialogue_turns(graph, facts, sentences, family=family, seed=seed),
            facts=facts,
            provenance=Provenance(
                graph=graph.version,
                prompts="",
                facts=facts.hash,
                writer="template",
                seed=seed,
                family=family,
            ),
        )


def _review(store: Store, person: str) -> tuple[float, float]:
    """Return how long it took to get an item, and to decide it, in milliseconds."""
    found: list[float] = []
    start = time.perf_counter()
    assignment = next_item(store, person)
    found.append((time.perf_counter() - start) * 1000)
    assert assignment is not None
    start = time.perf_counter()
    decide(store, person, assignment.item.clip, "accept", version=assignment.item.version)
    found.append((time.perf_counter() - start) * 1000)
    return found[0], found[1]


def _check(store: Store, graph: Graph) -> float:
    assignment = next_item(store, PEOPLE[0])
    assert assignment is not None
    start = time.perf_counter()
    check_text(graph, assignment.item.dialogue, assignment.text + " Well done.")
    return (time.perf_counter() - start) * 1000


def _timing(name: str, times: list[float]) -> Timing:
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return Timing(name, len(times), statistics.median(times), p95, ordered[-1])
