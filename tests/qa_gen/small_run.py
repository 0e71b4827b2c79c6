"""Builds a small run whose counts are known by hand, for the tests of the export and the card."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from flex.files import write_text
from flex.graph import Graph
from flex.sample import Annotation
from qa_gen.dialogue import Dialogue, Finding, Provenance, Review
from qa_gen.facts import facts_of
from qa_gen.runs import DIALOGUES, FLAGGED, RUN, RunRecord
from qa_gen.template_writer import TemplateWriter, family_of
from qa_gen.turns import dialogue_turns

RunWriter = Callable[..., Path]


def dialogue_of(graph: Graph, annotation: Annotation, split: str, **changes: object) -> Dialogue:
    facts = facts_of(graph, annotation)
    family = family_of(split)
    sentences = TemplateWriter(graph, seed=0).sentences(facts, family)
    dialogue = Dialogue(
        clip=annotation.clip,
        action=facts.action,
        subject=annotation.subject,
        skill=annotation.skill,
        split=split,
        views=annotation.views,
        turns=dialogue_turns(graph, facts, sentences, family=family, seed=0),
        facts=facts,
        provenance=Provenance(
            graph=graph.version,
            prompts="words-1",
            facts=facts.hash,
            writer="template",
            seed=0,
            family=family,
        ),
        simulated=annotation.source == "simulated",
    )
    return dialogue.model_copy(update=changes)


def annotation_of(
    clip: str,
    subject: str | None,
    *errors: str,
    interval: dict[str, float] | None = None,
    **more: object,
) -> Annotation:
    """Return an annotation; errors are written `AK04:ET015`, the action is the clip's folder."""
    pairs = (error.split(":") for error in errors)
    labels = [{"key_step": step, "error_type": kind, **(interval or {})} for step, kind in pairs]
    fields = {"action": clip[:3], "clip": clip, "subject": subject, "errors": labels, **more}
    return Annotation.model_validate(fields)


def lifts(graph: Graph) -> list[Dialogue]:
    """Seven dialogues; 4 train, 1 validation, 2 test; 3 actions; 4 subjects; 6 errors."""
    views = {"front": "A16/001/front.mp4", "left side": "A16/001/left side.mp4"}
    squat = ("AK44:ET055", "AK44:ET056")
    interval = {"start_s": 0.5, "end_s": 1.25}
    partial = annotation_of("A16/003", "P02", "AK44:ET055", labelled=list(squat), interval=interval)
    return [
        dialogue_of(graph, annotation_of("A16/001", "P01", *squat, views=views), "train"),
        dialogue_of(graph, annotation_of("A16/002", "P01", "AK44:ET056", skill="novice"), "train"),
        dialogue_of(graph, partial, "train"),
        dialogue_of(graph, annotation_of("A01/001", "P02", "AK04:ET015"), "train"),
        dialogue_of(graph, annotation_of("A01/002", "P03"), "validation"),
        dialogue_of(graph, annotation_of("A02/001", "P04"), "test"),
        dialogue_of(
            graph,
            annotation_of("A01/<script>alert(1)</script>|", "P04", "AK04:ET015"),
            "test",
        ),
    ]


def left_out(graph: Graph) -> list[Dialogue]:
    """Two that the fact check flagged: one for two reasons, one of them twice."""
    missing = Finding(stage="evaluate", code="missing_error", message="AK04:ET015 is not named")
    number = Finding(stage="score", code="wrong_number", message="the facts hold no number 7")
    return [
        dialogue_of(
            graph,
            annotation_of("A01/090", "P01", "AK04:ET015"),
            "train",
            findings=(missing, missing, number),
        ),
        dialogue_of(graph, annotation_of("A01/091", "P01"), "train", findings=(number,)),
    ]


def rejected(graph: Graph) -> Dialogue:
    review = Review(state="rejected", reviewers=("ana",))
    return dialogue_of(graph, annotation_of("A01/092", "P01"), "train", review=review)


def write_run(
    folder: Path,
    graph: Graph,
    dialogues: Sequence[Dialogue],
    flagged: Sequence[Dialogue] = (),
    changes: Mapping[str, object] | None = None,
) -> Path:
    """Write a run as the generator does."""
    for name, rows in ((DIALOGUES, dialogues), (FLAGGED, flagged)):
        lines = (row.model_dump_json(exclude_defaults=True) + "\n" for row in rows)
        write_text(folder / name, "".join(lines))
    record = RunRecord(
        data="/home/someone/secret-place/lifts",
        graph=graph.version,
        graph_name=graph.name,
        writer="template",
        seed=0,
        split="subject",
        prompts="words-1",
        versions={"python": "3.11"},
        dialogues=len(dialogues),
        flagged=len(flagged),
    )
    write_text(folder / RUN, record.model_copy(update=changes).model_dump_json())
    return folder
