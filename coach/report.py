"""The report to download: one HTML file that needs no network, and the same as JSON.

report = Report(upload=upload, turns=turns, assessment=assessment, …)
page, data = report_html(report), report_json(report)
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, NamedTuple

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict

from coach.assess import Assessment
from coach.framing import Framing
from coach.panel import render_panel
from coach.uploads import Upload
from flex.pictures import jpeg
from flex.templates import environment
from flex.video import Sampler
from qa_gen.dialogue import Stage

REPORT_TEMPLATE = "coach/report.html.j2"
_JPEG_QUALITY = 4


class Said(BaseModel):
    """One question and its answer.

    Attributes:
        stage: what was asked; `None` for a free question.
        model: who answered, where several were compared; empty for the report's own model.
        note: what the page said in place of the answer, or below it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    answer: str
    stage: Stage | None = None
    model: str = ""
    note: str = ""


@dataclass(frozen=True)
class Report:
    """All that a report says of one clip.

    Attributes:
        model: name of the model that talked.
        simulated: whether that model knows simulated clips only.
        sampler: how it saw the clip.
        graph: version of the knowledge graph.
        made_at: when, with its zone.
    """

    upload: Upload
    turns: tuple[Said, ...]
    assessment: Assessment
    framing: Framing | None
    model: str
    simulated: bool
    sampler: Sampler
    graph: str
    made_at: datetime


class Picture(NamedTuple):
    """A frame that the model saw, as a data URI, and when that was."""

    source: str
    time_s: float


def report_html(report: Report) -> str:
    """Return the report as one HTML page: style and frames are inside, nothing is fetched."""
    panel = render_panel(
        report.assessment,
        model=report.model,
        simulated=report.simulated,
        framing=report.framing,
        live=False,
    )
    return (
        environment()
        .get_template(REPORT_TEMPLATE)
        .render(
            report=report,
            # The panel is escaped already.
            panel=Markup(panel),
            pictures=list(pictures(report.upload)),
            version=version("flex-coach"),
        )
    )


def report_json(report: Report) -> str:
    """Return the report as JSON, without the frames."""
    upload, info = report.upload, report.upload.info
    camera: dict[str, Any] | None = None
    if report.framing:
        camera = {**asdict(report.framing), "advice": report.framing.advice}
    # Shares would be read as a score where nothing is judged.
    left_out = {"confidence"} if report.assessment.doubt else None
    data = {
        "made_at": report.made_at.isoformat(),
        "version": version("flex-coach"),
        "graph": report.graph,
        "model": report.model,
        "simulated_only": report.simulated,
        "sampler": report.sampler.model_dump(),
        "clip": {
            "name": upload.name,
            "sha256": upload.sha,
            "duration_s": round(upload.duration_s, 3),
            **info._asdict(),
        },
        "frame_times_s": [round(time_s, 3) for time_s in upload.frames.times_s],
        "assessment": report.assessment.model_dump(mode="json", exclude=left_out),
        "camera": camera,
        "turns": [turn.model_dump(mode="json") for turn in report.turns],
        "note": "No medical advice.",
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def pictures(upload: Upload) -> Iterator[Picture]:
    """Yield what the model sees of a clip, as JPEG."""
    for picture, time_s in zip(upload.frames.pixels, upload.frames.times_s, strict=True):
        code = base64.b64encode(jpeg(picture, _JPEG_QUALITY)).decode()
        yield Picture(f"data:image/jpeg;base64,{code}", time_s)
