"""Settings of a language model behind an OpenAI-compatible endpoint, as in `configs/qa_gen/*.yaml`.

    config = load_config(LlmConfig, Path("configs/qa_gen/deepseek.yaml"), ["max_asks=2"])

The key itself is never a setting: `api_key_env` names the environment variable that holds it.
"""

import os
import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flex.problems import InputError, Problem

Positive = Annotated[int, Field(ge=1)]
Price = Annotated[float, Field(ge=0)]


class Prices(BaseModel):
    """Money per million tokens; `cached` are prompt tokens that the provider had in its cache."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Price = 0.0
    cached: Price = 0.0
    output: Price = 0.0
    currency: str = "USD"

    def cost(self, *, prompt: float, cached: float, completion: float) -> float:
        """Return the cost of a request; `prompt` counts all prompt tokens, `cached` among them."""
        money = (prompt - cached) * self.input + cached * self.cached + completion * self.output
        return money / 1e6


class LlmConfig(BaseModel):
    """How to ask which model.

    Attributes:
        base_url: the endpoint up to and with `/v1`; no user name or password in it.
        api_key_env: environment variable with the key; `None` for servers that want none.
        temperature: `None` sends none, for models that accept none.
        seed: mixed with the clip, so that clips with equal labels get texts of their own.
        max_tokens: longest answer; it also bounds the worst case that the budget reckons with.
        max_tokens_field: how the endpoint calls that limit.
        structured: `json_schema` where the endpoint enforces a schema, else `json_object`.
        extra: further fields of the request body, as some servers want.
        timeout_s: longest wait for one whole answer.
        concurrency: requests in flight at the start; `concurrency_min` and `_max` bound it.
        max_asks: asks per clip, the first included; then the clip is flagged for a person.
        max_retries: retries of one request that failed on the way (429, 5xx, time-out, cut).
        backoff_s: the first pause before a retry; each further one doubles, up to the cap.
        max_pause_s: a longer Retry-After than this stops the run.
        budget: money that a run may cost; `None` for no limit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: Annotated[str, Field(repr=False, min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    api_key_env: Annotated[str | None, Field(repr=False)] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = 0.7
    seed: int | None = 0
    max_tokens: Positive = 1500
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    structured: Literal["json_schema", "json_object"] = "json_schema"
    extra: dict[str, Any] = {}
    timeout_s: Annotated[float, Field(gt=0)] = 120.0
    concurrency: Positive = 64
    concurrency_min: Positive = 1
    concurrency_max: Positive = 64
    max_asks: Positive = 3
    max_retries: Annotated[int, Field(ge=0)] = 6
    backoff_s: Annotated[float, Field(gt=0)] = 0.5
    backoff_cap_s: Annotated[float, Field(gt=0)] = 30.0
    max_pause_s: Annotated[float, Field(gt=0)] = 600.0
    prices: Prices = Prices()
    budget: Annotated[float | None, Field(ge=0)] = None

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if not self.concurrency_min <= self.concurrency <= self.concurrency_max:
            raise ValueError("concurrency lies between concurrency_min and concurrency_max")
        return self

    @property
    def endpoint(self) -> str:
        """The base URL without user name, password and query: for keys, records and messages."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")

    def settings(self) -> dict[str, str | int | float | bool | None]:
        """Return what a run's record keeps; there is nothing secret in it."""
        named = ("model", "temperature", "seed", "max_tokens", "structured", "max_asks")
        return {"endpoint": self.endpoint, **{name: getattr(self, name) for name in named}}

    def require_plain_url(self) -> None:
        """Refuse a URL that carries credentials, without repeating it.

        Raises:
            InputError: the URL holds a user name, password or query, or is not http(s).
        """
        parts = urlsplit(self.base_url)
        if parts.username or parts.password or parts.query:
            message = "holds credentials or a query; put the key in the variable of api_key_env"
            raise InputError([Problem("base_url", message)])
        if parts.scheme not in ("http", "https") or not parts.hostname:
            message = f"expected a URL such as https://api.example.com/v1, found {self.endpoint!r}"
            raise InputError([Problem("base_url", message)])

    def api_key(self) -> str:
        """Return the key from the environment.

        Raises:
            InputError: the variable is not set, or `api_key_env` is not the name of one.
        """
        if self.api_key_env is None:
            return "none"
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.api_key_env):
            # What stands there may be the key itself, so it is not repeated.
            message = "expected the name of an environment variable, not the key itself"
            raise InputError([Problem("api_key_env", message)])
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            message = f"not set; it must hold the key for {self.endpoint}, or use --writer template"
            raise InputError([Problem(self.api_key_env, message)])
        return key
