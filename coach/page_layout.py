"""The components of the page's tab "Coach": what stands where.

Everything is named by `elem_id`, by which style sheet, script and tests find it.
"""

from typing import Any, NamedTuple

from coach.chat import Chat
from coach.page_events import LONGEST_QUESTION, Events
from coach.page_view import chat_html
from coach.visibility import load_visibility
from coach.words import words

_VIDEO_HEIGHT = 300


class Parts(NamedTuple):
    """The page's components that events read or change."""

    video: Any
    view: Any
    frames: Any
    gallery: Any
    clip_note: Any
    talk: Any
    question: Any
    ask: Any
    assess: Any
    stop: Any
    retry: Any
    mode: Any
    exercise: Any
    note: Any
    helpful: Any
    wrong: Any
    remark: Any
    page: Any
    data: Any
    page_file: Any
    data_file: Any
    panel: Any
    muscles: Any


def coach_tab(gr: Any, events: Events) -> Parts:
    """Place the tab's components; `gr` is the module gradio."""
    text = words()
    label = text["labels"]
    names = [(name, view) for view, name in load_visibility().views.items()]
    graph = events.coaching.graph
    exercises = sorted((action.name, action.id) for action in graph.actions.values())
    modes = [(text["modes"][mode], mode) for mode in reversed(events.names)]
    with gr.Row(equal_height=False, elem_id="coach"):
        with gr.Column(scale=4, min_width=300, elem_id="left"):
            video = gr.Video(
                label=label["video"],
                sources=["upload", "webcam"],
                include_audio=True,
                height=_VIDEO_HEIGHT,
                elem_id="clip",
                buttons=[],
            )
            clip_note = gr.HTML("", elem_id="clip-note")
            frames = gr.HTML("", elem_id="frames")
            view = gr.Dropdown(
                [(label["any_view"], ""), *names], value="", label=label["view"], elem_id="view"
            )
            with gr.Accordion(label["examples"], open=True):
                gallery = gr.Gallery(
                    None,
                    show_label=False,
                    columns=3,
                    height="auto",
                    allow_preview=False,
                    object_fit="cover",
                    interactive=False,
                    buttons=[],
                    elem_id="examples",
                )
        with gr.Column(scale=5, min_width=320, elem_id="middle"):
            talk = gr.HTML(chat_html(Chat()), elem_id="talk")
            with gr.Row(elem_id="ask-row"):
                question = gr.Textbox(
                    placeholder=label["question"],
                    show_label=False,
                    container=False,
                    max_length=LONGEST_QUESTION + 1,
                    scale=5,
                    lines=1,
                    elem_id="question",
                )
                ask = gr.Button(label["ask"], scale=1, min_width=80, elem_id="ask")
            with gr.Row(elem_id="buttons"):
                assess = gr.Button(
                    label["assess"], variant="primary", scale=3, min_width=140, elem_id="assess"
                )
                stop = gr.Button(label["stop"], scale=1, min_width=80, elem_id="stop")
                retry = gr.Button(label["retry"], scale=1, min_width=80, elem_id="retry")
            note = gr.HTML("", elem_id="note")
            with gr.Row():
                exercise = gr.Dropdown(
                    [(label["any_exercise"], ""), *exercises],
                    value="",
                    label=label["exercise"],
                    scale=3,
                    min_width=200,
                    elem_id="exercise",
                )
                mode = gr.Dropdown(
                    modes, value=events.best, label=label["mode"], min_width=150, elem_id="mode"
                )
            with gr.Row(elem_id="verdict"):
                remark = gr.Textbox(
                    placeholder=label["remark"],
                    show_label=False,
                    container=False,
                    scale=4,
                    min_width=90,
                    elem_id="remark",
                )
                helpful = gr.Button(label["helpful"], scale=1, min_width=70, elem_id="helpful")
                wrong = gr.Button(label["wrong"], scale=1, min_width=70, elem_id="wrong")
        with gr.Column(scale=4, min_width=300, elem_id="right"):
            panel = gr.HTML(events.panel(Chat()), elem_id="panel")
            muscles = gr.HTML("", elem_id="muscles")
            with gr.Row(elem_id="report"):
                page = gr.Button(label["page"], size="md", min_width=120, elem_id="report-html")
                data = gr.Button(label["data"], size="md", min_width=120, elem_id="report-json")
            page_file = gr.DownloadButton("", visible="hidden", elem_id="file-html")
            data_file = gr.DownloadButton("", visible="hidden", elem_id="file-json")
    return Parts(
        video=video,
        view=view,
        frames=frames,
        gallery=gallery,
        clip_note=clip_note,
        talk=talk,
        question=question,
        ask=ask,
        assess=assess,
        stop=stop,
        retry=retry,
        mode=mode,
        exercise=exercise,
        note=note,
        helpful=helpful,
        wrong=wrong,
        remark=remark,
        page=page,
        data=data,
        page_file=page_file,
        data_file=data_file,
        panel=panel,
        muscles=muscles,
    )
