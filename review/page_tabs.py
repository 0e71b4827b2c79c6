"""The Gradio part of the page: its tabs, with the desk in the first."""

from typing import Any

from flex.graph import Graph
from flex.problems import InputError
from review.agreement import questions_of, review_agreement
from review.drift import drift
from review.page_words import filled, page_words
from review.people import add_person, get_person, people
from review.progress import progress_of
from review.records import ROLES, Role
from review.recount import standing_decisions
from review.store import Store


def blocks(store: Store, graph: Graph) -> Any:
    """Return the Gradio app; its desk talks to the routes of `review.page_routes`."""
    import gradio as gr

    named = page_words().tabs
    with gr.Blocks(title=page_words().title, analytics_enabled=False) as app, gr.Tabs():
        with gr.Tab(named["desk"], id="desk"):
            _html(filled("desk.html.j2"), js_on_load=filled("desk.js.j2"))
        with gr.Tab(named["progress"], id="progress") as tab:
            shown = _html()
            tab.select(lambda: progress_page(store), outputs=shown, api_visibility="private")
        with gr.Tab(named["agreement"], id="agreement") as tab:
            table = _html()
            tab.select(
                lambda: agreement_page(store, graph), outputs=table, api_visibility="private"
            )
        with gr.Tab(named["people"], id="people") as tab:
            _people(store, tab)
        with gr.Tab(named["help"], id="help"):
            _html(filled("help.html.j2"))
    return app


def _people(store: Store, tab: Any) -> None:
    import gradio as gr

    listed = _html()
    with gr.Group(visible=False) as form, gr.Row():
        words = page_words().form
        name = gr.Textbox(label=words["name"], max_lines=1)
        role = gr.Dropdown(list(ROLES), value="first", label=words["role"])
        add = gr.Button(words["add"], variant="primary")

    def show(request: gr.Request) -> tuple[str, Any]:
        here = get_person(store, request.username or "")
        return people_page(store, here.name), gr.update(visible=here.role == "admin")

    def change(who: str, chosen: Role, request: gr.Request) -> str:
        if get_person(store, request.username or "").role != "admin":
            raise gr.Error(page_words().says["admins_only"], print_exception=False)
        try:
            add_person(store, who, chosen)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return people_page(store, request.username or "")

    tab.select(show, outputs=[listed, form], api_visibility="private")
    add.click(change, [name, role], listed, api_visibility="private")


def _html(value: str = "", **more: Any) -> Any:
    import gradio as gr

    # Our own style sheet says how it looks, down to lists and tables.
    return gr.HTML(value, apply_default_css=False, padding=False, **more)


def progress_page(store: Store) -> str:
    """Return the figures of progress as HTML."""
    return filled("progress.html.j2", found=progress_of(store))


def agreement_page(store: Store, graph: Graph) -> str:
    """Return the figures of agreement as HTML."""
    decisions, questions = standing_decisions(store), questions_of(store)
    report = review_agreement(decisions, questions, graph)
    points = drift(decisions, questions)
    return filled("agreement.html.j2", report=report, drift=points, graph=graph)


def people_page(store: Store, here: str) -> str:
    """Return who reviews, as HTML."""
    return filled("people.html.j2", people=people(store), here=here)
