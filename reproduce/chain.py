"""What is run, as data: a chain of steps from `configs/reproduce/*.yaml`.

    chain = load_chain(Path("configs/reproduce/tiny.yaml"))
    steps = chain.filled({"out": "runs/reproduce", "flex": "", "python": sys.executable})

In commands and paths `{out}`, `{flex}` and `{data}` stand for folders, `{python}` for this Python.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flex.config import load_config
from flex.problems import InputError, Problem, nearest

FIGURES = frozenset({"figure6", "figure7", "figure8"})
_NAME = re.compile(r"\{(\w+)\}")
# Filled in by whoever runs a chain; a chain may add names of its own.
GIVEN = ("out", "flex", "python")


class Step(BaseModel):
    """One step: commands, run one after the other, and what has to be there at the end.

    Attributes:
        name: short, unique in its chain.
        title: what it does, for people.
        needs: steps whose outcome it reads; it is run again when one of them was.
        commands: each is split into words as a shell would, but no shell runs it.
        inputs: files and folders that it reads; `{out}` ones belong to an earlier step.
        outputs: files and folders that are there when it is done.
        folders: what it makes; set aside when the step changes, as a run goes on in its folder.
        settings: files that it writes of how it was run; the page shows them.
        stdout: what the last command prints goes to this file.
        uses: what it costs besides time: a GPU if there is one, or a language model.
        ledger: SQLite file of the requests to a language model, with their price.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    needs: tuple[str, ...] = ()
    commands: tuple[str, ...] = Field(min_length=1)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = Field(min_length=1)
    folders: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    stdout: str | None = None
    uses: Literal["cpu", "gpu", "llm"] = "cpu"
    ledger: str | None = None

    def words(self) -> list[list[str]]:
        """Return the commands of a filled step, each as a list of words."""
        return [shlex.split(command) for command in self.commands]


class Chain(BaseModel):
    """Steps in the order in which they are run.

    Attributes:
        title: what the chain does.
        note: what a reader of its results has to know.
        simulated: whether the first steps make the data.
        names: further names for `{…}`, each may use those before it.
        raw: steps that are left out where FLEX is a data folder already, not raw recordings.
        reports: figure6, figure7, figure8 → the report.json that holds ours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    note: str
    simulated: bool
    names: dict[str, str] = {}
    raw: tuple[str, ...] = ()
    reports: dict[str, str] = {}
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        seen: list[str] = []
        for step in self.steps:
            if step.name in seen:
                raise ValueError(f"two steps are called {step.name}")
            for need in step.needs:
                if need not in seen:
                    raise ValueError(f"{step.name} needs {need}, which is no step before it")
            seen.append(step.name)
        if wrong := [name for name in self.raw if name not in seen]:
            raise ValueError(f"raw names {', '.join(wrong)}, which is no step")
        if wrong := sorted(set(self.reports) - FIGURES):
            raise ValueError(f"reports names {', '.join(wrong)}; there are {sorted(FIGURES)}")
        return self

    def filled(self, given: Mapping[str, str]) -> "Chain":
        """Return the chain with every `{name}` replaced in steps and reports.

        Raises:
            InputError: a name that nothing stands for.
        """
        values = dict(given)
        for name, text in self.names.items():
            values.setdefault(name, _fill(text, values, f"names.{name}", quoted=False))
        steps = []
        for step in self.steps:
            place = f"step {step.name}"
            content = step.model_dump()
            content["commands"] = [
                _fill(text, values, place, quoted=True) for text in step.commands
            ]
            for field in ("inputs", "outputs", "folders", "settings"):
                content[field] = [_fill(t, values, place, quoted=False) for t in content[field]]
            for field in ("stdout", "ledger"):
                if content[field]:
                    content[field] = _fill(content[field], values, place, quoted=False)
            steps.append(Step.model_validate(content))
        reports = {
            key: _fill(text, values, "reports", quoted=False) for key, text in self.reports.items()
        }
        return self.model_copy(update={"steps": tuple(steps), "reports": reports, "names": values})

    def without(self, left_out: tuple[str, ...]) -> "Chain":
        """Return the chain without some steps; nobody needs them any more."""
        steps = tuple(
            step.model_copy(update={"needs": tuple(n for n in step.needs if n not in left_out)})
            for step in self.steps
            if step.name not in left_out
        )
        return self.model_copy(update={"steps": steps})

    def only(self, wanted: str | None) -> Iterator[Step]:
        """Yield the steps named in "a,b", in the order of the chain; all for `None`.

        Raises:
            InputError: a name of no step.
        """
        known = [step.name for step in self.steps]
        names = known if wanted is None else [n.strip() for n in wanted.split(",") if n.strip()]
        wrong = [name for name in names if name not in known]
        if wrong:
            told = ", ".join(known)
            raise InputError(
                Problem("--steps", f"no step {name!r}{nearest(name, known)}; there are {told}")
                for name in wrong
            )
        yield from (step for step in self.steps if step.name in names)


def load_chain(path: Path) -> Chain:
    """Read a chain.

    Raises:
        InputError: everything that is wrong with the file.
    """
    return load_config(Chain, path)


def _fill(text: str, values: Mapping[str, str], place: str, *, quoted: bool) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            message = f"{{{name}}} stands for nothing{nearest(name, values)}"
            raise InputError([Problem(place, message)])
        return shlex.quote(values[name]) if quoted else values[name]

    return _NAME.sub(value, text)
