"""What happens when a visitor presses something: from the values of the page to what it shows.

Each method gets the visitor's `Chat` first. Those that ask the model yield as the answer grows.
"""

import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from coach.chat import Chat, Lift
from coach.coaching import Coaching
from coach.feedback import Feedback, add_feedback
from coach.gallery import Example
from coach.muscles import Muscles, Shown
from coach.page_view import (
    answer_html,
    chat_html,
    frames_html,
    muscles_html,
    note_html,
    panel_html,
)
from coach.questions import stage_of
from coach.refusals import UploadError
from coach.report import Report, report_html, report_json
from coach.talk import Mode, is_untuned
from coach.visibility import View
from coach.words import say
from flex.files import write_text

LONGEST_QUESTION = 1000
_LONGEST_NOTE = 4000


@dataclass(frozen=True)
class Events:
    """The page's events.

    Attributes:
        names: of the model in each mode.
        simulated: whether it knows simulated clips only.
        examples: called when a visitor comes; may take a moment the first time.
        feedback: the file that the review reads.
        left_out: why a mode is not among `names`.
        muscles: shows which muscles work, if there is a model for that.
    """

    coaching: Coaching
    names: dict[Mode, str]
    simulated: bool
    examples: Callable[[], list[Example]]
    feedback: Path
    left_out: dict[Mode, str] = field(default_factory=dict)
    muscles: Muscles | None = None

    @property
    def best(self) -> Mode:
        """The mode that answers unless the visitor picks another one."""
        return "tuned" if "tuned" in self.names else "base"

    @property
    def untuned(self) -> bool:
        """Whether no model here has learnt to coach."""
        return is_untuned(self.best)

    # A clip comes in: each gives video, view, chat, frames, panel, exercise and note.
    def clip(self, chat: Chat, path: str | None, view: View | Literal[""]) -> tuple[Any, ...]:
        """Take in what was uploaded or recorded; a refused clip gives way to the one before."""
        if path is None:
            return (None, None, *self._all(chat))
        fault = self._take(chat, Path(path), view or None)
        before = str(chat.lift.upload.path) if chat.lift else ""
        return (before if fault else None, None, *self._all(chat, fault))

    def example(self, chat: Chat, number: int) -> tuple[Any, ...]:
        """Take in an example, with the view that it is known to have."""
        found = self.examples()[number]
        if fault := self._take(chat, found.path, found.view, found.caption):
            return (None, None, *self._all(chat, fault))
        assert chat.lift is not None
        chat.lift.example = found.clip
        return (str(found.path), found.view or "", *self._all(chat))

    def _take(self, chat: Chat, path: Path, view: View | None, name: str | None = None) -> str:
        """Return why a clip is not taken; empty if it is."""
        if chat.busy:
            return say("busy")
        try:
            lift = self.coaching.intake.take(path, name=name, view=view)
        except UploadError as error:
            return error.sentence
        except Exception:
            return self._broken()
        # A recording is announced twice.
        if not (chat.lift and chat.lift.upload.sha == lift.upload.sha and not chat.lift.turns):
            chat.lifts.append(lift)
        return ""

    def _all(self, chat: Chat, fault: str = "") -> tuple[Any, ...]:
        frames = frames_html(chat.lift) if chat.lift else ""
        chosen = (chat.lift.user_action if chat.lift else None) or ""
        return chat_html(chat), frames, self.panel(chat), chosen, note_html(fault, bad=True)

    def view(self, chat: Chat, view: View | Literal[""]) -> str:
        """Note from where the clip was filmed; gives the panel."""
        if chat.lift:
            chat.lift.view = view or None
        return self.panel(chat)

    def exercise(self, chat: Chat, action: str) -> tuple[Any, ...]:
        """Note which exercise it is; gives panel and note."""
        if chat.lift is None:
            return self.panel(chat), note_html(say("no_clip"), bad=True)
        chat.lift.user_action = action or None
        graph = self.coaching.graph
        text = say("told", name=graph.action(action).name) if action else say("untold")
        return self.panel(chat), note_html(text)

    # The model is asked: each yields chat, panel, note; None where nothing changes.
    def ask(self, chat: Chat, question: str, mode: Mode) -> Iterator[tuple[Any, ...]]:
        """Ask what the visitor typed."""
        question = question.strip()
        refused = self._refused(chat) or _question_fault(question)
        if refused:
            yield None, None, note_html(refused, bad=True)
            return
        yield from self._show(chat, self.coaching.ask(chat, question, stage_of(question), mode))

    def assess(self, chat: Chat, mode: Mode) -> Iterator[tuple[Any, ...]]:
        """Ask all four questions."""
        if refused := self._refused(chat):
            yield None, None, note_html(refused, bad=True)
            return
        yield from self._show(chat, self.coaching.assess(chat, mode))

    def retry(self, chat: Chat, mode: Mode) -> Iterator[tuple[Any, ...]]:
        """Ask the last question again; the answer is drawn anew, or it would be the same."""
        turns = chat.lift.turns if chat.lift else []
        refused = self._refused(chat)
        if not refused and (not turns or turns[-1].state == "told"):
            refused = say("nothing_to_retry")
        if refused:
            yield None, None, note_html(refused, bad=True)
            return
        last = turns.pop()
        answered = last.state == "done" or (last.state == "doubted" and last.answer)
        seed = random.randrange(2**31) if answered else None
        asking = self.coaching.ask(chat, last.question, last.stage, mode, seed=seed)
        yield from self._show(chat, asking)

    def stop(self, chat: Chat) -> None:
        """End the answer that is written."""
        chat.stopped = True

    def _show(self, chat: Chat, asking: Iterator[None]) -> Iterator[tuple[Any, ...]]:
        shown: Any = None
        lift = chat.lift
        assert lift is not None
        for _ in asking:
            turn = lift.turns[-1]
            state = (len(lift.turns), turn.state)
            # The panel changes when a stage begins or ends, not with each word.
            panel = None if state == shown else self.panel(chat)
            shown = state
            yield chat_html(chat), panel, note_html("")

    def compare(self, chat: Chat, question: str | None) -> Iterator[tuple[str, ...]]:
        """Ask one question of all modes; yields an answer a mode, and a note."""
        modes = tuple(self.names)
        question = (question or "").strip()
        if refused := self._refused(chat) or _question_fault(question):
            yield (*(answer_html(mode, None) for mode in modes), note_html(refused, bad=True))
            return
        for turns in self.coaching.compare(chat, question, stage_of(question), modes):
            yield (*(answer_html(mode, turns.get(mode)) for mode in modes), note_html(""))

    # Which muscles work.
    def work(self, chat: Chat) -> Iterator[str]:
        """Work out the muscles of the newest clip, once a model has said something about it."""
        lift = chat.lift
        if self.muscles is None or lift is None or lift.last is None:
            yield ""
            return
        yield muscles_html(None)
        try:
            yield muscles_html(self.muscles.shown(lift))
        except Exception:
            yield muscles_html(Shown(why_not=self._broken()))

    # What is said of answers.
    def judge(self, chat: Chat, verdict: Literal["helpful", "wrong"], note: str) -> tuple[str, str]:
        """Keep "helpful" or "wrong" for the last answer; gives an empty note field and a note."""
        lift, turn = chat.lift, chat.lift.last if chat.lift else None
        if lift is None or turn is None:
            return note, note_html(say("nothing_to_judge"), bad=True)
        try:
            said = Feedback(
                clip=lift.upload.name,
                sha=lift.upload.sha,
                verdict=verdict,
                note=note[:_LONGEST_NOTE],
                stage=turn.stage,
                question=turn.question,
                answer=turn.answer,
                model=turn.model,
            )
            add_feedback(self.feedback, said)
        except Exception:
            return note, note_html(self._broken(), bad=True)
        return "", note_html(say("thanks", verdict=verdict))

    def report(self, chat: Chat, kind: Literal["html", "json"]) -> tuple[str | None, str]:
        """Write the report of the newest clip; gives its file and a note."""
        if chat.lift is None:
            return None, note_html(say("no_clip"), bad=True)
        try:
            made = self._report(chat.lift)
            text = report_html(made) if kind == "html" else report_json(made)
            # Nobody can guess another visitor's file.
            folder = self.coaching.intake.folder / "reports" / secrets.token_hex(16)
            path = folder / f"coach-report.{kind}"
            write_text(path, text)
        except Exception:
            return None, note_html(self._broken(), bad=True)
        return str(path), note_html(say("report_ready"))

    def _report(self, lift: Lift) -> Report:
        turn = lift.last
        return Report(
            upload=lift.upload,
            turns=lift.said(),
            assessment=lift.assessment(self.coaching.graph, self.best),
            framing=lift.framing,
            model=turn.model if turn else self.names[self.best],
            simulated=self.simulated,
            sampler=self.coaching.intake.sampler,
            graph=self.coaching.graph.version,
            made_at=datetime.now(UTC),
        )

    def panel(self, chat: Chat) -> str:
        """Return the panel."""
        return panel_html(self.coaching, chat, self.best, self.names[self.best], self.simulated)

    def _refused(self, chat: Chat) -> str:
        if chat.lift is None:
            return say("no_clip")
        return say("busy") if chat.busy else ""

    def _broken(self) -> str:
        mark = secrets.token_hex(3)
        self.coaching.log.failure(mark)
        return say("broken", mark=mark)


def _question_fault(question: str) -> str:
    if not question:
        return say("no_question")
    if len(question) > LONGEST_QUESTION:
        return say("long_question", limit=LONGEST_QUESTION, found=len(question))
    return ""
