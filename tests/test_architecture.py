"""What keeps the house in order: imports go one way, files stay small, commands start fast."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Room → the rooms of ours that it may import, besides itself.
MAY_IMPORT: dict[str, set[str]] = {
    "flex": set(),
    "learn": {"flex"},
    "engine": {"flex"},
    "sim": {"flex"},
    "prepare": {"flex", "engine"},
    "reproduce": {"flex", "engine"},
    "qa_gen": {"flex", "engine"},
    "vlm": {"flex"},
    "aqa": {"flex", "learn", "engine"},
    "emg": {"flex", "learn", "engine"},
    "sft": {"flex", "vlm", "engine"},
    "pretrain": {"flex", "learn", "sim", "vlm"},
    "eval": {"flex", "vlm", "engine"},
    "review": {"flex", "qa_gen"},
    "coach": {"flex", "qa_gen", "vlm", "eval", "aqa", "emg"},
}
ROOMS = [room for room in MAY_IMPORT if (ROOT / room).is_dir()]
LONGEST_FILE = 350
HEAVY = {
    "torch",
    "transformers",
    "datasets",
    "mlcroissant",
    "pandas",
    "openai",
    "av",
    "numba",
    "gradio",
    "ray",
}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room: str) -> None:
    allowed = MAY_IMPORT[room] | {room}
    for path in (ROOT / room).rglob("*.py"):
        foreign = (imported(path) & set(MAY_IMPORT)) - allowed
        assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"


@pytest.mark.parametrize("room", [*ROOMS, "tests", "benchmarks"])
def test_files_are_small(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= LONGEST_FILE, f"{path.relative_to(ROOT)} has {lines} lines"


@pytest.mark.parametrize(
    "room",
    [
        "flex",
        "sim",
        "qa_gen",
        "pretrain",
        "sft",
        "eval",
        "aqa",
        "emg",
        "coach",
        "review",
        "engine",
        "prepare",
        "reproduce",
    ],
)
def test_help_starts_without_heavy_imports(room: str) -> None:
    script = (
        "import runpy, sys\n"
        f"sys.argv = ['{room}', '--help']\n"
        "try:\n"
        f"    runpy.run_module('{room}', run_name='__main__')\n"
        "except SystemExit:\n"
        "    pass\n"
        f"print('heavy:', sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "heavy: []" in done.stdout, done.stdout[-300:]


def test_the_base_install_names_no_torch() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not [d for d in project["dependencies"] if d.startswith(("torch", "transformers"))]


def test_the_train_extra_holds_what_the_product_imports() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = {
        re.split("[<>=]", line)[0].replace("-", "_")
        for line in project["optional-dependencies"]["train"]
    }
    used = set().union(*(imported(path) for room in ROOMS for path in (ROOT / room).rglob("*.py")))
    used.add("tensorboard")  # through torch.utils.tensorboard
    assert "torch" in extra
    assert extra - used == set()
