"""What the page shows, as HTML: every text of users, files and models is escaped by the templates.

The templates are `prompts/coach/*.html.j2`.
"""

import base64

from coach.assess import Assessment
from coach.chat import Chat, Lift, Turn
from coach.coaching import Coaching
from coach.muscles import Shown
from coach.panel import render_panel
from coach.report import pictures
from coach.talk import Mode
from coach.words import words
from flex.templates import environment

_FOLDER = "coach"


def head_html(coaching: Coaching, model: str, simulated: bool, untuned: bool) -> str:
    """Return the head: what this is, who talks, whether to trust it, and that it still loads."""
    loading = coaching.loading
    return _render(
        "head",
        model=model if loading.talker else "",
        failure=loading.failure,
        simulated=simulated,
        untuned=untuned,
    )


def chat_html(chat: Chat) -> str:
    """Return the talk about all clips."""
    return _render("chat", lifts=chat.lifts)


def frames_html(lift: Lift) -> str:
    """Return the frames that the model sees of a clip, with their times."""
    return _render("frames", pictures=list(pictures(lift.upload)), total=lift.upload.info.frames)


def panel_html(coaching: Coaching, chat: Chat, mode: Mode, model: str, simulated: bool) -> str:
    """Return the panel about the newest clip, empty before there is one.

    Args:
        coaching: gives the graph.
        chat: one person's clips.
        mode: how the model answers unless the visitor picks another mode.
        model: its name.
        simulated: whether it knows simulated clips only.
    """
    lift = chat.lift
    if lift is None:
        return render_panel(Assessment(stages=()), model=model, simulated=simulated)
    turn = lift.turns[-1] if lift.turns else None
    writing = turn.stage if turn and turn.state in ("waiting", "writing") else None
    return render_panel(
        lift.assessment(coaching.graph, mode),
        model=turn.model if turn and turn.model else model,
        simulated=simulated,
        framing=lift.framing,
        writing=writing,
    )


def answer_html(mode: Mode, turn: Turn | None, left_out: str = "") -> str:
    """Return one of the answers that are compared, or why it is left out."""
    found = words()
    title, note = found["modes"][mode], found["mode_notes"][mode]
    return _render("answer", title=title, note=note, turn=turn, left_out=left_out)


def muscles_html(shown: Shown | None) -> str:
    """Return which muscles work, as a film inside the page; `None` while that is worked out."""
    film = shown.film.read_bytes() if shown and shown.film else b""
    return _render(
        "muscles",
        working=shown is None,
        film=f"data:video/mp4;base64,{base64.b64encode(film).decode()}" if film else "",
        why_not=shown.why_not if shown else "",
        simulated=shown.simulated if shown else False,
    )


def note_html(text: str, *, bad: bool = False) -> str:
    """Return a sentence to the visitor."""
    return _render("note", text=text, bad=bad)


def _render(name: str, **values: object) -> str:
    template = environment().get_template(f"{_FOLDER}/{name}.html.j2")
    return template.render(words=words(), **values)
