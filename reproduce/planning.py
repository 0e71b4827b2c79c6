"""What `flex plan` does between its options and its lines: rates, prices, the table, the check."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from flex.cli import err
from flex.problems import InputError, Problem
from flex.yaml_places import read_yaml
from reproduce.estimate import Inputs, Plan, plain, said, words
from reproduce.measure import measure
from reproduce.plan_check import COUNT, TOLERANCE, Compared, check
from reproduce.rates import GPU, Rates, read_rates, write_rates


def known_rates(
    path: Path, others: Sequence[Path], size: int, llm: Path, *, anew: bool
) -> tuple[Rates, Rates]:
    """Return this machine's rates, and the same with those of machines with GPUs.

    Args:
        path: where this machine's lie; they are measured and kept there if it is missing.
        others: files of other machines; of them the rates of GPUs count.
        size: height and width of the clips.
        llm: config of the language model whose tokens are counted.
        anew: measure from nothing, even if the file is there.

    Raises:
        InputError: a file that holds no rates, or a command that failed.
    """
    known = set(words()["rates"])
    if anew or not path.is_file():
        err.print(words()["measuring"].format(path=path), markup=False)
        work = path.parent / "work"
        if anew:
            shutil.rmtree(work, ignore_errors=True)
        rates = measure(_made(work), size, llm, _tell)
        write_rates(path, rates)
        shutil.rmtree(work)
    own = read_rates(path, known)
    with_gpu = []
    for other in others:
        found = read_rates(other, known).rates
        gpu = {name: rate for name, rate in found.items() if name.startswith(GPU)}
        if not gpu:
            message = f"holds no rate of a GPU; their names begin with {GPU!r}"
            raise InputError([Problem(str(other), message)])
        with_gpu.append(Rates(rates=gpu))
    return own, own.joined(with_gpu)


def prices_of(llm: Path) -> dict[str, Any]:
    """Return what a language model's config says of prices, for `Inputs`.

    Raises:
        InputError: the file cannot be read.
    """
    content = read_yaml(llm).data
    if not isinstance(content, dict):
        raise InputError([Problem(str(llm), "expected a mapping of settings")])
    prices = content.get("prices", {})
    return {
        "price_in": float(prices.get("input", 0.0)) / 1e6,
        "price_out": float(prices.get("output", 0.0)) / 1e6,
        "currency": str(prices.get("currency", "USD")),
        "model": str(content.get("model", llm.stem)),
    }


def run_check(folder: Path, size: int, own: Rates) -> list[Compared]:
    """Run a few dozen clips in a scratch folder; return what was predicted and measured."""
    work = folder / "check"
    compared = check(_made(work), size, own, _tell)
    shutil.rmtree(work)
    return compared


def shown_plan(plan: Plan, inputs: Inputs, own: Rates, path: Path) -> Iterator[str]:
    """Yield the lines with their arithmetic, the sums, and where the rates are from."""
    told = words()
    yield told["head"].format(**inputs.model_dump())
    for step in dict.fromkeys(line.step for line in plan.lines):
        yield f"\n{told['steps'][step]}"
        for line in plan.lines:
            if line.step == step:
                note = f" ({line.note})" if line.note else ""
                yield f"  {line.what}: {line.arithmetic}{note}"
    yield ""
    for unit, form in told["totals"].items():
        if unit in plan.totals:
            yield form.format(**_total(unit, plan.totals[unit], inputs))
        else:
            yield form.format(**dict.fromkeys(("value", "hours"), "?"), **_names(inputs)) + (
                f" ({told['not_here']})" if unit == "GPU-h" else ""
            )
    first = next(iter(own.rates.values()))
    yield told["measured"].format(date=first.date, machine=first.machine, file=path)
    yield told["simulated"]
    if inputs.raw_tb and inputs.recorded_h is None:
        yield told["raw_hint"]


def compared_table(compared: Sequence[Compared]) -> Table:
    """Return what a check has found, as a table."""
    told = words()["check"]
    table = Table(*told["columns"], title=told["head"].format(clips=COUNT))
    for one in compared:
        mark = "" if one.well else ", " + told["missed"].format(tolerance=TOLERANCE)
        values = (said(value, one.unit) for value in (one.predicted, one.measured))
        table.add_row(told["parts"][one.what], *values, f"{one.ratio:.2f}{mark}")
    return table


def _total(unit: str, value: float, inputs: Inputs) -> dict[str, Any]:
    parts = {"core-h": inputs.cores, "GPU-h": inputs.gpus}
    return {
        "value": said(value, "B") if unit == "B" else plain(value),
        "hours": plain(value / parts.get(unit, 1)),
        **_names(inputs),
    }


def _names(inputs: Inputs) -> dict[str, Any]:
    return {"cores": inputs.cores, "gpus": inputs.gpus, "currency": inputs.currency}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _tell(what: str) -> None:
    err.print(f"  {what} …", markup=False)
