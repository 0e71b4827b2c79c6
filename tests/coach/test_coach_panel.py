"""The panel in every state: what it shows, that it escapes, and that its HTML is whole."""

import math
from html.parser import HTMLParser
from typing import Any

import pytest
from coach_clips import GRAPH, MARKUP

from coach.assess import Assessment, FoundError, assess
from coach.confidence import Rated, threshold
from coach.framing import Framing
from coach.panel import panel_css, render_panel
from flex.problems import InputError
from qa_gen.dialogue import Stage

CAVED = "Your knees caved in as you came up."
TEXTS: dict[Stage, str] = {
    "recognise": "This is a squat.",
    "evaluate": CAVED,
    "score": "I give it 80 out of 100.",
}
SHARES = {"A16": 0.914, "A15": 0.083, "A01": 0.003}
RATED = Rated({action: math.log(share) for action, share in SHARES.items()})
VOID = {"meta", "img", "path", "meter", "br"}


class Page(HTMLParser):
    """Checks that elements close, and collects attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split())

    def attribute(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.found if name in attrs]


def panel(assessment: Assessment, **options: object) -> Page:
    return Page(render_panel(assessment, model="m", **options))  # type: ignore[arg-type]


def test_nothing_asked_yet() -> None:
    page = panel(assess(GRAPH, {}))
    assert "Nothing assessed yet" in page.text
    assert "no medical advice" in page.text
    assert "simulated" not in page.text
    assert "svg" not in dict(page.found)


def test_a_faulty_lift() -> None:
    found = assess(GRAPH, TEXTS, duration_s=4.0, rated=RATED, view="side")
    page = panel(found)
    assert "Squat" in page.text
    assert "91 %: share among the 3 exercises, by the model’s own likelihood" in page.text
    assert "Low confidence" not in page.text
    assert "Do not rely" not in page.text
    assert f"{found.lost} of {found.total} penalty points lost" in page.text
    assert "The model itself says 80" in page.text
    assert "Knee tracking" in page.text
    assert "weight 10" in page.text
    assert "Do this:" in page.text
    assert "it needs a view from the front" in page.text
    assert "Not visible from the side" in page.text
    assert "needs a breathing sensor" in page.text
    moment = found.errors[0].moment
    assert moment is not None
    assert float(page.attribute("data-seek")[0]) == moment.start_s
    assert float(page.attribute("data-until")[0]) == moment.end_s
    assert any("estimated" in text for text in page.said)
    assert any(label.startswith("Score ") for label in page.attribute("aria-label"))
    assert GRAPH.key_steps[GRAPH.actions["A16"].key_steps[0]].standard in page.text


def test_without_a_video_times_are_text() -> None:
    page = panel(assess(GRAPH, TEXTS, duration_s=4.0), live=False)
    assert page.attribute("data-seek") == []
    assert "ask again" not in page.text
    assert "estimated" in page.text


def test_a_clip_of_unknown_length_has_no_times() -> None:
    assert panel(assess(GRAPH, TEXTS)).attribute("data-seek") == []


def test_a_correct_lift_and_a_perfect_score() -> None:
    praised: dict[Stage, str] = {**TEXTS, "evaluate": "There were no errors.", "score": "0/100"}
    page = panel(assess(GRAPH, praised))
    assert "found no error" in page.text
    assert "0 of" in page.text
    assert "The model itself says 0" in page.text


def test_refused_and_unclear_evaluations_have_no_score() -> None:
    refused = panel(assess(GRAPH, {**TEXTS, "evaluate": "I cannot judge this video."}))
    assert "did not judge" in refused.text
    unclear = panel(assess(GRAPH, {**TEXTS, "evaluate": "It was a Tuesday."}))
    assert "names no error of this exercise" in unclear.text
    assert "No score by the graph yet." in unclear.attribute("aria-label")[1]


def test_not_recognised_while_looking_and_after() -> None:
    waves = assess(GRAPH, {"recognise": "A person waves."})
    assert "Not recognised" in panel(waves).text
    assert "Still looking" in panel(waves, writing="recognise").text


def test_streaming_is_said() -> None:
    page = panel(assess(GRAPH, TEXTS), writing="evaluate")
    assert "still writing" in page.text
    assert "lost so far" in page.text
    with pytest.raises(InputError, match="expected a stage"):
        panel(assess(GRAPH, TEXTS), writing="shopping")


def test_the_user_chose_another_exercise() -> None:
    page = panel(assess(GRAPH, TEXTS, user_action="A15", rated=RATED))
    assert "Deadlift Your choice. The coach took it for Squat (share" in page.text
    assert "among the 3 exercises: 91 %)" in page.text


def test_low_confidence_is_said() -> None:
    flat = Rated(dict.fromkeys(GRAPH.actions, -9.0))
    page = panel(assess(GRAPH, TEXTS, rated=flat))
    assert "Low confidence. No exercise stands out." in page.text
    assert "No score and no errors are shown" in page.text
    assert "The model took the clip for this exercise: Squat." in page.text
    assert "Low confidence." in panel(assess(GRAPH, {"recognise": "Waves."}, rated=flat)).text


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("action", [None, "A15"])
@pytest.mark.parametrize(
    "known",
    [
        {"unrated": "untuned"},
        {"unrated": "failed"},
        {"rated": Rated(dict.fromkeys(GRAPH.actions, -9.0))},
        {"rated": Rated({"A16": -9.0, "A15": -13.0}, own=threshold("own") - 0.1)},
    ],
    ids=["untuned", "failed", "spread", "unlike"],
)
def test_nothing_is_judged_where_there_is_doubt(
    known: dict[str, Any], action: str | None, live: bool
) -> None:
    """Also where the user has chosen the exercise, and also in the report."""
    found = assess(GRAPH, TEXTS, duration_s=4.0, user_action=action, **known)
    assert found.doubt
    assert (found.score, found.stated, found.errors, found.total) == (None, None, (), None)
    for writing in (None, "evaluate", "score"):
        page = panel(found, simulated=True, live=live, writing=writing)
        assert not any(character.isdigit() for character in page.text.replace("make sft", ""))
        shown = {value for value in page.attribute("class") if value}
        assert shown.isdisjoint({"gauge", "errors", "chip", "count", "weight"})
        assert page.attribute("data-seek") == []
        assert "meter" not in dict(page.found)
        assert "Not assessed" in page.text
        assert "No score and no errors are shown." in page.text


def test_without_a_name_nothing_is_judged_until_the_user_gives_one() -> None:
    waves: dict[Stage, str] = {**TEXTS, "recognise": "A person waves.", "evaluate": "Good."}
    assert assess(GRAPH, waves, rated=RATED).doubt == "unnamed"
    assert "Not recognised" in panel(assess(GRAPH, waves, rated=RATED)).text
    assert assess(GRAPH, waves, rated=RATED, user_action="A16").stated == 80


def test_a_clip_unlike_all_that_the_tiny_coach_knows() -> None:
    strange = {"A16": -9.0, "A15": -13.0}
    unsure = Rated(strange, own=threshold("own") - 0.1)
    page = panel(assess(GRAPH, TEXTS, rated=unsure), simulated=True)
    assert "share among" not in page.text
    assert "Low confidence. The clip is unlike those" in page.text
    assert "It may be none that the coach knows." in page.text
    assert "simulated clips only" in page.text
    other = panel(assess(GRAPH, TEXTS, rated=Rated(strange)))
    assert "98 %: share among the 2 exercises" in other.text
    assert "Low confidence" not in other.text, "measured on the tiny coach only"


def test_another_exercise_may_be_likelier_than_the_one_named() -> None:
    page = panel(assess(GRAPH, TEXTS, rated=Rated({"A16": -9.0, "A15": -2.0})))
    assert "under 1 %" in page.text
    assert "By its own likelihood Deadlift comes first, with over 99 %." in page.text


def test_without_likelihoods_the_reason_is_said() -> None:
    served = panel(assess(GRAPH, TEXTS, unrated="served"))
    assert "behind an endpoint" in served.text
    assert "nobody has checked" in served.text
    assert served.text.index("nobody has checked") < served.text.index("By the graph")
    assert "nobody has checked" in panel(assess(GRAPH, TEXTS, unrated="served"), live=False).text
    assert "could not be computed" in panel(assess(GRAPH, TEXTS, unrated="failed")).text
    silent = panel(assess(GRAPH, TEXTS)).text
    assert "likelihood" not in silent
    assert "could not be computed" not in silent


def test_a_score_that_cannot_be_read() -> None:
    page = panel(assess(GRAPH, {**TEXTS, "score": "between 60 and 70 points"}))
    assert "states no score that can be read" in page.text


def test_camera_advice_and_the_tiny_coach() -> None:
    dark = Framing(0.0, 0.0, 0.0, 9.0, (0, 0, 0, 0), 0.0, faults=("dark",))
    page = panel(assess(GRAPH, {}), framing=dark, simulated=True)
    assert "very dark" in page.text
    assert "simulated clips only" in page.text


def test_everything_is_escaped() -> None:
    found = assess(GRAPH, TEXTS, duration_s=1.0)
    error = found.errors[0].model_dump() | {
        name: MARKUP for name in ("name", "description", "step_name", "correction", "needs")
    }
    spoilt = found.model_copy(
        update={
            "action_name": MARKUP,
            "advised": (MARKUP,),
            "errors": (FoundError.model_validate(error),),
        }
    )
    html = render_panel(spoilt, model=MARKUP)
    assert "<img" not in html
    assert html.count("&lt;img") >= 7
    quoted = render_panel(found.model_copy(update={"action_name": '" onclick="x'}), model='"')
    assert not any(name.startswith("on") for _, attrs in Page(quoted).found for name in attrs)


def test_the_style_stays_below_the_panel_and_asks_nobody() -> None:
    css = panel_css()
    assert "url(" not in css
    assert "@import" not in css
    for line in css.split("\n"):
        selector = line.split("{")[0]
        if "{" in line and not line.startswith("@"):
            assert all(".coach-panel" in part for part in selector.split(","))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "sheet"),
        ("soft", "sheet"),
        ("accent", "sheet"),
        ("light", "light-bg"),
        ("medium", "medium-bg"),
        ("heavy", "heavy-bg"),
        ("light", "sheet"),
        ("medium", "sheet"),
        ("heavy", "sheet"),
        ("good", "sheet"),
        ("soft", "notice"),
    ],
)
@pytest.mark.parametrize("scheme", [0, 1])
def test_text_has_the_contrast_that_wcag_asks_for(text: str, ground: str, scheme: int) -> None:
    css = panel_css()

    def colour(name: str) -> str:
        return css.split(f"--{name}: light-dark(")[1].split(")")[0].split(", ")[scheme]

    levels = sorted((luminance(colour(text)), luminance(colour(ground))))
    assert (levels[1] + 0.05) / (levels[0] + 0.05) >= 4.5
