"""The coach's page: Gradio Blocks around `coach.page_events`.

page = build_page(events)
page.launch(**style())
"""

from typing import Any

from coach.chat import Chat
from coach.page_events import Events
from coach.page_layout import coach_tab
from coach.page_view import head_html
from coach.page_wiring import QUIET, compare_tab, wire_clip, wire_talk, wire_verdict
from coach.panel import panel_css
from coach.words import words
from flex.pages import gradio
from flex.templates import PROMPTS

_HELD_S = 7200
_CLEAN_EVERY_S = 600


def style() -> dict[str, Any]:
    """Return theme, style sheet and script for `launch`: system fonts, nothing fetched."""
    gr = gradio()
    fonts = [gr.themes.Font(name) for name in ("system-ui", "sans-serif")]
    mono = [gr.themes.Font(name) for name in ("ui-monospace", "monospace")]
    theme = gr.themes.Base(
        primary_hue="teal",
        neutral_hue="zinc",
        radius_size="lg",
        font=fonts,
        font_mono=mono,
    ).set(
        # White on a lighter teal is hard to read.
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_secondary_background_fill="*background_fill_primary",
        button_border_width="1px",
        button_secondary_border_color="*border_color_primary",
    )
    sheet = (PROMPTS / "coach" / "page.css").read_text("utf-8")
    script = (PROMPTS / "coach" / "page.js").read_text("utf-8")
    return {
        "theme": theme,
        "css": panel_css() + sheet,
        "head": f"<script>{script}</script>",
    }


def build_page(events: Events) -> Any:
    """Return the page, not yet served.

    Raises:
        InputError: gradio is not installed.
    """
    gr = gradio()
    text = words()
    with gr.Blocks(
        title=text["title"],
        analytics_enabled=False,
        delete_cache=(_CLEAN_EVERY_S, _HELD_S),
        fill_width=True,
    ) as page:
        chat = gr.State(Chat())
        head = gr.HTML(_head(events))
        clock = gr.Timer(0.5)
        with gr.Tabs():
            with gr.Tab(text["tabs"]["coach"]):
                parts = coach_tab(gr, events)
            with gr.Tab(text["tabs"]["compare"]):
                compare_tab(gr, events, chat)
        wire_clip(gr, events, chat, parts, page)
        wire_talk(gr, events, chat, parts)
        wire_verdict(gr, events, chat, parts)
        clock.tick(
            lambda: (_head(events), gr.Timer(active=not events.coaching.loading.over.is_set())),
            None,
            [head, clock],
            **QUIET,
        )
    return page


def _head(events: Events) -> str:
    return head_html(events.coaching, events.names[events.best], events.simulated, events.untuned)
