"""Asks the model for one person, piece by piece: what the page's buttons do, without the page.

    for _ in coaching.ask(chat, "Which exercise is it?", "recognise", "tuned"):
        show(chat)                     # the answer so far is in chat.lift.turns[-1]

Whatever goes wrong with an answer is said in its place and in the log, and touches nobody else.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from coach.chat import Chat, Lift, Turn
from coach.confidence import Rated
from coach.desk import Desk, DeskFullError
from coach.intake import Intake
from coach.log import Log
from coach.questions import exercise_answers, stage_questions, told_exercise
from coach.talk import Mode, Talker
from coach.talk_loading import Loading
from coach.talk_prompt import conversation_of
from coach.words import say
from flex.graph import Graph
from flex.problems import InputError
from qa_gen.dialogue import Stage
from vlm.generate import Conversation, Decoding

# A page is redrawn at most this often while an answer comes, for each person who is here.
_SHOW_EVERY_S = 0.08


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

        The user's choice of an exercise, if there is one, stands in for the first answer.
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
                if turns[mode].state != "done":
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
        self, chat: Chat, lift: Lift, turn: Turn, before: list[Any], seed: int | None
    ) -> Iterator[None]:
        started = time.monotonic()
        first_s: float | None = None
        try:
            for came_s in self._stream(chat, lift, turn, before, seed, started):
                first_s = came_s
                yield
            if not turn.answer.strip():
                turn.note = turn.note or say("stopped" if chat.stopped else "no_answer")
            turn.state = "stopped" if chat.stopped else "done" if turn.answer.strip() else "failed"
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
        self, chat: Chat, lift: Lift, turn: Turn, before: list[Any], seed: int | None, start: float
    ) -> Iterator[float | None]:
        """Yield how long the first piece took, as often as there is something to show."""
        ticket = self.desk.enter()
        try:
            talker = yield from self._wait(chat, turn, ticket)
            if talker is None:
                return
            turn.model, turn.state, turn.note = talker.name(turn.mode), "writing", ""
            yield None
            decoding = self.decoding
            if seed is not None:
                drawn = {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "seed": seed}
                decoding = decoding.model_copy(update=drawn)
            asked = [*before, {"role": "user", "content": turn.question}]
            prompt = conversation_of(talker, self.graph, lift, asked, turn.mode, decoding)
            first_s, shown = None, 0.0
            with closing(talker.stream(prompt, turn.mode, decoding)) as pieces:
                for piece in pieces:
                    first_s = time.monotonic() - start if first_s is None else first_s
                    turn.answer += piece
                    if chat.stopped:
                        break
                    if time.monotonic() - shown > _SHOW_EVERY_S * self.desk.length:
                        shown = time.monotonic()
                        yield first_s
            # The whole answer is on the page before the rest is worked out.
            yield first_s
        finally:
            self.desk.leave(ticket)
        if turn.stage == "recognise" and turn.answer.strip() and not chat.stopped:
            self._rate(talker, turn, prompt, drawn=seed is not None)

    def _rate(self, talker: Talker, turn: Turn, prompt: Conversation, *, drawn: bool) -> None:
        """Note how likely the model holds each exercise; without that the answer still stands."""
        answers = exercise_answers(self.graph)
        started = time.monotonic()
        try:
            found = talker.rate(prompt, turn.mode, [*answers.values(), turn.answer])
        except Exception:
            self.log.failure(secrets.token_hex(3))
            turn.unrated = "failed"
            return
        if found is None:
            turn.unrated = "served"
            return
        *each, own = found
        measured = talker.simulated and turn.mode == "tuned" and not drawn
        a_token = own / talker.responder.count_tokens(turn.answer) if measured else None
        turn.rated = Rated(dict(zip(answers, each, strict=True)), a_token)
        self.log.event("rated", seconds=time.monotonic() - started, model=turn.model)

    def _wait(self, chat: Chat, turn: Turn, ticket: int) -> Any:
        """Wait for the model and for one's turn; returns the talker, or `None` if stopped."""
        while not self.loading.over.wait(0.25):
            turn.note = say("waiting_model")
            yield None
            if chat.stopped:
                return None
        if self.loading.talker is None:
            turn.state, turn.note = "failed", say("failed", why=self.loading.failure)
            return None
        shown = 0
        while place := self.desk.place(ticket):
            if chat.stopped:
                return None
            # Nothing is drawn anew for all who wait unless the line has moved.
            if place != shown:
                shown, turn.note = place, say("waiting_line", count=place)
                yield None
        talker: Talker = self.loading.talker
        return talker


@contextmanager
def _busy(chat: Chat) -> Iterator[None]:
    """Mark a chat while it is answered, also when the visitor goes in the middle."""
    chat.busy, chat.stopped = True, False
    try:
        yield
    finally:
        chat.busy = False
