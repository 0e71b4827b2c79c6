"""Which labelled errors can be recovered from the skeleton alone, by rules from the descriptions?

    python -m sim.checks.geometry --out docs/simulated-geometry.md

An error that no rule finds is one that the simulation does not show, or shows as another. Rules
(`sim.checks.rules`) measure one thing per error; the limits of what is right are set on people of
the first cohort, F1 is counted on others, of the second. Writes a table, and all numbers as JSON
beside it. Errors that only video or breathing can show are listed and not counted.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table

from flex import cli
from flex.files import write_text
from flex.graph import Occurrence
from flex.graph_file import load_graph
from flex.sample import Annotation
from sim.checks.features import face_forward
from sim.checks.rules import find_rule
from sim.checks.step import Step, by_phase
from sim.checks.thresholds import Limits, calibrate, count
from sim.choreography import load_choreography
from sim.clips import simulate
from sim.lift import Stage, frame_times, lift
from sim.settings import load_settings
from sim.study import Bools, Floats, Study
from sim.trials import kept_count

REASONS_FILE = Path(__file__).with_name("geometry_reasons.yaml")
GOAL = 0.9
_UNKNOWN = "not looked into; with few clips of an error F1 varies"
app = cli.new_app(__doc__ or "")


@dataclass(frozen=True)
class Lifts:
    """Clips of one action.

    Attributes:
        phases: (N, 3, S, 21, 3) metres, see `sim.checks.step`.
        seconds: (N, 3) how long the phases last.
        records: N records.
    """

    phases: Floats
    seconds: Floats
    records: tuple[Annotation, ...]

    def shown(self, item: Occurrence) -> Bools:
        """Return which clips show an error: (N,)."""
        return np.array([item in record.occurrences for record in self.records])


@dataclass(frozen=True)
class Outcome:
    """How well the rule of an occurrence does on people that it was not calibrated on."""

    action: str
    key_step: str
    error_type: str
    rule: str
    low: float
    high: float
    shown: int
    found: int
    precision: float
    recall: float
    f1: float
    reason: str = ""


def main() -> None:
    """Run the command."""
    cli.run(app)


@app.command()
def check(
    out: Annotated[Path, typer.Option(help="Markdown file to write; JSON goes beside it.")],
    clips: Annotated[int, typer.Option(help="How many clips of unseen people.", min=20)] = 1000,
    calibration: Annotated[
        int, typer.Option(help="How many clips to set the limits on.", min=20)
    ] = 4000,
    seed: Annotated[int, typer.Option(help="Of the study and the choice of clips.")] = 0,
) -> None:
    """Calibrate on some people, test on others, and write F1 per error type and occurrence."""
    stage = Stage(Study(load_graph(), load_settings(), seed), load_choreography())
    known, unseen = choose_records(stage.study, calibration, clips)
    before = load_lifts(stage, track(known, "people to set limits on", console=cli.err))
    after = load_lifts(stage, track(unseen, "people to find errors in", console=cli.err))
    outcomes = list(evaluate(stage, before, after))
    write_text(out, _markdown(outcomes, stage, len(known), len(unseen), seed))
    numbers = {"seed": seed, "clips": len(unseen), "calibration": len(known)}
    rows = [_plain(outcome) for outcome in outcomes]
    result = numbers | {"f1": f1_by_type(outcomes), "occurrences": rows}
    write_text(out.with_suffix(".json"), json.dumps(result, indent=1) + "\n")
    _show(outcomes, stage)


def choose_records(study: Study, *wanted: int) -> list[list[Annotation]]:
    """Return records of as many cohorts as there are numbers, of each action equally many."""
    parts: list[dict[str, list[Annotation]]] = [{} for _ in wanted]
    for record in simulate(study, len(wanted) * kept_count(study)):
        _, _, cohort = (record.subject or "").partition(".")
        parts[int(cohort or 1) - 1].setdefault(record.action, []).append(record)
    draws = study.draws("geometry")
    chosen = []
    for part, number in zip(parts, wanted, strict=True):
        each = -(-number // len(part))
        orders = {name: draws.permutation(len(records))[:each] for name, records in part.items()}
        chosen.append([part[name][row] for name, order in orders.items() for row in order])
    return chosen


def load_lifts(stage: Stage, records: Iterable[Annotation]) -> dict[str, Lifts]:
    """Return the skeletons of records by action."""
    joints: dict[str, list[Floats]] = {}
    taken: dict[str, list[Annotation]] = {}
    for record in records:
        motion = lift(stage, stage.subject(record), record, frame_times(record))
        joints.setdefault(record.action, []).append(motion.joints)
        taken.setdefault(record.action, []).append(record)
    return {name: _lifts(np.array(joints[name]), taken[name]) for name in joints}


def _lifts(joints: Floats, records: list[Annotation]) -> Lifts:
    spans = np.array([[(p.start_s, p.end_s) for p in record.phases] for record in records])
    lasts = np.array([record.duration_s for record in records], dtype=float)
    phases = by_phase(face_forward(joints), spans / lasts[:, None, None])
    return Lifts(phases, np.diff(spans, axis=-1)[..., 0], tuple(records))


def observable(stage: Stage) -> Iterator[tuple[str, Occurrence]]:
    """Yield every action and occurrence that the skeleton is meant to show."""
    for action in stage.study.graph.actions:
        for item in stage.study.graph.occurrences(action):
            effect = stage.choreography.errors.effect(action, *item)
            if effect is not None and effect.seen_in == "pose":
                yield action, item


def measure(stage: Stage, lifts: dict[str, Lifts], action: str, item: Occurrence) -> Floats:
    """Return what the rule of an occurrence measures on the clips of an action: (N,)."""
    graph, some = stage.study.graph, lifts[action]
    order, phase = graph.actions[action].phases, graph.key_steps[item.key_step].phase
    return find_rule(action, item)(Step(some.phases, some.seconds, order, phase))


def evaluate(stage: Stage, before: dict[str, Lifts], after: dict[str, Lifts]) -> Iterator[Outcome]:
    """Yield the outcome of every observable occurrence that both sets of clips show."""
    reasons: dict[str, str] = yaml.safe_load(REASONS_FILE.read_text(encoding="utf-8"))
    for action, item in observable(stage):
        shown = before[action].shown(item)
        if not shown.any() or not after[action].shown(item).any():
            continue
        limits: Limits = calibrate(measure(stage, before, action, item), shown)
        found = limits.outside(measure(stage, after, action, item))
        done = count(found, after[action].shown(item))
        yield Outcome(
            action=action,
            key_step=item.key_step,
            error_type=item.error_type,
            rule=find_rule(action, item).__name__,
            low=limits.low,
            high=limits.high,
            shown=done.shown,
            found=done.found,
            precision=round(done.precision, 4),
            recall=round(done.recall, 4),
            f1=round(done.f1, 4),
            reason=reasons.get(f"{action} {item}", _UNKNOWN) if done.f1 < GOAL else "",
        )


def f1_by_type(outcomes: Iterable[Outcome]) -> dict[str, float]:
    """Return error type → mean F1 over its occurrences."""
    scores: dict[str, list[float]] = {}
    for outcome in outcomes:
        scores.setdefault(outcome.error_type, []).append(outcome.f1)
    return {name: round(float(np.mean(f1)), 4) for name, f1 in sorted(scores.items())}


def _plain(outcome: Outcome) -> dict[str, object]:
    """Return an outcome as JSON knows it: infinity as null."""
    row = asdict(outcome)
    return row | {key: row[key] if np.isfinite(row[key]) else None for key in ("low", "high")}


def _weak(outcomes: Iterable[Outcome]) -> list[Outcome]:
    return sorted((o for o in outcomes if o.f1 < GOAL), key=lambda o: (o.error_type, o.action))


def _markdown(outcomes: list[Outcome], stage: Stage, known: int, unseen: int, seed: int) -> str:
    graph, f1 = stage.study.graph, f1_by_type(outcomes)
    counted = set(observable(stage))
    everything = [(a, o) for a in graph.actions for o in graph.occurrences(a)]
    hidden: dict[str, list[str]] = {}
    for action, item in everything:
        if (action, item) not in counted:
            hidden.setdefault(item.error_type, []).append(f"{action} {item.key_step}")
    lines = [
        "# Errors that rules recover from simulated skeletons",
        "",
        f"Made by `python -m sim.checks.geometry --clips {unseen} --calibration {known}"
        f" --seed {seed}`: limits set on",
        f"{known} clips of the first cohort, counted on {unseen} clips of people of the second."
        " Simulated data says",
        "nothing about real people.",
        "",
        f"Macro F1 {np.mean(list(f1.values())):.3f} over {len(f1)} error types;"
        f" {sum(o.f1 >= GOAL for o in outcomes)} of {len(outcomes)} occurrences reach {GOAL}.",
        "",
        "| error type | what | occurrences | F1 | below 0.9 |",
        "|---|---|---|---|---|",
    ]
    for name, value in f1.items():
        own = [o for o in outcomes if o.error_type == name]
        below = ", ".join(f"{o.action} {o.key_step} {o.f1:.2f}" for o in own if o.f1 < GOAL)
        what = graph.error_types[name].description
        lines.append(f"| {name} | {what} | {len(own)} | {value:.3f} | {below} |")
    lines += ["", "## Why some are not recovered", ""]
    lines += ["| where | rule | precision | recall | why |", "|---|---|---|---|---|"]
    lines += [
        f"| {o.action} {o.key_step}:{o.error_type} | {o.rule} | {o.precision:.2f} |"
        f" {o.recall:.2f} | {o.reason} |"
        for o in _weak(outcomes)
    ]
    lines += ["", "## Not to be seen in a skeleton", ""]
    for name, places in sorted(hidden.items()):
        only = f" (only at {', '.join(places)})" if name in f1 else ""
        lines.append(f"- {name}: {graph.error_types[name].description}{only}")
    return "\n".join(lines) + "\n"


def _show(outcomes: list[Outcome], stage: Stage) -> None:
    f1 = f1_by_type(outcomes)
    table = Table("error type", "F1", "below 0.9", title="Rules on simulated people, unseen")
    for name, value in sorted(f1.items(), key=lambda pair: pair[1]):
        weak = [f"{o.action} {o.key_step} {o.f1:.2f}" for o in _weak(outcomes)
                if o.error_type == name]  # fmt: skip
        label = f"{name} {stage.study.graph.error_types[name].name}"
        table.add_row(label, f"{value:.3f}", ", ".join(weak))
    table.add_row("macro", f"{np.mean(list(f1.values())):.3f}", "")
    Console().print(table)


if __name__ == "__main__":
    main()
