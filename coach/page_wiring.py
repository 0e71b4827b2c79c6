"""Which event of the page calls which method of `coach.page_events`, and what it changes."""

from collections.abc import Callable, Iterator
from typing import Any

from coach.chat import Chat
from coach.page_events import Events
from coach.page_layout import Parts
from coach.page_view import answer_html, note_html
from coach.questions import stage_questions
from coach.words import say, words

# No answer is shown as greyed out while it grows, and nothing can be called from outside the page.
QUIET = {"show_progress": "hidden", "api_visibility": "private"}
# The desk, not Gradio's queue, says who is next.
_ASKS = {**QUIET, "concurrency_limit": None}


def compare_tab(gr: Any, events: Events, chat: Any) -> None:
    """Place and wire the tab "Compare"; `gr` is the module gradio."""
    text = words()
    label = text["labels"]
    gr.HTML(f"<p class='lead'>{text['compare_lead']}</p>")
    with gr.Row():
        question = gr.Dropdown(
            list(stage_questions().values()),
            value=stage_questions()["evaluate"],
            allow_custom_value=True,
            label=label["compare_question"],
            scale=4,
            elem_id="compare-question",
        )
        start = gr.Button(
            label["compare"], variant="primary", scale=1, min_width=110, elem_id="compare"
        )
    note = gr.HTML("", elem_id="compare-note")
    with gr.Row(equal_height=False, elem_id="compared"):
        answers = [gr.HTML(answer_html(mode, None), min_width=280) for mode in events.names]
        for mode, reason in events.left_out.items():
            gr.HTML(answer_html(mode, None, reason), min_width=280)
    start.click(_changed(gr, events.compare), [chat, question], [*answers, note], **_ASKS)


def wire_clip(gr: Any, events: Events, chat: Any, parts: Parts, page: Any) -> None:
    """Wire what brings a clip in, and what is said of it."""
    shown = [parts.video, parts.view, parts.talk, parts.frames, parts.panel, parts.exercise]
    shown.append(parts.clip_note)
    limit = events.coaching.intake.limits.at_once
    decode = {**QUIET, "concurrency_limit": limit, "concurrency_id": "decode"}

    def changed(found: tuple[Any, ...]) -> tuple[Any, ...]:
        video, view, *rest = found
        # No name empties the player, and `None` leaves it alone.
        video = gr.skip() if video is None else (video or None)
        return (video, gr.skip() if view is None else view, *rest)

    def take(talk: Chat, path: str | None, view: Any) -> tuple[Any, ...]:
        return changed(events.clip(talk, path, view))

    def pick(talk: Chat, picked: gr.SelectData) -> tuple[Any, ...]:
        return changed(events.example(talk, picked.index))

    arrived = [parts.video.upload, parts.video.stop_recording]

    def forget(talk: Chat) -> Any:
        # A clip that was refused has changed nothing.
        return "" if talk.lift is not None and not talk.lift.turns else gr.skip()

    came = gr.on(arrived, take, [chat, parts.video, parts.view], shown, **decode)
    picked = parts.gallery.select(pick, chat, shown, **decode)
    for event in (came, picked):
        event.then(forget, chat, parts.muscles, **QUIET)

    def examples() -> tuple[Any, Any]:
        found = [(str(example.poster), example.caption) for example in events.examples()]
        said = "" if found else note_html(say("no_examples"))
        return gr.Gallery(found, visible=bool(found)), said

    page.load(examples, None, [parts.gallery, parts.clip_note], **QUIET)
    parts.view.input(events.view, [chat, parts.view], parts.panel, **QUIET)
    parts.exercise.input(
        events.exercise, [chat, parts.exercise], [parts.panel, parts.note], **QUIET
    )


def wire_talk(gr: Any, events: Events, chat: Any, parts: Parts) -> None:
    """Wire what asks the model."""
    shown = [parts.talk, parts.panel, parts.note]
    parts.assess.click(_changed(gr, events.assess), [chat, parts.mode], shown, **_ASKS).then(
        events.work, chat, parts.muscles, **_ASKS
    )
    parts.retry.click(_changed(gr, events.retry), [chat, parts.mode], shown, **_ASKS)
    parts.stop.click(events.stop, chat, None, queue=False, **QUIET)
    asked = gr.State("")
    gr.on(
        [parts.ask.click, parts.question.submit],
        lambda question: (question, ""),
        parts.question,
        [asked, parts.question],
        queue=False,
        **QUIET,
    ).then(_changed(gr, events.ask), [chat, asked, parts.mode], shown, **_ASKS)


def wire_verdict(gr: Any, events: Events, chat: Any, parts: Parts) -> None:
    """Wire what is said of answers, and the reports."""
    for button, verdict in ((parts.helpful, "helpful"), (parts.wrong, "wrong")):

        def judge(talk: Chat, remark: str, verdict: Any = verdict) -> tuple[str, str]:
            return events.judge(talk, verdict, remark)

        button.click(judge, [chat, parts.remark], [parts.remark, parts.note], **QUIET)
    reports = ((parts.page, parts.page_file, "html"), (parts.data, parts.data_file, "json"))
    for button, file, kind in reports:

        def write(talk: Chat, kind: Any = kind) -> tuple[str | None, str]:
            return events.report(talk, kind)

        button.click(write, chat, [file, parts.note], **QUIET).then(
            None, None, None, js=f"() => coachDownload('file-{kind}')", **QUIET
        )


def _changed(
    gr: Any, event: Callable[..., Iterator[tuple[Any, ...]]]
) -> Callable[..., Iterator[tuple[Any, ...]]]:
    """Return an event whose `None`s leave what is shown as it is."""

    def run(*values: Any) -> Iterator[tuple[Any, ...]]:
        for shown in event(*values):
            yield tuple(gr.skip() if value is None else value for value in shown)

    return run
