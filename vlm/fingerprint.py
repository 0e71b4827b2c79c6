"""Which weights a folder holds: a hash of every byte, computed once for each state of a file.

The hub's cache names large files by their SHA-256. For other large files it is kept in the user's
cache folder, beside what tells that a file is still the same: size, times, place on the disk, and
its first bytes. What cannot be kept is computed again.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path

from flex.files import hash_file, write_text

_SHA256_DIGITS = 64
# Smaller files are hashed in a fraction of a second: not worth a note.
NOTED_BYTES = 64 * 1024**2
_START_BYTES = 1024**2


def weights_fingerprint(folder: Path) -> str:
    """Return a hash of the weights in a folder: every byte of its safetensors files."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        digest.update(f"{file.name} {_content_hash(file)}\n".encode())
    if (folder / "adapter_config.json").exists():
        settings = json.loads((folder / "adapter_config.json").read_text("utf-8"))
        settings.pop("base_model_name_or_path", None)
        digest.update(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def notes_folder() -> Path:
    """Return where hashes of large files are kept: `$XDG_CACHE_HOME`, else `~/.cache`."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "flex-coach" / "hashes"


def _content_hash(file: Path) -> str:
    """Return the SHA-256 of a file."""
    blob = file.resolve().name
    if len(blob) == _SHA256_DIGITS and file.is_symlink():
        return blob
    if file.stat().st_size < NOTED_BYTES:
        return hash_file(file)
    state = _state(file)
    kept = notes_folder() / f"{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:16]}.json"
    noted = _read_note(kept, state)
    if noted:
        return noted
    found = hash_file(file)
    if _state(file) == state:  # else it was written to meanwhile
        with contextlib.suppress(OSError):
            write_text(kept, json.dumps({"file": str(file), "state": state, "sha256": found}))
    return found


def _state(file: Path) -> list[int | str]:
    """Return what changes whenever a file does; a forged modification time is seen by `ctime`."""
    stat = file.stat()
    with file.open("rb") as stream:
        start = hashlib.sha256(stream.read(_START_BYTES)).hexdigest()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, start]


def _read_note(path: Path, state: list[int | str]) -> str:
    """Return the hash that was noted for a state of a file, or nothing."""
    try:
        note = json.loads(path.read_text("utf-8"))
        return str(note["sha256"]) if note["state"] == state else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""
