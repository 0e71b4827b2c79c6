"""One page of a whole run: the paper's figures beside ours, settings, time and cost of each step.

path = write_page(chain, Path("runs/reproduce"), data=Path("runs/reproduce/data"))

Writes index.html, which fetches nothing, and index.md. Wording: prompts/reproduce.
"""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from flex.annotations import ANNOTATIONS_FILE
from flex.files import hash_file, write_text
from flex.graph_file import load_graph
from flex.templates import render, wording
from reproduce.chain import Chain, Step
from reproduce.costs import Prices, cost_of, duration, total_of
from reproduce.execute import tail
from reproduce.fingerprint import ClipHashes
from reproduce.machine import describe
from reproduce.record import StepRecord, log_path, now, read_record
from reproduce.results import Cell, Measure, figures
from reproduce.timeline import Span, timeline

PAGE, TEXT = "index.html", "index.md"
_LONGEST_SETTINGS = 6000


class Told(NamedTuple):
    """What the page says of one step."""

    name: str
    title: str
    state: str
    record: StepRecord | None
    cost: str
    commands: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]
    log: str
    failed_log: str


def write_page(chain: Chain, out: Path, data: Path, prices: Prices | None = None) -> Path:
    """Write the page of what lies in a folder, however far it has come; return index.html.

    Args:
        chain: with its names filled in.
        out: folder of the run.
        data: the data folder.
        prices: what an hour costs; `None`: nothing is stated.

    Raises:
        InputError: a report that cannot be read.
    """
    said, prices = words(), prices or Prices()
    found = figures(chain.reports)
    python = chain.names.get("python", "python")
    steps = [_told(step, out, prices, python) for step in chain.steps]
    records = [step.record for step in steps if step.record]
    content = {
        "chain": chain,
        "made": now(),
        "simulated": next((f.simulated for f in found if f.simulated), ""),
        "unfinished": [f"{s.name} ({s.state})" for s in steps if s.state != said["states"]["done"]],
        "figures": found,
        "steps": steps,
        "total": total_of(records, prices),
        "timeline": timeline(said["timeline"], _spans(steps, chain)),
        "machine": describe(),
        "price": _price(prices),
        "facts": _facts(chain, data, out, steps),
        "number": _number,
        "spread": _spread,
        "duration": duration,
    }
    write_text(out / PAGE, render("reproduce/page.html.j2", **content))
    write_text(out / TEXT, render("reproduce/page.md.j2", **content))
    return out / PAGE


def words() -> dict[str, Any]:
    """Return what the page and the console say."""
    return wording("reproduce/words.yaml")


def _told(step: Step, out: Path, prices: Prices, python: str) -> Told:
    record = read_record(out, step.name)
    log = log_path(out, step.name)
    commands = record.commands if record else step.commands
    return Told(
        name=step.name,
        title=step.title,
        state=words()["states"][record.state if record else "none"],
        record=record,
        cost=cost_of(record, prices) if record else "",
        commands=tuple(one.replace(python, "python") for one in commands),
        settings=tuple(
            (path, _short(Path(path))) for path in step.settings if Path(path).is_file()
        ),
        log=str(log),
        failed_log=tail(log, 30) if record and record.state == "failed" else "",
    )


def _price(prices: Prices) -> str:
    if not prices.known:
        return str(words()["no_price"])
    said = words()["price"]
    core, gpu = prices.core_hour or 0.0, prices.gpu_hour or 0.0
    return str(said.format(core=core, gpu=gpu, currency=prices.currency))


def _short(path: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    return text if len(text) <= _LONGEST_SETTINGS else text[:_LONGEST_SETTINGS] + "\n…"


def _spans(steps: list[Told], chain: Chain) -> list[Span]:
    uses = {step.name: step.uses for step in chain.steps}
    spans = []
    for step in steps:
        if step.record:
            on_gpu = uses[step.name] != "gpu" or step.record.gpus
            kind = (
                "failed" if step.record.state == "failed" else uses[step.name] if on_gpu else "cpu"
            )
            note = duration(step.record.seconds)
            spans.append(Span(step.name, step.record.seconds, note, kind))
    return spans


def _facts(chain: Chain, data: Path, out: Path, steps: list[Told]) -> list[tuple[str, str]]:
    said = words()["facts"]
    facts = [(said["chain"], chain.title), (said["data"], str(data))]
    check = out / "check.json"
    if check.is_file():
        counts = json.loads(check.read_text(encoding="utf-8"))
        views = ", ".join(counts["views"]) or "none"
        facts.append((said["clips"], words()["clips"].format(**{**counts, "views": views})))
    labels = data / ANNOTATIONS_FILE
    if labels.is_file():
        facts.append((said["labels"], hash_file(labels)[:16]))
    if data.is_dir():
        facts.append((said["listing"], ClipHashes().of_path(data)))
    facts.append((said["graph"], load_graph().version))
    facts.append((said["seeds"], _seeds(steps)))
    records = [step.record for step in steps if step.record]
    used = [", ".join(f"{name} {v}" for name, v in r.versions.items()) for r in records]
    facts.append((said["versions"], _distinct(used)))
    commits = [record.commit or said["no_commit"] for record in records]
    return [*facts, (said["commit"], _distinct(commits))]


def _distinct(found: list[str]) -> str:
    """Return what the steps have in common, or all that they differ in."""
    return "; ".join(dict.fromkeys(filter(None, found))) or "–"


def _seeds(steps: list[Told]) -> str:
    """Return the seeds that the steps' settings state, as in "sft 0, emg-train 0"."""
    stated = []
    for step in steps:
        for _, text in step.settings:
            try:
                settings = yaml.safe_load(text)
            except yaml.YAMLError:  # it was cut
                continue
            if isinstance(settings, dict) and "seed" in settings:
                stated.append(f"{step.name} {settings['seed']}")
    return ", ".join(stated) or "–"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


def _spread(cell: Cell, measure: Measure) -> str:
    """Return "[0.62, 0.99]", or nothing where there is no interval."""
    if not (math.isfinite(cell.low) and math.isfinite(cell.high)) or cell.low == cell.high:
        return ""
    digits = max(1, measure.digits - 1)
    return f"[{cell.low:.{digits}f}, {cell.high:.{digits}f}]"
