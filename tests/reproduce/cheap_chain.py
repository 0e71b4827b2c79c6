"""A chain of cheap steps: words go from file to file, and every run of a step leaves a mark."""

import sys
from pathlib import Path
from typing import Any

from reproduce.chain import Chain

# Appends a line to a file of marks, then copies a file; a file named "bad" beside it makes it fail.
STEP = (
    "import pathlib, sys; out = pathlib.Path(sys.argv[1]); "
    "marks = out.parent / 'marks'; "
    "marks.write_text((marks.read_text() if marks.exists() else '') + out.name + chr(10)); "
    "print('working on', out.name); "
    "sys.exit(7) if (out.parent / ('bad-' + out.name)).exists() else None; "
    "out.parent.mkdir(exist_ok=True); "
    "out.write_text(pathlib.Path(sys.argv[2]).read_text() + sys.argv[3])"
)


class Cheap:
    """A chain a → b → c in a folder, and which of its steps have run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "source").write_text("s")

    def chain(self, **changes: str) -> Chain:
        """Return the chain; `b="x"` lets step b add another letter."""
        steps: list[dict[str, Any]] = []
        for name, before in (("a", "source"), ("b", "a"), ("c", "b")):
            letter = changes.get(name, name)
            code = STEP.replace('"', r"\"")
            steps.append(
                {
                    "name": name,
                    "title": f"Write {name}",
                    "needs": [before] if before != "source" else [],
                    "inputs": [f"{{out}}/{before}"],
                    "commands": [
                        f'{{python}} -c "{code}" {{out}}/{name} {{out}}/{before} {letter}'
                    ],
                    "outputs": [f"{{out}}/{name}"],
                    "folders": [f"{{out}}/{name}"],
                }
            )
        content = {"title": "cheap", "note": "n", "simulated": True, "steps": steps}
        given = {"out": str(self.folder), "python": sys.executable, "data": str(self.folder)}
        return Chain.model_validate(content).filled(given)

    def ran(self) -> list[str]:
        """Return which steps have run since the last call."""
        marks = self.folder / "marks"
        found = marks.read_text().split() if marks.exists() else []
        marks.unlink(missing_ok=True)
        return found
