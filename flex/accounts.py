"""Who may log in: a file of names and scrypt hashes, for `--auth-file`.

    add_account(Path("users.txt"), "ada", "correct horse")
    accounts = load_accounts(Path("users.txt"))
    accounts.check("ada", "correct horse")       # True; what Gradio's `auth` calls

A line is `NAME:$scrypt$ln=15,r=8,p=3$SALT$HASH`, SALT and HASH in base64. A file that others may
write, or that holds a password as it is typed, is refused.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import stat
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

from flex.problems import InputError, Problem

LEAST_LENGTH = 8
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_HASH = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/=]+)\$([\w+/=]+)")
_SALT_BYTES, _HASH_BYTES = 16, 32
# One hash takes 32 MiB, so that many logins at once are worked on one by one.
_ONE_AT_A_TIME = threading.Lock()


class _Cost(NamedTuple):
    """What a hash costs: 2**log_n blocks of 128 × r bytes, p times."""

    log_n: int = 15
    r: int = 8
    p: int = 3


class _Secret(NamedTuple):
    cost: _Cost
    salt: bytes
    digest: bytes


class Accounts:
    """The accounts of one file."""

    def __init__(self, secrets_by_name: dict[str, _Secret]) -> None:
        self._secrets = dict(secrets_by_name)
        # Unknown names cost as much time as known ones, so that nobody can try out names.
        self._nobody = _Secret(_Cost(), secrets.token_bytes(_SALT_BYTES), b"")

    def __len__(self) -> int:
        return len(self._secrets)

    def __contains__(self, name: object) -> bool:
        return name in self._secrets

    def check(self, name: str, password: str) -> bool:
        """Say whether name and password belong together, in a time that tells nothing."""
        secret = self._secrets.get(name, self._nobody)
        return hmac.compare_digest(_digest(password, secret.salt, secret.cost), secret.digest)


def load_accounts(path: Path) -> Accounts:
    """Return the accounts of a file.

    Raises:
        InputError: no file, others may write it, no account, a line that is none, a name twice.
            No message repeats what stands where the hash should be.
    """
    return Accounts(_read(path, may_lack=False))


def add_account(path: Path, name: str, password: str) -> bool:
    """Write an account's hash to a file that only its owner can read; say whether it is new.

    Raises:
        InputError: a name of other characters than letters, digits and ._@-, a short password,
            or a file that `load_accounts` would refuse.
    """
    if not _NAME.fullmatch(name):
        message = "expected a name of letters, digits and ._@-, at most 64 characters"
        raise InputError([Problem("NAME", message)])
    if len(password) < LEAST_LENGTH:
        message = f"expected at least {LEAST_LENGTH} characters, found {len(password)}"
        raise InputError([Problem("password", message)])
    known = _read(path, may_lack=True)
    cost, salt = _Cost(), secrets.token_bytes(_SALT_BYTES)
    new = name not in known
    known[name] = _Secret(cost, salt, _digest(password, salt, cost))
    _write(path, "".join(f"{who}:{_line(secret)}\n" for who, secret in known.items()))
    return new


def _digest(password: str, salt: bytes, cost: _Cost) -> bytes:
    n = 2**cost.log_n
    with _ONE_AT_A_TIME:
        return hashlib.scrypt(
            password.encode("utf-8", "surrogatepass"),
            salt=salt,
            n=n,
            r=cost.r,
            p=cost.p,
            maxmem=129 * n * cost.r + 2**20,
            dklen=_HASH_BYTES,
        )


def _read(path: Path, *, may_lack: bool) -> dict[str, _Secret]:
    if not path.exists() and may_lack:
        return {}
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"cannot be read ({error.strerror}); make it with the command `add-user`"
        raise InputError([Problem(str(path), message)]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(str(path), "not UTF-8 text")]) from error
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        message = f"others may write it (mode {mode & 0o777:o}); run `chmod 600 {path}`"
        raise InputError([Problem(str(path), message)])
    return _parse(path, text, may_lack=may_lack)


def _parse(path: Path, text: str, *, may_lack: bool) -> dict[str, _Secret]:
    found: dict[str, _Secret] = {}
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        place = f"{path}:{number}"
        name, colon, value = line.strip().partition(":")
        secret = _secret(value)
        if not colon or not _NAME.fullmatch(name):
            problems.append(Problem(place, "expected NAME:HASH"))
        elif secret is None:
            message = (
                f"what follows {name!r} is no scrypt hash, maybe a plain password; "
                f"remove the line and run `add-user {path} {name}`"
            )
            problems.append(Problem(place, message))
        elif name in found:
            problems.append(Problem(place, f"{name!r} is given twice"))
        else:
            found[name] = secret
    if not found and not problems and not may_lack:
        message = "holds no account; add one with `add-user`"
        problems.append(Problem(str(path), message))
    if problems:
        raise InputError(problems)
    return found


def _secret(value: str) -> _Secret | None:
    match = _HASH.fullmatch(value)
    if match is None:
        return None
    cost = _Cost(*map(int, match.groups()[:3]))
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in match.groups()[3:])
    except binascii.Error:
        return None
    # Costs far above ours would let one login take the machine.
    fits = 10 <= cost.log_n <= 18 and 1 <= cost.r <= 16 and 1 <= cost.p <= 16
    return _Secret(cost, salt, digest) if fits and len(digest) == _HASH_BYTES else None


def _line(secret: _Secret) -> str:
    log_n, r, p = secret.cost
    salt, digest = (base64.b64encode(part).decode() for part in (secret.salt, secret.digest))
    return f"$scrypt$ln={log_n},r={r},p={p}${salt}${digest}"


def _write(path: Path, text: str) -> None:
    """Write atomically, readable by the owner only from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
