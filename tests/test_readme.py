"""Every command of the README runs, in a copy of the repository, as a user would give it.

Links and pictures of README and docs/ lead to files and headings that are there.
"""

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from waiting import PATIENCE_S, until

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
]
# These take long, need a network, or are what is running now: only that they would run is tested.
ONLY_PLANNED = {
    *("test", "test-slow", "test-llm", "bench", "sim", "sft", "eval", "aqa", "emg", "reproduce"),
    *("demo", "review"),
}
EXPECTED = {"flex score": "77.02", "graph find": "ET056", "graph check": "416 occurrences"}


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.strip()]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is tracked, which shares the environment of this one."""
    folder = tmp_path_factory.mktemp("clone") / "flex-coach"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(lambda name: (ROOT / name).is_file(), listed.stdout.splitlines()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return folder


@pytest.mark.slow
def test_every_command_runs(copy: Path) -> None:
    path = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(copy)}
    assert len(commands()) > 10
    for command in commands():
        target = re.fullmatch(r"make ([\w-]+)", command)
        planned = target is not None and target[1] in ONLY_PLANNED
        done = subprocess.run(
            command.replace("make ", "make -n ") if planned else command,
            shell=True,
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        for part, output in EXPECTED.items():
            assert part not in command or output in done.stdout, command


@pytest.mark.slow
@pytest.mark.parametrize("target", ["demo", "review"])
def test_a_page_is_served_by_what_make_runs(copy: Path, target: str, free_port: int) -> None:
    """The last line of the target, after `make qa-dataset` of the test above or by its own."""
    pytest.importorskip("gradio")
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    made = ["make", "-n", "--no-print-directory", target, f"{target.upper()}=--port {free_port}"]
    lines = subprocess.run(made, cwd=copy, capture_output=True, text=True, check=True).stdout
    if not (copy / "runs" / "qa" / "run.json").exists():
        subprocess.run(["make", "qa-dataset"], cwd=copy, env=environment, check=True)
    with subprocess.Popen(
        lines.splitlines()[-1].split(), cwd=copy, env=environment, text=True
    ) as server:
        try:
            until(lambda: served(free_port), server)
        finally:
            server.terminate()


def served(port: int) -> bool:
    """Say whether a page answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE_S) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def headings(page: Path) -> set[str]:
    """Return the anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    links = re.findall(r"\]\((?!https?:)([^)\s]+)", page.read_text(encoding="utf-8"))
    for link in links:
        target, _, anchor = link.partition("#")
        file = page.parent / target if target else page
        assert file.exists(), link
        assert not anchor or anchor in headings(file), link
    assert links or name != "README.md"
