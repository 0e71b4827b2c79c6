"""Shows a run and its dialogues in the terminal."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from qa_gen.dialogue import Dialogue
from qa_gen.runs import RunRecord, read_dialogues, read_run

TEMPLATE_NOTE = (
    "Evaluations were written from templates, without a language model. "
    "Set the key of one and choose --writer llm for freer prose."
)


def show_run(console: Console, run: Path, clip: str | None) -> None:
    """Print the summary of a run and one dialogue: the named clip's, or the first with errors."""
    record = read_run(run)
    chosen, parts, simulated = _scan(read_dialogues(run), clip)
    if chosen is None and clip is not None:
        chosen = next((d for d in read_dialogues(run, flagged=True) if d.clip == clip), None)
    if chosen is not None:
        console.print(_panel(chosen))
    console.print(_summary(run, record, parts, simulated))


def _scan(
    dialogues: Iterator[Dialogue], clip: str | None
) -> tuple[Dialogue | None, Counter[str], bool]:
    chosen = None
    parts: Counter[str] = Counter()
    simulated = False
    for dialogue in dialogues:
        parts[dialogue.split] += 1
        simulated |= dialogue.simulated
        wanted = dialogue.clip == clip if clip else 2 <= len(dialogue.facts.errors) <= 4
        if chosen is None and wanted:
            chosen = dialogue
    return chosen, parts, simulated


def _panel(dialogue: Dialogue) -> RenderableType:
    lines: list[RenderableType] = []
    for turn in dialogue.turns:
        lines += [Text(f"Q  {turn.question}", style="bold cyan"), Text(f"A  {turn.answer}\n")]
    lines += [Text(f"✗ {finding.message}", style="red") for finding in dialogue.findings]
    errors = ", ".join(map(str, dialogue.facts.occurrences)) or "none"
    title = f"{dialogue.clip} · {dialogue.split} · labelled errors: {errors}"
    return Panel(Group(*lines), title=title, border_style="red" if dialogue.findings else "green")


def _summary(run: Path, record: RunRecord, parts: Counter[str], simulated: bool) -> RenderableType:
    table = Table(title="FLEX-VideoQA" + (" (simulated labels)" if simulated else ""))
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_row("dialogues that passed the fact check", f"{record.dialogues:,}")
    table.add_row("question–answer pairs", f"{4 * record.dialogues:,}")
    for part, count in sorted(parts.items()):
        table.add_row(f"  {part}", f"{count:,}")
    table.add_row("flagged for a person, not exported", f"{record.flagged:,}")
    notes = [Text(f"Writer: {record.writer}" + (f" ({record.model})" if record.model else ""))]
    if record.writer == "template":
        notes.append(Text(TEMPLATE_NOTE, style="yellow"))
    if record.stopped:
        notes.append(Text(f"Incomplete: {record.stopped}", style="red"))
    card = run / "export" / "card.html"
    if card.exists():
        notes.append(Text(f"Open in a browser: {card}", style="bold"))
    return Group(table, *notes)
