"""Keeps every completed request to a language model: the cache and the ledger in one.

A row holds the reply and what it cost; it is written in one transaction the moment the reply
arrives. So a kill -9 loses the requests in flight and nothing else, what was paid for is never
asked again, and the sum of the rows is what was spent. Two processes may share a file.

    with Cache(run / "answers.sqlite") as cache:
        cache.find(key)
        cache.add(key, reply, cost=0.002, currency="USD")
"""

import sqlite3
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from qa_gen.dialogue import Tokens

BUSY_TIMEOUT_S = 60.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    reply TEXT NOT NULL,
    prompt_characters INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cost REAL NOT NULL,
    currency TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS requests_key ON requests (key);
"""


class Reply(BaseModel):
    """What the endpoint answered, as it answered it.

    Attributes:
        model: the model that the endpoint says it used.
        finish: why it stopped: stop, length, content_filter, ...
        refusal: the model's words, where it refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    model: str
    finish: str | None = None
    refusal: str | None = None
    tokens: Tokens = Tokens()


class Spent(NamedTuple):
    """Sums over completed requests.

    Attributes:
        prompt_tokens: all of them, those that the provider had cached among them.
    """

    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def plus(self, tokens: Tokens, cost: float) -> "Spent":
        """Return the sums with one more request."""
        return Spent(
            self.requests + 1,
            self.prompt_tokens + tokens.prompt,
            self.cached_tokens + tokens.cached,
            self.completion_tokens + tokens.completion,
            self.cost + cost,
        )

    def text(self, currency: str) -> str:
        """Return one line for people."""
        share = self.cached_tokens / self.prompt_tokens if self.prompt_tokens else 0.0
        return (
            f"{self.requests:,} requests, {self.prompt_tokens:,} prompt tokens ({share:.0%} "
            f"of them cached), {self.completion_tokens:,} written, {self.cost:.4f} {currency}"
        )


class Measured(NamedTuple):
    """Averages over completed requests to one model, for estimates."""

    tokens_per_character: float
    cached_share: float
    completion_tokens: float


class Cache:
    """Completed requests in an SQLite file (write-ahead log)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def find(self, key: str) -> Reply | None:
        """Return the reply to a request that was completed before; of several, the first."""
        query = "SELECT reply FROM requests WHERE key = ? ORDER BY id LIMIT 1"
        row = self._db.execute(query, (key,)).fetchone()
        return Reply.model_validate_json(row[0]) if row else None

    def add(
        self,
        key: str,
        reply: Reply,
        *,
        endpoint: str,
        model: str,
        prompt_characters: int,
        cost: float,
        currency: str,
    ) -> None:
        """Keep a completed request.

        A second process that asked the same at the same time adds a row of its own: it was billed.
        """
        tokens = reply.tokens
        counts = (prompt_characters, tokens.prompt, tokens.cached, tokens.completion)
        self._db.execute(
            "INSERT INTO requests (key, endpoint, model, reply, prompt_characters, prompt_tokens,"
            " cached_tokens, completion_tokens, cost, currency) VALUES (?,?,?,?,?,?,?,?,?,?)",
            (key, endpoint, model, reply.model_dump_json(), *counts, cost, currency),
        )

    def spent(self) -> Spent:
        """Return the ledger's sums over the whole file."""
        row = self._db.execute(
            "SELECT COUNT(*), TOTAL(prompt_tokens), TOTAL(cached_tokens),"
            " TOTAL(completion_tokens), TOTAL(cost) FROM requests"
        ).fetchone()
        return Spent(int(row[0]), int(row[1]), int(row[2]), int(row[3]), row[4])

    def measured(self, endpoint: str, model: str) -> Measured | None:
        """Return averages over the requests to a model, or `None` if there were none."""
        row = self._db.execute(
            "SELECT TOTAL(prompt_tokens), TOTAL(prompt_characters), TOTAL(cached_tokens),"
            " AVG(completion_tokens) FROM requests"
            " WHERE endpoint = ? AND model = ? AND prompt_tokens > 0",
            (endpoint, model),
        ).fetchone()
        prompt, characters, cached, completion = row
        if not prompt or not characters:
            return None
        return Measured(prompt / characters, cached / prompt, completion)
