"""Writes dialogues as Parquet, one file per split, as Hugging Face `datasets` reads it.

    datasets.load_dataset("runs/qa/export")["train"][0]["messages"]

One row is one dialogue. `messages` is ready for a chat template; `turns` holds the same text by
stage; `views` names the videos, as paths relative to the data folder.
"""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from flex.graph import Graph
from qa_gen.dialogue import Dialogue

# Rows held in memory at once; also the row group, so that readers can skip and stream as well.
ROW_GROUP = 1000

SCHEMA = pa.schema(
    [
        ("clip", pa.string()),
        ("action", pa.string()),
        ("action_name", pa.string()),
        ("subject", pa.string()),
        ("skill", pa.string()),
        ("split", pa.string()),
        ("views", pa.list_(pa.struct([("view", pa.string()), ("path", pa.string())]))),
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        (
            "turns",
            pa.list_(
                pa.struct(
                    [("stage", pa.string()), ("question", pa.string()), ("answer", pa.string())]
                )
            ),
        ),
        (
            "errors",
            pa.list_(
                pa.struct(
                    [
                        ("key_step", pa.string()),
                        ("error_type", pa.string()),
                        ("start_s", pa.float64()),
                        ("end_s", pa.float64()),
                    ]
                )
            ),
        ),
        ("labelled", pa.list_(pa.string())),
        ("score", pa.float64()),
        ("simulated", pa.bool_()),
        ("graph", pa.string()),
        ("writer", pa.string()),
        ("model", pa.string()),
        ("seed", pa.int64()),
        ("family", pa.string()),
        ("facts_hash", pa.string()),
        ("prompts", pa.string()),
        ("review_state", pa.string()),
    ]
)


def parquet_file(split: str) -> str:
    """Return where a split's rows lie in the export."""
    return f"data/{split}-00000-of-00001.parquet"


def messages_of(dialogue: Dialogue) -> list[dict[str, str]]:
    """Return the turns as chat messages: user and assistant in alternation."""
    return [
        {"role": role, "content": text}
        for turn in dialogue.turns
        for role, text in (("user", turn.question), ("assistant", turn.answer))
    ]


def row_of(dialogue: Dialogue, graph: Graph) -> dict[str, Any]:
    """Return the row of a dialogue; its keys are the columns of `SCHEMA`."""
    made = dialogue.provenance
    labelled = dialogue.facts.labelled
    return {
        "clip": dialogue.clip,
        "action": dialogue.action,
        "action_name": graph.actions[dialogue.action].name,
        "subject": dialogue.subject,
        "skill": dialogue.skill,
        "split": dialogue.split,
        "views": [{"view": view, "path": path} for view, path in dialogue.views.items()],
        "messages": messages_of(dialogue),
        "turns": [turn.model_dump(exclude={"sentences"}) for turn in dialogue.turns],
        "errors": [error.model_dump() for error in dialogue.facts.errors],
        "labelled": None if labelled is None else [str(item) for item in labelled],
        "score": dialogue.facts.score,
        "simulated": dialogue.simulated,
        "graph": made.graph,
        "writer": made.writer,
        "model": made.model,
        "seed": made.seed,
        "family": made.family,
        "facts_hash": made.facts,
        "prompts": made.prompts,
        "review_state": dialogue.review.state,
    }


class ParquetFiles:
    """The Parquet files of an export; a split's file appears with its first dialogue."""

    def __init__(self, folder: Path, graph: Graph) -> None:
        self._folder = folder
        self._graph = graph
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def add(self, dialogue: Dialogue) -> None:
        """Add a dialogue to the file of its split."""
        rows = self._rows.setdefault(dialogue.split, [])
        rows.append(row_of(dialogue, self._graph))
        if len(rows) >= ROW_GROUP:
            self._flush(dialogue.split)

    def _flush(self, split: str) -> None:
        rows = self._rows[split]
        if split not in self._writers:
            path = self._folder / parquet_file(split)
            path.parent.mkdir(exist_ok=True)
            self._writers[split] = pq.ParquetWriter(path, SCHEMA, compression="zstd")
        self._writers[split].write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
        rows.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for split, rows in self._rows.items():
                    if rows:
                        self._flush(split)
        finally:
            for writer in self._writers.values():
                writer.close()
