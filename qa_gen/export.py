"""Exports the dialogues of a run in every format, with their data card.

    export(Path("runs/qa"), Path("runs/qa/export"), load_graph())

Dialogues stream by once; memory does not grow with their number. The folder appears as a whole at
the end, and the same run gives the same bytes. Formats: docs/exports.md.

What failed the fact check, what a reviewer rejected, and edited text that no longer passes is
left out, and counted in the card.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from flex.graph import Graph
from flex.problems import InputError, Problem
from qa_gen.card import split_order, write_card
from qa_gen.card_samples import SampleChooser
from qa_gen.card_stats import CardStats
from qa_gen.check import check_dialogue
from qa_gen.dialogue import Dialogue
from qa_gen.export_chat import ChatFiles
from qa_gen.export_croissant import CROISSANT, write_croissant
from qa_gen.export_folder import replaced_folder
from qa_gen.export_label_studio import LabelStudioFiles
from qa_gen.export_parquet import ParquetFiles
from qa_gen.runs import RunRecord, read_dialogues, read_run


class ExportSummary(NamedTuple):
    """What was exported: dialogues by split, how many were left out and why, and the files."""

    folder: Path
    splits: dict[str, int]
    left_out: dict[str, int]
    files: tuple[str, ...]

    @property
    def dialogues(self) -> int:
        """How many dialogues were exported."""
        return sum(self.splits.values())


def export(run: Path, out: Path, graph: Graph) -> ExportSummary:
    """Write the dialogues of a run that passed the fact check to `out`, which is replaced.

    Args:
        run: folder with `run.json`, `dialogues.jsonl` and `flagged.jsonl`.
        out: folder to write; an export that is there stays until the new one is whole.
        graph: the knowledge graph that the run was made with.

    Raises:
        InputError: an unfinished run, a line that is no dialogue, another graph, nothing to
            export, or a folder that holds something else.
    """
    record = read_run(run)
    if record.graph != graph.version:
        message = (
            f"made with the knowledge graph {record.graph}, but this one is {graph.version}; "
            "give the run's own graph, or generate the dialogues again"
        )
        raise InputError([Problem(str(run), message)])
    with replaced_folder(out, marker=CROISSANT) as folder:
        stats = _write(run, folder, record, graph)
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))
    return ExportSummary(
        folder=out,
        splits={split: stats.splits[split] for split in split_order(stats)},
        left_out=dict(sorted(stats.left_out.items())),
        files=tuple(files),
    )


def _write(run: Path, folder: Path, record: RunRecord, graph: Graph) -> CardStats:
    stats, samples = CardStats(), SampleChooser()
    with ExitStack() as stack:
        sinks = (
            stack.enter_context(ParquetFiles(folder, graph)),
            stack.enter_context(ChatFiles(folder)),
            stack.enter_context(LabelStudioFiles(folder, graph, recordings=record.folder_name)),
            stats,
            samples,
        )
        for dialogue in _exported(run, graph, stats):
            for sink in sinks:
                sink.add(dialogue)
    if not stats.dialogues:
        why = ", ".join(f"{count} {name}" for name, count in stats.left_out.items()) or "none made"
        raise InputError([Problem(str(run), f"no dialogue can be exported ({why})")])
    write_croissant(folder, split_order(stats), simulated=bool(stats.simulated))
    write_card(folder, record, graph, stats, samples.chosen())
    return stats


def _exported(run: Path, graph: Graph, stats: CardStats) -> Iterator[Dialogue]:
    """Yield what may be exported, and count what may not."""
    for dialogue in read_dialogues(run, flagged=True):
        stats.leave_out(dialogue, "failed the fact check")
    for dialogue in read_dialogues(run):
        if dialogue.findings:
            stats.leave_out(dialogue, "failed the fact check")
        elif dialogue.review.state == "rejected":
            stats.leave_out(dialogue, "rejected by reviewers")
        elif dialogue.review.state == "edited" and (
            findings := check_dialogue(graph, dialogue.facts, dialogue.turns)
        ):
            failed = dialogue.model_copy(update={"findings": tuple(findings)})
            stats.leave_out(failed, "edited, and failed the fact check")
        else:
            yield dialogue
