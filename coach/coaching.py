"""Asks the model for one person, piece by piece: what the page's buttons do, without the page.

    for _ in coaching.ask(chat, "Which exercise is it?", "recognise", "tuned"):
        show(chat)                     # the answer so far is in chat.lift.turns[-1]

Whatever goes wrong with an answer is said in its place and in the log, and touches nobody else.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from coach.chat import Chat, Lift, Turn
from coach.checking import Checker
from coach.desk import Desk, DeskFullError
from coach.doubt import doubt_notice, judges
from coach.intake import Intake
from coach.log import Log
from coach.questions import stage_questions, told_exercise
from coach.talk import Mode
from coach.talk_loading import Loading
from coach.words import say
from coach.writing import Writer
from flex.graph import Graph
from flex.problems import InputError
from qa_gen.dialogue import Stage
from vlm.chat import Message
from vlm.generate import Decoding


@dataclass(frozen=True)
class Coaching:
    """All that the visitors of one page share."""

    graph: Graph
    loading: Loading
    desk: Desk
    intake: Intake
    log: Log
    decoding: Decoding

    def ask(
        self,
        chat: Chat,
        question: str,
        stage: Stage | None,
        mode: Mode,
        *,
        seed: int | None = None,
    ) -> Iterator[None]:
        """Ask one question about the newest clip; yields whenever there is more to show.

        The clip is checked before. Where there is doubt, all but the exercise's name is answered
        by a notice, and the model is not asked.

        Args:
            chat: it has a clip, and is not busy.
            question: any text.
            stage: one of the four that it asks for, if so.
            mode: how the model answers.
            seed: draws another answer than the most likely one.
        """
        with _busy(chat):
            yield from self._ask(chat, question, stage, mode, seed)

    def assess(self, chat: Chat, mode: Mode) -> Iterator[None]:
        """Ask all four questions from the start; yields whenever there is more to show.

        The user's choice of an exercise, if there is one, stands in for the first answer. Where
        the model may not know what the clip shows, the round ends with a notice.
        """
        lift = chat.lift
        assert lift is not None
        lift.begin_again()
        lift.turns.extend(self._told(lift, mode))
        with _busy(chat):
            for stage, question in stage_questions().items():
                if stage == "recognise" and lift.user_action:
                    continue
                yield from self._ask(chat, question, stage, mode, None)
                if lift.turns[-1].state != "done":
                    return

    def compare(
        self, chat: Chat, question: str, stage: Stage | None, modes: Sequence[Mode]
    ) -> Iterator[dict[Mode, Turn]]:
        """Ask one question in several modes, apart from the talk; yields the turns as they grow."""
        lift = chat.lift
        assert lift is not None
        turns: dict[Mode, Turn] = {}
        with _busy(chat):
            for mode in modes:
                turns[mode] = Turn(question, stage, mode, "")
                for _ in self._answer(chat, lift, turns[mode], [], None):
                    yield turns
                if turns[mode].state not in ("done", "doubted"):
                    return
                lift.add_compared(turns[mode])

    def _ask(
        self, chat: Chat, question: str, stage: Stage | None, mode: Mode, seed: int | None
    ) -> Iterator[None]:
        lift = chat.lift
        assert lift is not None
        turn = Turn(question, stage, mode, "")
        before = lift.messages()
        lift.turns.append(turn)
        yield from self._answer(chat, lift, turn, before, seed)

    def _told(self, lift: Lift, mode: Mode) -> Iterator[Turn]:
        if lift.user_action:
            answer = told_exercise(self.graph, lift.user_action)
            question = stage_questions()["recognise"]
            yield Turn(question, "recognise", mode, "", answer=answer, state="told")

    def _answer(
        self, chat: Chat, lift: Lift, turn: Turn, before: Sequence[Message], seed: int | None
    ) -> Iterator[None]:
        started = time.monotonic()
        first_s: float | None = None
        try:
            for came_s in self._stream(chat, lift, turn, before, seed):
                first_s = came_s
                yield
            self._end(chat, lift, turn)
        except DeskFullError:
            turn.state, turn.note = "failed", say("full", count=self.desk.length)
        except InputError as error:
            turn.state = "failed"
            turn.note = "; ".join(f"{p.place}: {p.message}" for p in error.problems)
        except Exception:
            mark = secrets.token_hex(3)
            self.log.failure(mark)
            turn.state, turn.note = "failed", say("broken", mark=mark)
        finally:
            if turn.state in ("waiting", "writing"):
                # The visitor has gone while it was written.
                turn.state = "stopped"
            self.log.answer(
                clip=lift.upload.sha,
                turn=len(lift.turns),
                stage=turn.stage,
                mode=turn.mode,
                model=turn.model,
                state=turn.state,
                characters=len(turn.answer),
                first_s=first_s,
                seconds=time.monotonic() - started,
                decoded=self.intake.decoded,
            )
        yield

    def _stream(
        self, chat: Chat, lift: Lift, turn: Turn, before: Sequence[Message], seed: int | None
    ) -> Iterator[float | None]:
        """Check the clip and write the answer; yields how long its first piece took."""
        writer = Writer(self.graph, self.loading, self.desk, self.decoding)
        checker = Checker(writer, self.log)
        recognises = turn.stage == "recognise"
        if not recognises:
            yield from checker.check(chat, lift, turn)
            if chat.stopped or turn.state == "failed":
                return
        doubt = lift.assessed(self.graph, turn.mode).doubt
        if doubt and not recognises:
            return
        yield from writer.write(chat, lift, turn, before, seed, doubted=bool(doubt))
        if recognises and turn.answer.strip() and not chat.stopped:
            likeliest = seed is None and not before
            yield from checker.check(chat, lift, turn, turn if likeliest else None)

    def _end(self, chat: Chat, lift: Lift, turn: Turn) -> None:
        """Note how an answer ended, and say what stands in its place or below it."""
        doubted = lift.assessed(self.graph, turn.mode)
        if doubted.doubt and judges(self.graph, turn.answer):
            turn.answer, turn.note = "", say("held_back")
        if turn.state == "failed" or chat.stopped:
            turn.state = "stopped" if chat.stopped else "failed"
            turn.note = turn.note or ("" if turn.answer.strip() else say("stopped"))
        elif doubted.doubt:
            turn.state = "doubted"
            turn.note = f"{turn.note} {doubt_notice(doubted)}".strip()
        elif turn.answer.strip():
            turn.state = "done"
        else:
            turn.state, turn.note = "failed", turn.note or say("no_answer")


@contextmanager
def _busy(chat: Chat) -> Iterator[None]:
    """Mark a chat while it is answered, also when the visitor goes in the middle."""
    chat.busy, chat.stopped = True, False
    try:
        yield
    finally:
        chat.busy = False
