"""Checks whether a clip shows an exercise that the model knows, before anything is judged.

    for _ in checker.check(chat, lift, turn):
        show(turn)                     # "Checking …"
    lift.checks[turn.mode]

The model is asked for the exercise and held to its words; where that was not asked in the talk, or
was drawn or asked after other questions, it is asked without showing the answer.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

from coach.chat import Chat, Lift, Turn
from coach.confidence import Check, Rated
from coach.log import Log
from coach.questions import exercise_answers, stage_questions
from coach.talk import Talker, is_untuned
from coach.words import say
from coach.writing import Writer


@dataclass(frozen=True)
class Checker:
    """What is shared by all whose clips are checked."""

    writer: Writer
    log: Log

    def check(
        self, chat: Chat, lift: Lift, turn: Turn, own: Turn | None = None
    ) -> Iterator[float | None]:
        """Check a clip in the mode of a turn, once; yields when the turn's note changes.

        Args:
            chat: tells when to stop.
            lift: the clip; gets the check.
            turn: is asked, and waits for it.
            own: the model's most likely answer to "which exercise", if it is there already.

        Raises:
            DeskFullError: too many wait already.
            InputError: what the model refuses.
        """
        if is_untuned(turn.mode) or lift.check(turn.mode).rated:
            return
        talker = yield from self.writer.loaded(chat, turn)
        if talker is None:
            return
        if not talker.rates:
            lift.checks[turn.mode] = Check(unrated="served")
            return
        if own is None:
            own = Turn(stage_questions()["recognise"], "recognise", turn.mode, "")
            for _ in self.writer.write(chat, lift, own, [], None):
                turn.note = own.note if own.state == "waiting" else say("checking")
                yield None
            turn.note = ""
        if not chat.stopped:
            lift.checks[turn.mode] = self._rate(talker, lift, own)

    def _rate(self, talker: Talker, lift: Lift, own: Turn) -> Check:
        """Ask how likely the model holds each exercise and its own answer."""
        answers = exercise_answers(self.writer.graph)
        started = time.monotonic()
        try:
            prompt = self.writer.prompt(talker, lift, own, [])
            found = talker.rate(prompt, own.mode, [*answers.values(), own.answer])
            assert found is not None, "a talker that rates"
            *each, whole = found
            a_token = None
            if talker.simulated:
                # Of other models no threshold was measured.
                a_token = whole / talker.responder.count_tokens(own.answer)
        except Exception:
            self.log.failure(secrets.token_hex(3))
            return Check(unrated="failed", answer=own.answer)
        self.log.event("rated", seconds=time.monotonic() - started, model=own.model)
        return Check(Rated(dict(zip(answers, each, strict=True)), a_token), answer=own.answer)
