"""Hostile inputs, put through the page's own events; `python tests/coach/coach_hostile.py`.

Prints the rows of the table in `docs/coach-page.md`, which a test compares with it.
"""

import html
import re
import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from coach_clips import GRAPH, MARKUP, write_film, write_sound

from coach.chat import Chat
from coach.coaching import Coaching
from coach.desk import Desk
from coach.intake import Intake
from coach.limits import Limits
from coach.log import Log
from coach.page_events import Events
from coach.talk import Mode
from coach.talk_loading import Loading
from flex.video import Sampler
from vlm.generate import Conversation, Decoding

# Fast, then slow, then fast again; in 1/24 s.
UNEVEN = (*range(8), *range(8, 56, 6), *range(56, 64))


class Row(NamedTuple):
    """A row of the table: what came, what the page does, and what it says."""

    name: str
    happens: str
    message: str

    def __str__(self) -> str:
        return f"| {self.name} | {self.happens} | {self.message} |"


class Echo:
    """A talker that says what it was asked."""

    modes: tuple[Mode, ...] = ("tuned",)
    simulated = False
    at_once = 1
    rates = False
    responder: Any = SimpleNamespace(context=None, count_tokens=len)

    def name(self, mode: Mode) -> str:
        return "echo"

    def stream(self, conversation: Conversation, mode: Mode, decoding: Decoding) -> Generator[str]:
        yield conversation.messages[-1]["content"]

    def rate(
        self, conversation: Conversation, mode: Mode, answers: Sequence[str]
    ) -> list[float] | None:
        return None


@dataclass(frozen=True)
class Hostile:
    """One input.

    Attributes:
        make: writes it into a folder and returns its path.
        question: what is asked about it; nothing for inputs that are hostile as files.
    """

    name: str
    make: Callable[[Path], Path]
    question: str = ""


def _bytes(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def _film(name: str, **options: Any) -> Callable[[Path], Path]:
    return lambda folder: write_film(folder / name, **options)


def _cut(folder: Path) -> Path:
    whole = write_film(folder / "whole.mp4").read_bytes()
    return _bytes("cut.mp4", whole[: len(whole) * 2 // 3])(folder)


_LIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n/etc/passwd\n#EXT-X-ENDLIST\n"
INPUTS = (
    Hostile("a text file named .mp4", _bytes("notes.mp4", b"Dear diary\n" * 90)),
    Hostile("a file of zero bytes", _bytes("nothing.mp4", b"")),
    Hostile("a video of one frame", _film("one.mp4", frames=1)),
    Hostile("an 8K video", _film("8k.mp4", frames=2, size=(7680, 4320))),
    Hostile(
        "a video of two hours",
        _film("long.mp4", frames=120, size=(64, 64), fps=Fraction(1, 60)),
    ),
    Hostile("rotation metadata (a phone's)", _film("phone.mp4", turn=90)),
    Hostile("a variable frame rate", _film("uneven.mp4", at=UNEVEN)),
    Hostile("no video stream, sound only", lambda folder: write_sound(folder / "song.mp4")),
    Hostile("a path in the name", _film("..\\..\\etc\\passwd.mp4")),
    Hostile("HTML in the name", _film("<img src=x onerror=alert(1)>.mp4")),
    Hostile("HTML in a chat message", _film("squat.mp4"), MARKUP),
    Hostile("a play list that names another file", _bytes("list.mp4", _LIST)),
    Hostile("a video that breaks off", _cut),
)


def page_events(folder: Path) -> Events:
    """Return the page's events around a talker that echoes."""
    loading = Loading(Echo)
    loading.start()
    loading.over.wait(10)
    log = Log(folder / "log.jsonl")
    intake = Intake(Limits(), Sampler(frames=8, pixels=56 * 56), folder)
    coaching = Coaching(GRAPH, loading, Desk(1, 2), intake, log, Decoding(max_new_tokens=8))
    return Events(coaching, {"tuned": "echo"}, False, list, folder / "feedback.jsonl")


def meet(events: Events, hostile: Hostile, folder: Path) -> tuple[Row, str]:
    """Put an input through the page; returns its row, and all HTML that the page showed."""
    chat = Chat()
    path = hostile.make(folder)
    video, _, talk, frames, panel, _, note = events.clip(chat, str(path), "")
    shown = talk + frames + panel + note
    if hostile.question:
        for parts in events.ask(chat, hostile.question, "tuned"):
            talk = parts[0] or talk
            shown += talk
    if chat.lift is None:
        assert video == "", "a refused clip does not stay in the player"
        return Row(hostile.name, "refused", _text(note)), shown
    assert video is None
    info, times = chat.lift.upload.info, chat.lift.upload.frames.times_s
    happens = f"taken: {info.width} × {info.height}, frames at {times[0]:.2f} … {times[-1]:.2f} s"
    if hostile.question:
        happens += "; question and answer are shown as text"
    return Row(hostile.name, happens, _text(talk.split("</p>")[0])), shown


def _text(markup: str) -> str:
    text = html.unescape(re.sub(r"<[^>]*>", " ", markup))
    # What is text on the page must not be a tag in the docs.
    return " ".join(re.sub(r"<(.*?)>", r"`<\1>`", text).split())


def rows(folder: Path) -> list[Row]:
    """Return the table."""
    events = page_events(folder)
    return [meet(events, hostile, folder)[0] for hostile in INPUTS]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(*rows(Path(name)), sep="\n")
