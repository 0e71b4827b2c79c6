"""The panel beside the chat, as HTML: exercise, score, errors, standard, what is not visible.

    html = render_panel(assessment, model="Qwen2.5-VL-3B", framing=framing(upload.frames))
    page_css = panel_css()

Texts of users and models are escaped. The seek buttons carry `data-seek`, seconds from the start of
the clip, and `data-until`; the page listens for clicks on them. The panel is light, dark below an
element of class "dark" (as Gradio sets), and as the reader's system is below class "alone".
"""

from coach.assess import Assessment
from coach.doubt import doubt_notice
from coach.framing import Framing
from coach.visibility import load_visibility
from coach.words import words
from flex.problems import InputError, Problem
from flex.templates import PROMPTS, environment
from qa_gen.dialogue import STAGES

PANEL_TEMPLATE = "coach/panel.html.j2"
_CSS_FILE = PROMPTS / "coach" / "panel.css"


def render_panel(
    assessment: Assessment,
    *,
    model: str,
    simulated: bool = False,
    framing: Framing | None = None,
    writing: str | None = None,
    live: bool = True,
) -> str:
    """Return the panel as HTML.

    Args:
        assessment: what is known so far.
        model: name of the model that talks.
        simulated: whether that model knows simulated clips only.
        framing: how the clip is filmed, for camera advice.
        writing: the stage whose answer still streams.
        live: whether it stands beside the video and the chat: times are buttons then, and it says
            what to do next.

    Raises:
        InputError: `writing` is no stage.
    """
    if writing is not None and writing not in STAGES:
        message = f"expected a stage ({', '.join(STAGES)}), found {writing!r}"
        raise InputError([Problem("writing", message)])
    return (
        environment()
        .get_template(PANEL_TEMPLATE)
        .render(
            a=assessment,
            model=model,
            simulated=simulated,
            advice=framing.advice if framing else (),
            view=load_visibility().views[assessment.view] if assessment.view else "",
            writing=writing,
            live=live,
            notice=doubt_notice(assessment),
            words=words(),
        )
    )


def panel_css() -> str:
    """Return the panel's style sheet; all its rules lie below `.coach-panel`."""
    return _CSS_FILE.read_text(encoding="utf-8")
