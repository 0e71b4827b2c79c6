"""Has the model write one answer: waits for it and for one's turn, and ends what repeats itself.

for first_s in writer.write(chat, lift, turn, before=[], seed=None):
    show(turn)                     # as far as it is written
"""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from coach.chat import Chat, Lift, Turn
from coach.desk import Desk
from coach.repetition import Repetition
from coach.talk import Talker
from coach.talk_loading import Loading
from coach.talk_prompt import conversation_of
from coach.words import say
from flex.graph import Graph
from vlm.chat import Message
from vlm.generate import Conversation, Decoding

# A page is redrawn at most this often while an answer comes, for each person who is here.
_SHOW_EVERY_S = 0.08


@dataclass(frozen=True)
class Writer:
    """What is shared by all whose answers are written."""

    graph: Graph
    loading: Loading
    desk: Desk
    decoding: Decoding

    def loaded(self, chat: Chat, turn: Turn) -> Generator[None, None, Talker | None]:
        """Wait for the model; returns `None` if it does not come or the person wants to stop."""
        while not self.loading.over.wait(0.25):
            turn.note = say("waiting_model")
            yield None
            if chat.stopped:
                return None
        if self.loading.talker is None:
            turn.state, turn.note = "failed", say("failed", why=self.loading.failure)
        return self.loading.talker

    def prompt(
        self, talker: Talker, lift: Lift, turn: Turn, before: Sequence[Message]
    ) -> Conversation:
        """Return what the model is given for a question."""
        asked: list[Message] = [*before, {"role": "user", "content": turn.question}]
        return conversation_of(talker, self.graph, lift, asked, turn.mode, self.decoding)

    def write(
        self,
        chat: Chat,
        lift: Lift,
        turn: Turn,
        before: Sequence[Message],
        seed: int | None,
        *,
        doubted: bool = False,
    ) -> Iterator[float | None]:
        """Write an answer into its turn; yields how long its first piece took, when there is more.

        Args:
            chat: tells when to stop.
            lift: the clip.
            turn: has question and mode.
            before: what was said before.
            seed: draws another answer than the most likely one.
            doubted: whether the answer is not shown as it grows, since it may have to be held back.

        Raises:
            DeskFullError: too many wait already.
            InputError: what the model refuses.
        """
        start = time.monotonic()
        ticket = self.desk.enter()
        try:
            talker = yield from self.loaded(chat, turn)
            if talker is None or not (yield from self._seated(chat, turn, ticket)):
                return
            turn.model, turn.state, turn.note = talker.name(turn.mode), "writing", ""
            yield None
            prompt = self.prompt(talker, lift, turn, before)
            first_s, shown, answer, watch = None, 0.0, "", Repetition()
            with closing(talker.stream(prompt, turn.mode, self._decoding(seed))) as pieces:
                for piece in pieces:
                    first_s = time.monotonic() - start if first_s is None else first_s
                    answer += piece
                    if (end := watch.add(piece)) is not None:
                        answer, turn.note = answer[:end], say("repeats")
                    if not doubted:
                        turn.answer = answer
                    if chat.stopped or end is not None:
                        break
                    if time.monotonic() - shown > _SHOW_EVERY_S * self.desk.length:
                        shown = time.monotonic()
                        yield first_s
            # The whole answer is on the page before the rest is worked out.
            yield first_s
            turn.answer = answer
        finally:
            self.desk.leave(ticket)

    def _decoding(self, seed: int | None) -> Decoding:
        if seed is None:
            return self.decoding
        drawn = {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "seed": seed}
        return self.decoding.model_copy(update=drawn)

    def _seated(self, chat: Chat, turn: Turn, ticket: int) -> Generator[None, None, bool]:
        """Wait for one's turn; returns whether it came."""
        shown = 0
        while place := self.desk.place(ticket):
            if chat.stopped:
                return False
            # Nothing is drawn anew for all who wait unless the line has moved.
            if place != shown:
                shown, turn.note = place, say("waiting_line", count=place)
                yield None
        return True
