"""The report: one page that needs nothing, and the same as JSON."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import av
import pytest
from coach_clips import GRAPH, MARKUP, write_film

from coach.assess import assess
from coach.framing import framing
from coach.limits import Limits
from coach.report import Report, Said, report_html, report_json
from coach.uploads import accept
from flex.video import Sampler
from vlm.cache import FrameCache

SAMPLER = Sampler(frames=4, pixels=56 * 56)


@pytest.fixture
def report(tmp_path: Path) -> Report:
    path = write_film(tmp_path / "clip.mp4")
    upload = accept(path, Limits(), FrameCache(tmp_path / "frames"), SAMPLER, name=f"{MARKUP}.mp4")
    return Report(
        upload=upload,
        turns=(
            Said(question=MARKUP, answer="It is a squat.", stage="recognise"),
            Said(question="Well?", answer=MARKUP, model=MARKUP),
            Said(question="Again?", answer=""),
        ),
        assessment=assess(
            GRAPH,
            {"recognise": "It is a squat.", "evaluate": "Your knees caved in."},
            duration_s=upload.duration_s,
        ),
        framing=framing(upload.frames),
        model="tiny coach",
        simulated=True,
        sampler=SAMPLER,
        graph=GRAPH.version,
        made_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    )


def test_the_page_needs_no_network_and_runs_nothing(report: Report) -> None:
    page = report_html(report)
    assert "default-src 'none'" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    assert MARKUP not in page
    assert page.count("&lt;img") >= 4
    assert page.count('<img src="data:image/jpeg;base64,') == 4


def test_the_page_says_what_was_asked_and_how_it_was_made(report: Report) -> None:
    page = report_html(report)
    for text in (
        "2026-01-02 03:04 UTC",
        "Knee tracking",
        "By the graph",
        "tiny coach",
        "simulated clips only",
        "no medical advice",
        "(no answer)",
        report.upload.sha,
        GRAPH.version,
        "4 of 24, uniform",
    ):
        assert text in page
    assert 'class="coach-panel"' in page, "the panel is not escaped twice"
    assert "data-seek" not in page


def test_frames_are_pictures(report: Report, tmp_path: Path) -> None:
    code = report_html(report).split("data:image/jpeg;base64,")[1].split('"')[0]
    path = tmp_path / "frame.jpg"
    path.write_bytes(base64.b64decode(code))
    with av.open(str(path)) as picture:
        frame = next(picture.decode(video=0))
        assert (frame.height, frame.width) == report.upload.frames.pixels.shape[1:3]


def test_json_holds_the_same(report: Report) -> None:
    data = json.loads(report_json(report))
    assert data["made_at"] == "2026-01-02T03:04:00+00:00"
    assert data["clip"]["sha256"] == report.upload.sha
    assert data["clip"]["frames"] == 24
    assert data["assessment"]["score"] == report.assessment.score
    assert data["assessment"]["errors"][0]["error_type"] == "ET056"
    assert data["turns"][1]["answer"] == MARKUP
    assert data["assessment"]["doubt"] == ""
    assert len(data["frame_times_s"]) == 4
    assert data["sampler"] == SAMPLER.model_dump()
    assert data["camera"]["brightness"] > 0
