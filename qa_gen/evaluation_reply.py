"""What a language model's evaluation must look like, and reading it strictly.

The shape is enforced by the endpoint where it can (`json_schema`), and checked here in any case.
"""

import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flex.problems import problems_of
from qa_gen.cache import Reply
from qa_gen.dialogue import Sentence
from qa_gen.llm_config import LlmConfig

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "sentences": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "role": {
                        "type": "string",
                        "enum": ["praise", "error", "correction", "summary"],
                    },
                    "errors": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["text", "role", "errors"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["sentences"],
    "additionalProperties": False,
}
SHOWN_PROBLEMS = 5
_ID = re.compile(r"\b(?:AK|ET)\d+")


class UnusableReplyError(ValueError):
    """A reply that is no evaluation; `code` names the kind of failure."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class _Evaluation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sentences: list[Sentence] = Field(min_length=1)


def response_format(config: LlmConfig) -> dict[str, Any]:
    """Return the request field that asks for the shape."""
    if config.structured == "json_object":
        return {"type": "json_object"}
    schema = {"name": "evaluation", "strict": True, "schema": SCHEMA}
    return {"type": "json_schema", "json_schema": schema}


def read_evaluation(reply: Reply) -> tuple[Sentence, ...]:
    """Return the sentences of a reply.

    Raises:
        UnusableReplyError: it is refused, filtered, cut off, blank, no JSON, or misshapen.
    """
    if reply.refusal:
        raise UnusableReplyError("refused", "the model refused to answer")
    if reply.finish == "content_filter":
        raise UnusableReplyError("refused", "the endpoint's content filter held the answer back")
    if reply.finish == "length":
        raise UnusableReplyError(
            "cut_off", "the answer was cut off; write fewer or shorter sentences"
        )
    text = _without_fence(reply.text)
    if not text:
        raise UnusableReplyError("blank", "the answer was blank")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UnusableReplyError(
            "invalid_json", f"the answer is not valid JSON ({error})"
        ) from error
    try:
        sentences = _Evaluation.model_validate(value).sentences
    except ValidationError as error:
        problems = problems_of(error, _place, ("sentences", "text", "role", "errors"))
        listed = "; ".join(map(str, problems[:SHOWN_PROBLEMS]))
        raise UnusableReplyError("other_shape", f"the JSON has another shape: {listed}") from error
    for sentence in sentences:
        _require_usable(sentence)
    return tuple(s.model_copy(update={"text": " ".join(s.text.split())}) for s in sentences)


def _require_usable(sentence: Sentence) -> None:
    if not sentence.text.strip():
        raise UnusableReplyError("blank", "a sentence of the answer is blank")
    if sentence.role in ("error", "correction") and not sentence.errors:
        message = f"this {sentence.role} sentence names no error id: {sentence.text!r}"
        raise UnusableReplyError("other_shape", message)
    if _ID.search(sentence.text):
        raise UnusableReplyError("id_in_text", f"an id stands in the words: {sentence.text!r}")


def _without_fence(text: str) -> str:
    """Take off a Markdown fence, which models like to put around JSON."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") : -3].strip()
    return text


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(map(str, loc)) or "the answer"
