"""Which safetensors files a folder's weights lie in, and what their headers say; no tensor is read.

    for file in shards_of(folder):
        tensors = read_header(file)      # name → Stored("BF16", (2048, 2048))

A file has eight bytes with the length of its header, the header as JSON, and the tensors' bytes.
"""

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from flex.problems import InputError, Problem

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
LFS_POINTER = b"version https://git-lfs"
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_LENGTH = struct.Struct("<Q")
_MOST_HEADER_BYTES = 100_000_000
_FETCH = "fetch it again"


class Stored(NamedTuple):
    """A tensor in a file: its type as safetensors names it, and its shape."""

    dtype: str
    shape: tuple[int, ...]


def shards_of(folder: Path) -> list[Path]:
    """Return the files that transformers reads a model's weights from.

    Raises:
        InputError: no safetensors, several without an index, an index that is none, or files that
            the index names and that are not there.
    """
    require_safetensors(folder, "*.safetensors")
    if (folder / SINGLE).exists():
        return [folder / SINGLE]
    found = sorted(folder.glob("*.safetensors"))
    index = folder / INDEX
    if not index.exists():
        message = (
            f"holds {len(found)} safetensors but no {INDEX}, which says what lies in which; "
            "fetch the index"
        )
        raise InputError([Problem(str(folder), message)])
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"has no weight_map of tensor and file names; {_FETCH}"
        raise InputError([Problem(str(index), message)]) from error
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        message = f"is missing, though {INDEX} names it; fetch it"
        raise InputError([Problem(str(folder / name), message) for name in missing])
    return [folder / name for name in names]


def require_safetensors(folder: Path, pattern: str) -> None:
    """See that a folder has safetensors files.

    Raises:
        InputError: it has none; names what it has instead.
    """
    if any(folder.glob(pattern)):
        return
    pickled = sorted(file.name for kind in _PICKLED for file in folder.glob(kind))
    found = f"; found {', '.join(pickled)}, which could run code when read" if pickled else ""
    message = f"holds no {pattern}, and weights are read from safetensors only{found}"
    raise InputError([Problem(str(folder), message)])


def read_header(file: Path) -> dict[str, Stored]:
    """Return the tensors of a file by name.

    Raises:
        InputError: a Git LFS pointer, a file that is cut or no safetensors.
    """
    refuse_pointers([file])
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(_LENGTH.size)
        length = _LENGTH.unpack(start)[0] if len(start) == _LENGTH.size else 0
        text = stream.read(length) if length <= min(size, _MOST_HEADER_BYTES) else b""
    try:
        header = json.loads(text)
        header.pop("__metadata__", None)
        tensors = {name: Stored(t["dtype"], tuple(t["shape"])) for name, t in header.items()}
        end = max((t["data_offsets"][1] for t in header.values()), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        message = f"is cut short or no safetensors file ({size:,} bytes); {_FETCH}"
        raise InputError([Problem(str(file), message)]) from error
    promised = _LENGTH.size + length + end
    if size != promised:
        what = "is cut short" if size < promised else "is damaged"
        message = f"{what}: its header promises {promised:,} bytes, it has {size:,}; {_FETCH}"
        raise InputError([Problem(str(file), message)])
    return tensors


def refuse_pointers(files: Iterable[Path]) -> None:
    """See that files hold their content.

    Raises:
        InputError: Git has left pointers in their place.
    """
    problems = []
    for file in files:
        with file.open("rb") as stream:
            if stream.read(len(LFS_POINTER)) == LFS_POINTER:
                message = "is a Git LFS pointer, not the file itself; run `git lfs pull` there"
                problems.append(Problem(str(file), message))
    if problems:
        raise InputError(problems)
