"""A FLEX-VideoQA dialogue: four turns about one clip (section 3.4, Figure 14).

recognise → standard → evaluate → score; each turn builds on the one before.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from flex.sample import OccurrenceId
from qa_gen.facts import Facts

Stage = Literal["recognise", "standard", "evaluate", "score"]
STAGES: tuple[Stage, ...] = ("recognise", "standard", "evaluate", "score")
Role = Literal["praise", "error", "correction", "summary"]
ReviewState = Literal["unreviewed", "accepted", "edited", "rejected"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sentence(_Frozen):
    """One sentence of an evaluation, with the occurrences (`AK04:ET015`) that it is about.

    Attributes:
        role: says what was right, names an error, gives its correction, or sums up.
        errors: for an error or correction, the occurrences it expresses; else empty.
    """

    text: Annotated[str, Field(min_length=1)]
    role: Role
    errors: tuple[OccurrenceId, ...] = ()


class Finding(_Frozen):
    """Something that the fact check found wrong.

    Attributes:
        code: what kind, such as "missing_error"; counted in the data card.
        message: for the writer and for people: what is wrong, and what is expected.
    """

    stage: Stage
    code: str
    message: str


class Turn(_Frozen):
    """A question and its answer; `sentences` is the evaluation with its ids."""

    stage: Stage
    question: str
    answer: str
    sentences: tuple[Sentence, ...] = ()


class Tokens(_Frozen):
    """What the accepted answer and its re-asks cost, as the endpoint counted it."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0


class Provenance(_Frozen):
    """How a dialogue came to be; enough to make it again.

    Attributes:
        writer: "template" or "llm".
        prompts: hash of the wording under `prompts/` that was used.
        family: phrasing family; train and test subjects have different ones.
        attempts: how often the writer was asked.
    """

    graph: str
    prompts: str
    facts: str
    writer: str
    model: str | None = None
    seed: int
    family: str
    attempts: int = 1
    tokens: Tokens = Tokens()


class Review(_Frozen):
    """What people said of the dialogue."""

    state: ReviewState = "unreviewed"
    reviewers: tuple[str, ...] = ()
    note: str | None = None


class Dialogue(_Frozen):
    """One line of `dialogues.jsonl` (or of `flagged.jsonl`, if `findings` is not empty).

    Attributes:
        split: train, validation or test.
        simulated: true for FLEX-Sim.
    """

    clip: str
    action: str
    subject: str | None
    skill: str | None = None
    split: str
    views: dict[str, str] = {}
    turns: tuple[Turn, ...]
    facts: Facts
    provenance: Provenance
    findings: tuple[Finding, ...] = ()
    review: Review = Review()
    simulated: bool = False

    def turn(self, stage: Stage) -> Turn:
        """Return the turn of a stage."""
        return next(turn for turn in self.turns if turn.stage == stage)
