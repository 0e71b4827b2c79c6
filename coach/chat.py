"""What is kept of one person's talk: the clips, and what was said about each.

Every clip has a talk of its own, which is what the model sees; the page shows them one after the
other. Nothing here knows the page or the model.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Self

from coach.assess import Assessment, assess
from coach.confidence import UNTUNED, Check
from coach.framing import Framing
from coach.report import Said
from coach.talk import Mode, is_untuned
from coach.uploads import Upload
from coach.visibility import View
from flex.graph import Graph
from qa_gen.dialogue import Stage
from vlm.chat import Message

# waiting: nobody writes yet. told: the user said it, no model. doubted: a notice stands in place of
# an answer, or below the one to "which exercise", since the model may not know what the clip shows.
State = Literal["waiting", "writing", "done", "stopped", "failed", "told", "doubted"]


@dataclass
class Turn:
    """A question and its answer.

    Attributes:
        stage: one of the four; `None` for a free question.
        mode: how the model was asked.
        model: its name.
        note: what the page says in place of an answer, or below one.
    """

    question: str
    stage: Stage | None
    mode: Mode
    model: str
    answer: str = ""
    state: State = "waiting"
    note: str = ""


@dataclass
class Lift:
    """One clip and its talk.

    Attributes:
        compared: what several models answered to one question, outside the talk.
        user_action: id of the exercise, where the user knows better.
        example: id of the clip in the data folder, for an example.
        checks: whether the clip shows an exercise that the model knows, for each mode.
    """

    upload: Upload
    framing: Framing
    view: View | None = None
    turns: list[Turn] = field(default_factory=list)
    compared: list[Said] = field(default_factory=list)
    user_action: str | None = None
    example: str | None = None
    checks: dict[Mode, Check] = field(default_factory=dict)
    _begin: int = 0

    def begin_again(self) -> None:
        """Have the model, and the panel, forget what was said so far; the page still shows it."""
        self._begin = len(self.turns)

    def add_compared(self, turn: Turn) -> None:
        """Keep an answer that was asked for apart from the talk, for the report."""
        self.compared.append(_said(turn, turn.model))

    @property
    def _talk(self) -> list[Turn]:
        return self.turns[self._begin :]

    def texts(self, mode: Mode) -> dict[Stage, str]:
        """Return the last answer of each stage in one mode, or by the user."""
        heard = (turn for turn in self._talk if turn.mode == mode or turn.state == "told")
        return {turn.stage: turn.answer for turn in heard if turn.stage and turn.answer}

    @property
    def last(self) -> Turn | None:
        """The last turn that a model answered, if any."""
        answered = (turn for turn in reversed(self._talk) if turn.answer and turn.state != "told")
        return next(answered, None)

    def check(self, mode: Mode) -> Check:
        """Return what is known of whether the clip shows an exercise that the model knows."""
        return UNTUNED if is_untuned(mode) else self.checks.get(mode, Check())

    def assessment(self, graph: Graph, mode: Mode = "tuned") -> Assessment:
        """Return what the answers in one mode come to so far.

        Args:
            graph: the knowledge graph.
            mode: the mode; that of the last question, if one was asked, goes before.
        """
        return self.assessed(graph, self._talk[-1].mode if self._talk else mode)

    def assessed(self, graph: Graph, mode: Mode) -> Assessment:
        """Return what the answers in just this mode come to so far."""
        check, texts = self.check(mode), self.texts(mode)
        return assess(
            graph,
            {"recognise": check.answer, **texts},
            user_action=self.user_action,
            rated=check.rated,
            unrated=check.unrated,
            duration_s=self.upload.duration_s,
            view=self.view,
        )

    def messages(self) -> list[Message]:
        """Return what was said, for the model; what has no answer or a doubted one is left out."""
        return list(self._messages())

    def said(self) -> tuple[Said, ...]:
        """Return what was said, for the report."""
        talk = [_said(turn) for turn in self.turns if turn.answer or turn.state == "doubted"]
        return (*talk, *self.compared)

    def _messages(self) -> Iterator[Message]:
        for turn in self._talk:
            if turn.answer and turn.state != "doubted":
                yield {"role": "user", "content": turn.question}
                yield {"role": "assistant", "content": turn.answer}


def _said(turn: Turn, model: str = "") -> Said:
    return Said(
        question=turn.question, answer=turn.answer, stage=turn.stage, model=model, note=turn.note
    )


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
