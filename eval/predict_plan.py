"""What a prediction is asked to do, and which clips and rules that comes to.

clips, problems = clips_of(plan, FrameCache(plan.frames), sampler)
rules = rules_of(responder, sampler, plan)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.answers import STAGES
from eval.predict_dialogue import Clip, Responder
from eval.predict_rules import Rules, choose_rules
from flex.annotations import ANNOTATIONS_FILE, read_annotations
from flex.graph import Graph
from flex.problems import InputError, Problem
from flex.video import Sampler
from vlm.cache import FrameCache
from vlm.dialogues import DialogueRecord, view_path

# Tokens for the questions and the chat template, besides rules, video and answers.
MARGIN = 512


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is asked of every mode."""

    data: Path
    records: Sequence[DialogueRecord]
    split: str
    view: str
    out: Path
    cache: Path
    batch: int
    decoding: Any
    graph: Graph

    @property
    def frames(self) -> Path:
        """Folder of the decoded clips."""
        return self.cache / "frames"

    @property
    def features(self) -> Path:
        """Folder of what the vision tower makes of them."""
        return self.cache / "features"


def rules_of(responder: Responder, sampler: Sampler, plan: Plan) -> Rules:
    """Return the rules that the mode "prompted" is told: those that fit the model's context."""
    room = None
    if responder.context is not None:
        video = sampler.frames // 2 * (sampler.pixels // 28**2)
        answers = len(STAGES) * plan.decoding.max_new_tokens
        room = max(0, responder.context - video - answers - MARGIN)
    return choose_rules(plan.graph, responder.count_tokens, room)


def clips_of(plan: Plan, frames: FrameCache, sampler: Sampler) -> tuple[list[Clip], list[Problem]]:
    """Return the clips whose files are there, and what is wrong with the others.

    Raises:
        InputError: none is there.
    """
    phases = _phases(plan) if sampler.kind == "phases" else {}
    clips: list[Clip] = []
    problems: list[Problem] = []
    for record in plan.records:
        try:
            path = view_path(plan.data, record, plan.view)
            spans = phases.get(record.clip, ())
            clips.append(Clip(record, path, frames.key(path, sampler, spans), spans))
        except InputError as error:
            problems += error.problems
    if not clips:
        raise InputError(problems)
    return clips, problems


def _phases(plan: Plan) -> dict[str, Sequence[Any]]:
    wanted = {record.clip for record in plan.records}
    annotations = read_annotations(plan.data / ANNOTATIONS_FILE, plan.graph)
    return {one.clip: one.phases for one in annotations if one.clip in wanted}
