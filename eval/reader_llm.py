"""Has a language model read evaluations, blind: it gets the text and the exercise's error types.

    reader = LlmReader(Endpoint("http://localhost:8000/v1", "reader"), Path("runs/eval"))
    reader.read(graph, answers)[0].found

What is stated, denied or advised comes back with a quote, and a quote has to stand in the text. The
labels of the clip, the mode and the question are not told. Replies are cached, so that a stopped
run goes on and reading again costs nothing; an answer whose reading failed is unread.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.answers import Answer
from eval.asking import Served, ask_all, json_object
from eval.predict_cache import AnswerCache, Message
from eval.reading import Reading, reading_of_claims, reading_of_ids
from flex.graph import Graph
from flex.matcher import Claim, ClaimKind
from flex.templates import render
from vlm.generate import Decoding

CACHE_FILE = "reader-cache.jsonl"
# A reply that is not of the form, or quotes what is not there, is asked again with the reason.
TRIES = 2
MOST_TOKENS = 1500
_KINDS: dict[str, ClaimKind] = {"present": "present", "denied": "absent", "advised": "advised"}


class _Claim(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    said: Literal["present", "denied", "advised"]
    quote: Annotated[str, Field(min_length=1)]


class _Told(BaseModel):
    """What a reply has to look like."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    claims: tuple[_Claim, ...]
    overall: Literal["faulty", "correct", "refused", "unclear"]


class _Read(BaseModel):
    """What one text says: claims with their places, and the verdict."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    claims: tuple[Claim, ...]
    overall: Literal["faulty", "correct", "refused", "unclear"]


class LlmReader:
    """Reads with a served model; see `eval.readers.Reader`.

    Attributes:
        name: for reports.
        failures: why answers are unread → how many.
    """

    def __init__(self, served: Served, out: Path, *, most: int | None = None) -> None:
        """Keep replies in OUT/reader-cache.jsonl; send at most `most` requests in all."""
        self.name = f"{served.model} at {served.base_url}"
        self.failures: Counter[str] = Counter()
        self._served, self._out, self._most = served, out, most
        self._known: dict[tuple[str, str, str], _Read | None] = {}

    def read(
        self,
        graph: Graph,
        answers: Sequence[Answer],
        progress: Callable[[int], object] = lambda _: None,
    ) -> list[Reading | None]:
        """Return what each answer says; `None` where it could not be read.

        Raises:
            InputError: the endpoint cannot be reached; see `eval.asking.ask_all`.
        """
        texts = {
            (graph.version, graph.action(one.action).id, one.answer): None
            for one in answers
            if one.found is None and one.answer.strip()
        }
        new = [text for text in texts if text not in self._known]
        if new:
            self._known.update(self._ask(graph, new, progress))
        return [self._reading(graph, answer) for answer in answers]

    def _reading(self, graph: Graph, answer: Answer) -> Reading | None:
        if answer.found is not None:
            return reading_of_ids(graph, answer, answer.found)
        if not answer.answer.strip():
            return reading_of_claims(graph, answer, ())
        known = self._known[graph.version, graph.action(answer.action).id, answer.answer]
        if known is None:
            return None
        return reading_of_claims(graph, answer, known.claims, known.overall)

    def _ask(
        self,
        graph: Graph,
        texts: Sequence[tuple[str, str, str]],
        progress: Callable[[int], object],
    ) -> dict[tuple[str, str, str], _Read | None]:
        found: dict[int, _Read] = {}
        why: dict[int, str] = {}
        left: dict[int, list[Message]] = {
            n: [_user(prompt(graph, action, text))] for n, (_, action, text) in enumerate(texts)
        }
        decoding = Decoding(max_new_tokens=MOST_TOKENS)
        with AnswerCache(self._out / CACHE_FILE) as cache:
            for attempt in range(TRIES):
                asked = ask_all(
                    self._served, left, decoding, cache, most=self._most, progress=progress
                )
                if self._most is not None:
                    self._most -= asked.sent
                why |= asked.failed
                again = {}
                for n, reply in asked.replies.items():
                    _, action, text = texts[n]
                    read, fault = read_reply(graph, action, text, reply)
                    if read and (not fault or attempt + 1 == TRIES):
                        found[n] = read
                    else:
                        why[n] = fault
                        complaint = _user(render("eval/read_again.j2", why=fault).strip())
                        again[n] = [*left[n], {"role": "assistant", "content": reply}, complaint]
                left = again
        self.failures.update(fault for n, fault in why.items() if n not in found)
        return {text: found.get(n) for n, text in enumerate(texts)}


def prompt(graph: Graph, action: str, text: str) -> str:
    """Return what the reader is asked about one text: nothing of the clip but its exercise."""
    phases = {
        error: list(
            dict.fromkeys(
                graph.key_steps[o.key_step].phase
                for o in graph.occurrences(action)
                if o.error_type == error
            )
        )
        for error in graph.error_types_of(action)
    }
    errors = [
        {
            "id": error,
            "name": graph.error_types[error].name,
            "description": graph.error_types[error].description,
            "phases": phases[error],
        }
        for error in phases
    ]
    filled = {"action": graph.actions[action], "errors": errors, "answer": text.strip()}
    return render("eval/read.j2", **filled).strip("\n")


def read_reply(graph: Graph, action: str, text: str, reply: str) -> tuple[_Read | None, str]:
    """Return what a reply says of a text, without claims that cannot be used, and what is wrong.

    Nothing is returned, and why, for a reply that is not of the form.
    """
    content = json_object(reply)
    if content is None:
        return None, "it holds no JSON object"
    try:
        told = _Told.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the object"
        return None, f"{place}: {first['msg']}"
    claims, faults = [], []
    types = set(graph.error_types_of(action))
    for claim in told.claims:
        span = find_quote(text, claim.quote)
        if claim.id not in types:
            faults.append(f"{claim.id} is no error type of this exercise")
        elif span is None:
            faults.append(f"the quote {claim.quote[:80]!r} does not stand in the text")
        else:
            claims.append(Claim(claim.id, _KINDS[claim.said], *span))
    in_order = tuple(sorted(claims, key=lambda claim: claim.start))
    return _Read(claims=in_order, overall=told.overall), "; ".join(faults)


def find_quote(text: str, quote: str) -> tuple[int, int] | None:
    """Return where a quote stands in a text, whatever the case, blanks and marks; or `None`.

    Of a quote with an ellipsis the longest piece counts.
    """
    pieces = [re.findall(r"\w+", piece) for piece in re.split(r"\.{3}|…|\[|\]", quote)]
    words = max(pieces, key=len)
    if not words:
        return None
    pattern = r"[\W_]+".join(map(re.escape, words))
    match = re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)
    return match and match.span()


def _user(text: str) -> Message:
    return {"role": "user", "content": text}
