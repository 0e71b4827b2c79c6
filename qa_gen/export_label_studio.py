"""Writes dialogues as Label Studio tasks, with the labeling interface to review them.

In Label Studio, create a project, paste `label-studio/config.xml` as its labeling interface and
import `label-studio/tasks.json`. A reviewer sees the videos, the dialogue, the labels and the
result of the fact check, and accepts, edits or rejects the evaluation.

Videos are addressed through Label Studio's local storage: start it with
`LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true` and `LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT` set to
the folder that holds the data folder, and add the data folder to the project as a local storage.
The interface shows the views that every task has.
"""

import json
import re
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import quote

from flex.graph import Graph
from flex.templates import environment
from qa_gen.dialogue import Dialogue
from qa_gen.facts import ErrorFact

FOLDER = "label-studio"
LOCAL_FILES = "/data/local-files/?d="


def view_key(view: str) -> str:
    """Return the name of a view's field in a task, such as `video_View_1`."""
    return "video_" + re.sub(r"\W", "_", view)


def task_of(dialogue: Dialogue, graph: Graph, *, folder: str = "") -> dict[str, Any]:
    """Return the Label Studio task of a dialogue that passed the fact check.

    Args:
        dialogue: what is reviewed.
        graph: names and weights of its labels.
        folder: of the recordings, as Label Studio's served folder holds it.
    """
    facts = dialogue.facts
    made = dialogue.provenance
    scope = "all of the action" if facts.labelled is None else ", ".join(map(str, facts.labelled))
    data = {
        "clip": dialogue.clip,
        "action": f"{dialogue.action} {graph.actions[dialogue.action].name}",
        "split": dialogue.split,
        "dialogue": [
            {"author": author, "text": text, "stage": turn.stage}
            for turn in dialogue.turns
            for author, text in (("question", turn.question), ("answer", turn.answer))
        ],
        "evaluation": dialogue.turn("evaluate").answer,
        "labels": "\n".join(_label(graph, error) for error in facts.errors) or "no errors",
        "labelled": scope,
        "score": f"{facts.score:g} of 100",
        "check": f"fact check passed · {dialogue.review.state}",
        "writer": made.writer if made.model is None else f"{made.writer} ({made.model})",
        "facts_hash": made.facts,
    }
    videos = {
        view_key(view): LOCAL_FILES + quote(Path(folder, path).as_posix())
        for view, path in dialogue.views.items()
    }
    return {"data": data | videos}


def _label(graph: Graph, error: ErrorFact) -> str:
    kind = graph.error_types[error.error_type]
    step = graph.key_steps[error.key_step]
    when = "" if error.start_s is None else f", {error.start_s:g}–{error.end_s:g} s"
    return f"{error.occurrence} {kind.name} — {step.name} (weight {kind.weight}{when})"


class LabelStudioFiles:
    """The tasks and the labeling interface, written as the dialogues come."""

    def __init__(self, folder: Path, graph: Graph, *, recordings: str = "") -> None:
        self._folder = folder / FOLDER
        self._graph, self._recordings = graph, recordings
        self._tasks = 0
        self._views: Counter[str] = Counter()
        self._stream: IO[str]

    def add(self, dialogue: Dialogue) -> None:
        """Add a task."""
        made = task_of(dialogue, self._graph, folder=self._recordings)
        task = json.dumps(made, ensure_ascii=False)
        self._stream.write(("[\n" if self._tasks == 0 else ",\n") + task)
        self._tasks += 1
        self._views.update(dialogue.views.keys())

    def _config(self) -> str:
        views = [view for view, count in sorted(self._views.items()) if count == self._tasks]
        template = environment().get_template("card/label-studio.xml.j2")
        return template.render(views=[(view, view_key(view)) for view in views])

    def __enter__(self) -> Self:
        self._folder.mkdir()
        path = self._folder / "tasks.json"
        self._stream = path.open("w", encoding="utf-8", newline="\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        with self._stream as stream:
            if kind is None:
                stream.write("\n]\n" if self._tasks else "[]\n")
        if kind is None:
            (self._folder / "config.xml").write_text(self._config(), encoding="utf-8")
