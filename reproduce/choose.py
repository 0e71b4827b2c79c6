"""Which chain is run on what: raw recordings, a data folder, or simulated people."""

import re
import sys
from pathlib import Path
from typing import Literal, NamedTuple

from flex.annotations import ANNOTATIONS_FILE
from flex.dataset import SEMG_FOLDER, SKELETON_FOLDER
from flex.problems import InputError, Problem
from reproduce.chain import Chain, load_chain

CONFIGS = Path(__file__).resolve().parent.parent / "configs" / "reproduce"
_CARDS = "*/recording.yaml"  # docs/prepare.md
_ACTION = re.compile(r"A\d\d")
Kind = Literal["simulated", "raw", "data"]


class Chosen(NamedTuple):
    """A chain with its names filled in, what it runs on, and the data folder."""

    chain: Chain
    kind: Kind
    data: Path


def choose(flex: Path | None, out: Path, config: Path | None = None) -> Chosen:
    """Return what is to be run.

    Args:
        flex: folder of raw recordings or data folder; `None`: simulated people.
        out: folder of the run.
        config: a chain; default: configs/reproduce/flex.yaml, or tiny.yaml without `flex`.

    Raises:
        InputError: no such folder, a wrong chain, or one that does not suit.
    """
    if flex is not None and not flex.is_dir():
        raise InputError([Problem(str(flex), "is no folder; name raw recordings or a data folder")])
    path = config or CONFIGS / ("tiny.yaml" if flex is None else "flex.yaml")
    chain = load_chain(path)
    if chain.simulated != (flex is None):
        wanted = "makes its own data: leave --flex out" if chain.simulated else "needs --flex"
        raise InputError([Problem(str(path), wanted)])
    given = {"out": str(out), "python": sys.executable}
    kind: Kind = "simulated"
    if flex is not None:
        kind = "data" if is_data_folder(flex) else "raw"
        given["flex"] = str(flex)
        if kind == "data":
            given["data"] = str(flex)
            chain = chain.without(chain.raw)
    filled = chain.filled(given)
    if "data" not in filled.names:
        raise InputError([Problem(str(path), "names no data folder: expected names.data")])
    return Chosen(filled, kind, Path(filled.names["data"]))


def is_data_folder(folder: Path) -> bool:
    """Say whether a folder has FLEX's layout of clips, or labels of clips.

    Raw recordings may have labels beside them, but every one has its card.
    """
    if next(folder.glob(_CARDS), None) is not None:
        return False
    if any((folder / name).exists() for name in (ANNOTATIONS_FILE, SKELETON_FOLDER, SEMG_FOLDER)):
        return True
    return any(_ACTION.fullmatch(path.name) for path in folder.iterdir() if path.is_dir())
