"""Describes the exported Parquet files in Croissant, for data set tools and search.

    mlcroissant.Dataset("runs/qa/export/croissant.json").records("train")

There is one record set per split; its fields follow the Parquet schema, so that they cannot drift
apart. Nothing depends on the time or place of the export.
"""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flex.files import hash_file
from qa_gen.export_parquet import SCHEMA, parquet_file

if TYPE_CHECKING:
    import mlcroissant as mlc

CROISSANT = "croissant.json"
LICENSE = "https://creativecommons.org/licenses/by-nc/4.0/"
CITATION = (
    "@article{flex2025, title={FLEX}, journal={arXiv preprint arXiv:2506.03198}, year={2025}, "
    "url={https://arxiv.org/abs/2506.03198}}"
)
COLUMNS = {
    "clip": "Unique id of the clip.",
    "action": "Id of the exercise in the knowledge graph.",
    "action_name": "Name of the exercise.",
    "subject": "Who lifts.",
    "skill": "novice, amateur or expert.",
    "split": "train, validation or test.",
    "views": "Camera views, and the path of each video relative to the data folder.",
    "messages": "The four questions and answers as chat messages.",
    "turns": "The same by stage: recognise, standard, evaluate, score.",
    "errors": "Labelled errors in phase order; times in seconds, where they were annotated.",
    "labelled": "What the annotators looked for; null means every error of the exercise.",
    "score": "Eq. 1 of the paper over what was labelled, 0 to 100.",
    "simulated": "True where labels are simulated.",
    "graph": "Version of the knowledge graph.",
    "writer": "What wrote the evaluation: template or llm.",
    "model": "Name of the language model.",
    "seed": "Seed of the phrasings.",
    "family": "Phrasing family; train and test have different ones.",
    "facts_hash": "Hash of all that the text may depend on.",
    "prompts": "Hash of the wording that was used.",
    "review_state": "unreviewed, accepted or edited.",
}


def write_croissant(folder: Path, splits: Sequence[str], *, simulated: bool) -> None:
    """Write `croissant.json` for the Parquet files under `folder`."""
    import mlcroissant as mlc

    kind = "Labels are simulated. " if simulated else ""
    metadata = mlc.Metadata(
        name="FLEX-VideoQA",
        description=f"{kind}Fact-checked coaching dialogues about weight-loaded exercises: "
        "which exercise, how it is done right, what went wrong and how to mend it, the score.",
        license=[LICENSE],
        cite_as=CITATION,
        url="https://arxiv.org/abs/2506.03198",
        version=version("flex-coach"),
        in_language=["en"],
        keywords=["video question answering", "action quality assessment", "fitness"],
        distribution=[_file(mlc, folder, split) for split in splits],
        record_sets=[_record_set(mlc, split) for split in splits],
    )
    text = json.dumps(metadata.to_json(), indent=2, ensure_ascii=False)
    (folder / CROISSANT).write_text(text + "\n", encoding="utf-8")


def _file(mlc: Any, folder: Path, split: str) -> "mlc.FileObject":
    path = folder / parquet_file(split)
    return mlc.FileObject(
        id=f"{split}-parquet",
        name=f"{split}-parquet",
        description=f"Dialogues of the {split} split.",
        content_url=parquet_file(split),
        content_size=f"{path.stat().st_size} B",
        encoding_formats=["application/x-parquet"],
        sha256=hash_file(path),
    )


def _record_set(mlc: Any, split: str) -> "mlc.RecordSet":
    return mlc.RecordSet(
        id=split,
        name=split,
        description=f"One record is one dialogue of the {split} split.",
        key=[f"{split}/clip"],
        fields=[_field(mlc, split, column) for column in SCHEMA],
    )


def _field(mlc: Any, split: str, column: pa.Field) -> "mlc.Field":
    shape: dict[str, Any] = {"id": f"{split}/{column.name}", "name": column.name}
    shape["description"] = COLUMNS[column.name]
    if not pa.types.is_list(column.type):
        return mlc.Field(**shape, **_leaf(mlc, split, column.name, column.type))
    shape |= {"is_array": True, "array_shape": "-1"}
    item = column.type.value_type
    if not pa.types.is_struct(item):
        return mlc.Field(**shape, **_leaf(mlc, split, column.name, item))
    parts = [
        mlc.Field(
            id=f"{split}/{column.name}/{part.name}",
            name=part.name,
            **_leaf(mlc, split, column.name, part.type, part.name),
        )
        for part in item
    ]
    return mlc.Field(**shape, sub_fields=parts)


def _leaf(
    mlc: Any, split: str, column: str, kind: pa.DataType, part: str | None = None
) -> dict[str, Any]:
    """Say what type a column has (or one part of its structs) and where it is read."""
    types = {
        pa.string(): mlc.DataType.TEXT,
        pa.float64(): mlc.DataType.FLOAT,
        pa.int64(): mlc.DataType.INTEGER,
        pa.bool_(): mlc.DataType.BOOL,
    }
    transforms = [] if part is None else [mlc.Transform(json_path=part)]
    source = mlc.Source(
        file_object=f"{split}-parquet", extract=mlc.Extract(column=column), transforms=transforms
    )
    return {"data_types": [types[kind]], "source": source}
