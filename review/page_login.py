"""Who looks at the page: a signed cookie holds a name, which is looked up at each request.

With a file of accounts one logs in; without it, on one's own machine, one chooses a name. The key
lies beside the store, so that people stay logged in when the server starts again.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from flex.accounts import Accounts
from flex.problems import InputError
from review.people import get_person
from review.records import Person
from review.store import Store

COOKIE = "flex_review"
LASTS_S = 14 * 24 * 3600
_KEY_BYTES = 32


@dataclass(frozen=True)
class Door:
    """Lets people in.

    Attributes:
        accounts: who may log in; `None`: everybody who reaches the page may choose a name.
        key: signs the cookies.
    """

    store: Store
    accounts: Accounts | None
    key: bytes

    def ticket(self, name: str, *, now: float | None = None) -> str:
        """Return a cookie's value for a person who may come in."""
        until_s = int((time.time() if now is None else now) + LASTS_S)
        shown = base64.urlsafe_b64encode(name.encode()).decode()
        return f"{shown}.{until_s}.{self._signature(name, until_s)}"

    def holder(self, ticket: str | None, *, now: float | None = None) -> str | None:
        """Return whose ticket it is; `None` for one that is forged, too old, or of no account."""
        try:
            shown, until, signature = (ticket or "").split(".")
            name, until_s = base64.urlsafe_b64decode(shown.encode()).decode(), int(until)
        except (ValueError, binascii.Error):
            return None
        signed = self._signature(name, until_s)
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), signed.encode()):
            return None
        if until_s < (time.time() if now is None else now):
            return None
        return name if self.accounts is None or name in self.accounts else None

    def person(self, ticket: str | None) -> Person | None:
        """Return the reviewer who holds a ticket; `None` for anybody else."""
        name = self.holder(ticket)
        if name is None:
            return None
        try:
            return get_person(self.store, name)
        except InputError:
            return None

    def _signature(self, name: str, until_s: int) -> str:
        # A name that was chosen without a password is worth nothing where passwords are asked for.
        kind = "chosen" if self.accounts is None else "login"
        said = f"{kind}\n{until_s}\n{name}".encode()
        return hmac.new(self.key, said, hashlib.sha256).hexdigest()


def key_beside(store: Path) -> bytes:
    """Return the key in the file beside a store, which only its owner can read; made if missing."""
    path = store.with_suffix(".key")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) == _KEY_BYTES:
            return key
        path.unlink()  # a start that was killed in the middle
        return key_beside(store)
    with os.fdopen(handle, "wb") as stream:
        key = secrets.token_bytes(_KEY_BYTES)
        stream.write(key)
    return key
