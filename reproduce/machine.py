"""Where something was run: the machine, the versions, the commit."""

import functools
import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flex.processors import processors

PACKAGES = ("flex-coach", "numpy", "av", "torch", "transformers", "peft", "accelerate", "ray")
_HERE = Path(__file__).resolve().parent.parent


def describe() -> str:
    """Return the machine in words: processor, cores, memory, GPUs."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpus = gpu_names()
    told = f", {len(gpus)} × {gpus[0]}" if gpus else ", no GPU"
    cores = "core" if processors() == 1 else "cores"
    return f"{processor()}, {processors()} {cores}, {memory_gib:.0f} GiB{told}"


def processor() -> str:
    """Return the processor's name, or its kind where nothing names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names and names[0] else platform.machine()


@functools.cache
def gpu_names() -> tuple[str, ...]:
    """Return the names of NVIDIA's GPUs; none where their tool is not installed."""
    if shutil.which("nvidia-smi") is None:
        return ()
    asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return (
        tuple(filter(None, map(str.strip, done.stdout.splitlines()))) if not done.returncode else ()
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide the results."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """Return the git commit that this code is of, with "changed" if files differ from it."""
    if shutil.which("git") is None or not (_HERE / ".git").exists():
        return None
    name = _git("rev-parse", "--short=12", "HEAD")
    if not name:
        return None
    return f"{name}, changed" if _git("status", "--porcelain", "--untracked-files=no") else name


def _git(*words: str) -> str:
    asked = ["git", "--no-optional-locks", "-C", str(_HERE), *words]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() if not done.returncode else ""
