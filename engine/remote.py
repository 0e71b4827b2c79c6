"""Files that lie elsewhere: s3://, gs://, https:// and whatever else fsspec knows.

    video = local_copy("s3://flex/raw/S01-A03/View-1.mp4", Path("runs/cache/remote"))
    copy_tree("runs/sft/best", "s3://lab/sft/best")      # checkpoints to object storage, and back

A copy is keyed by the address and by what the store says of each file (its ETag, or its size and
time), so a file that was changed there is fetched again, and one that was not never is.
"""

from pathlib import Path
from typing import Any

from flex.files import atomic_path, hash_text
from flex.problems import InputError, Problem

REMOTE_CACHE = Path("runs/cache/remote")


def is_remote(address: str | Path) -> bool:
    """Say whether an address has a scheme of fsspec, such as s3:// (file:// counts as well)."""
    return "://" in str(address)


def local_copy(address: str | Path, cache: Path = REMOTE_CACHE) -> Path:
    """Return a file or folder on this machine with the content of one that lies elsewhere.

    Several processes may ask for one address at once: files appear whole or not at all. What was
    fetched before a failure stays.

    Args:
        address: such as "s3://bucket/folder"; a path on this machine is returned as it is.
        cache: where copies are kept.

    Raises:
        InputError: nothing is there, it cannot be read, or the scheme needs a package that is not
            installed.
    """
    if not is_remote(address):
        return Path(address)
    store, root = _open(address)
    files = _listing(store, root, address)
    states = (f"{file} {_state(info)}" for file, info in files.items())
    place = cache / hash_text(str(address), *states) / root.rpartition("/")[2]
    for file, info in files.items():
        target = place / file
        if not target.exists() or info["size"] not in (None, target.stat().st_size):
            _fetch(store, info["name"], target, address)
    return place


def copy_tree(source: str | Path, target: str | Path) -> int:
    """Copy a folder's files to another place: those that are not there, or are older there.

    Nothing is deleted at the target. On this machine files appear whole or not at all. A file that
    goes away while others are copied is passed over.

    Args:
        source: a folder here or elsewhere.
        target: a folder here or elsewhere.

    Returns:
        How many files were copied.

    Raises:
        InputError: nothing is at the source, both lie elsewhere, or one cannot be reached.
    """
    if is_remote(source) and is_remote(target):
        raise InputError([Problem(str(target), "source or target has to be on this machine")])
    (store, root), (goal_store, goal_root) = _open(source), _open(target)
    copied = 0
    for file, info in _listing(store, root, source).items():
        goal = f"{goal_root}/{file}"
        try:
            if _is_as_new(store, info, goal_store, goal):
                continue
            if is_remote(target):
                goal_store.makedirs(goal.rpartition("/")[0], exist_ok=True)
                goal_store.put_file(info["name"], goal)
            else:
                _fetch(store, info["name"], Path(goal), source)
        except (OSError, InputError) as error:
            if not store.exists(info["name"]):
                continue  # an old checkpoint that the training has removed meanwhile
            raise _unusable(f"{target}/{file}", error) from error
        copied += 1
    return copied


def _open(address: str | Path) -> tuple[Any, str]:
    import fsspec

    try:
        store, root = fsspec.core.url_to_fs(str(address))
    except (ImportError, ValueError) as error:  # no package for the scheme, no such scheme
        raise _unusable(address, error) from error
    return store, root.rstrip("/")


def _listing(store: Any, root: str, address: str | Path) -> dict[str, dict[str, Any]]:
    """Return what the store says of each file, by its name under `root` ("" for a file itself)."""
    try:
        info = store.info(root)
        found = {root: info} if info["type"] == "file" else store.find(root, detail=True)
    except OSError as error:
        raise _unusable(address, error) from error
    if not found:
        raise InputError([Problem(str(address), "holds no file")])
    return {path[len(root) :].lstrip("/"): info for path, info in sorted(found.items())}


def _state(info: dict[str, Any]) -> str:
    """Return what changes when a file does, as stores name it."""
    named = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "mtime", "created", "size")
    return " ".join(f"{name}={info[name]}" for name in named if name in info)


def _is_as_new(store: Any, info: dict[str, Any], goal_store: Any, goal: str) -> bool:
    if not goal_store.exists(goal) or goal_store.info(goal)["size"] != info["size"]:
        return False
    return bool(goal_store.modified(goal) >= store.modified(info["name"]))


def _fetch(store: Any, path: str, target: Path, address: str | Path) -> None:
    with atomic_path(target) as temporary:
        try:
            store.get_file(path, str(temporary))
        except FileNotFoundError as error:
            raise _unusable(address, error) from error


def _unusable(address: str | Path, error: Exception) -> InputError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return InputError([Problem(str(address), f"cannot be read or written: {why}")])
