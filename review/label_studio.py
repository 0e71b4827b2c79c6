"""To Label Studio: the tasks of `qa_gen.export_label_studio`, with the decisions so far.

    write_tasks(store, Path("review-tasks.json"), graph, folder="flex-sim")

Label Studio's users are not our people, so who decided, when, and what they saw goes into the
`meta` of the annotation's first result, with a hash of what was said. `review.label_studio_import`
takes it from there as long as nobody has changed the annotation in Label Studio.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flex.files import atomic_write, hash_text
from flex.graph import Graph
from qa_gen.export_label_studio import task_of
from review.records import Decision, Item, item_of
from review.recount import all_standing
from review.store import Store

# Names of the interface, in prompts/card/label-studio.xml.j2.
OBJECT = "dialogue"
VERDICT, EVALUATION, REASON = "verdict", "evaluation", "reason"
META = "review"
VERSION = "version"


def write_tasks(store: Store, path: Path, graph: Graph, *, folder: str = "") -> int:
    """Write the present items as tasks to import; return how many there are.

    Args:
        store: the review.
        path: the file to write.
        graph: the knowledge graph.
        folder: where the data folder lies below the folder that Label Studio serves. That may not
            be the data folder itself: Label Studio 1.23 takes only folders below it as a storage,
            and shows no file outside of a storage.
    """
    count = 0
    with store.read() as db, atomic_write(path) as stream:
        decisions: dict[int, list[Decision]] = defaultdict(list)
        for decision in all_standing(db):
            decisions[decision.item].append(decision)
        for row in db.execute("SELECT * FROM items WHERE present = 1 ORDER BY id"):
            task = review_task(item_of(row), decisions[row["id"]], graph, folder=folder)
            stream.write(("[\n" if count == 0 else ",\n") + json.dumps(task, ensure_ascii=False))
            count += 1
        stream.write("\n]\n" if count else "[]\n")
    return count


def review_task(
    item: Item, decisions: Sequence[Decision], graph: Graph, *, folder: str = ""
) -> dict[str, Any]:
    """Return an item as a task; what the fact check found stands where it says "passed"."""
    task = task_of(item.dialogue, graph, folder=folder)
    found = item.dialogue.findings
    if found:
        task["data"]["check"] = "\n".join(f"{one.stage}: {one.message}" for one in found)
    task["data"][VERSION] = item.version
    task["annotations"] = [_annotation(decision) for decision in decisions]
    return task


def said_hash(action: str, text: str | None, reason: str | None) -> str:
    """Return a hash of what an annotation says."""
    return hash_text(action, text or "", reason or "")


def _annotation(decision: Decision) -> dict[str, Any]:
    said: list[tuple[str, str, dict[str, list[str]]]] = [
        (VERDICT, "choices", {"choices": [decision.action]})
    ]
    if decision.text is not None:
        said.append((EVALUATION, "textarea", {"text": [decision.text]}))
    if decision.reason is not None:
        said.append((REASON, "textarea", {"text": [decision.reason]}))
    result: list[dict[str, Any]] = [
        {
            "id": f"{name}-{decision.id}",
            "from_name": name,
            "to_name": OBJECT,
            "type": kind,
            "value": value,
        }
        for name, kind, value in said
    ]
    meta = {
        "person": decision.person,
        "time_s": decision.time_s,
        "duration_ms": decision.duration_ms,
        "occurrences": decision.occurrences,
        "said": said_hash(decision.action, decision.text, decision.reason),
    }
    # Label Studio keeps `meta.text` of a result and hands it back; it shows it to nobody else.
    result[0]["meta"] = {"text": [json.dumps({META: meta})]}
    # Label Studio takes what is imported for the ground truth unless told otherwise.
    annotation: dict[str, Any] = {"result": result, "ground_truth": False}
    if decision.duration_ms is not None:
        annotation["lead_time"] = decision.duration_ms / 1000
    return annotation
