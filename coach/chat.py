"""What is kept of one person's talk: the clips, and what was said about each.

Every clip has a talk of its own, which is what the model sees; the page shows them one after the
other. Nothing here knows the page or the model.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Self

from coach.assess import Assessment, assess
from coach.confidence import Rated, Unrated
from coach.framing import Framing
from coach.report import Said
from coach.talk import Mode
from coach.uploads import Upload
from coach.visibility import View
from flex.graph import Graph
from qa_gen.dialogue import Stage
from vlm.chat import Message

# waiting: nobody writes yet. told: the user said it, no model.
State = Literal["waiting", "writing", "done", "stopped", "failed", "told"]


@dataclass
class Turn:
    """A question and its answer.

    Attributes:
        stage: one of the four; `None` for a free question.
        mode: how the model was asked.
        model: its name.
        note: what the page says in place of an answer, or below one.
        rated: how likely the model held each exercise, where it was asked which it is.
        unrated: why that is not known.
    """

    question: str
    stage: Stage | None
    mode: Mode
    model: str
    answer: str = ""
    state: State = "waiting"
    note: str = ""
    rated: Rated | None = None
    unrated: Unrated = ""


@dataclass
class Lift:
    """One clip and its talk.

    Attributes:
        compared: what several models answered to one question, outside the talk.
        user_action: id of the exercise, where the user knows better.
        example: id of the clip in the data folder, for an example.
    """

    upload: Upload
    framing: Framing
    view: View | None = None
    turns: list[Turn] = field(default_factory=list)
    compared: list[Said] = field(default_factory=list)
    user_action: str | None = None
    example: str | None = None
    _begin: int = 0

    def begin_again(self) -> None:
        """Have the model, and the panel, forget what was said so far; the page still shows it."""
        self._begin = len(self.turns)

    def add_compared(self, turn: Turn) -> None:
        """Keep an answer that was asked for apart from the talk, for the report."""
        self.compared.append(
            Said(question=turn.question, answer=turn.answer, stage=turn.stage, model=turn.model)
        )

    @property
    def _talk(self) -> list[Turn]:
        return self.turns[self._begin :]

    @property
    def texts(self) -> dict[Stage, str]:
        """The last answer of each stage."""
        return {turn.stage: turn.answer for turn in self._talk if turn.stage and turn.answer}

    @property
    def last(self) -> Turn | None:
        """The last turn that a model answered, if any."""
        answered = (turn for turn in reversed(self._talk) if turn.answer and turn.state != "told")
        return next(answered, None)

    def assessment(self, graph: Graph) -> Assessment:
        """Return what the answers come to so far."""
        asked = [turn for turn in self._talk if turn.stage == "recognise" and turn.answer]
        return assess(
            graph,
            self.texts,
            user_action=self.user_action,
            rated=asked[-1].rated if asked else None,
            unrated=asked[-1].unrated if asked else "",
            duration_s=self.upload.duration_s,
            view=self.view,
        )

    def messages(self) -> list[Message]:
        """Return what was said, for the model; questions without an answer are left out."""
        return list(self._messages())

    def said(self) -> tuple[Said, ...]:
        """Return what was said, for the report."""
        talk = [
            Said(question=turn.question, answer=turn.answer, stage=turn.stage)
            for turn in self.turns
            if turn.answer
        ]
        return (*talk, *self.compared)

    def _messages(self) -> Iterator[Message]:
        for turn in self._talk:
            if turn.answer:
                yield {"role": "user", "content": turn.question}
                yield {"role": "assistant", "content": turn.answer}


@dataclass
class Chat:
    """All of one person's clips.

    Attributes:
        busy: whether an answer is being written.
        stopped: whether the person wants it to end.
    """

    lifts: list[Lift] = field(default_factory=list)
    busy: bool = False
    stopped: bool = False

    @property
    def lift(self) -> Lift | None:
        """The newest clip: the one that is talked about."""
        return self.lifts[-1] if self.lifts else None

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        # Each visitor starts with a copy of an empty one; what has frames in it is never copied.
        return type(self)()
