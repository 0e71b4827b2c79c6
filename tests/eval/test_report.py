"""`eval.report` on answers that the test makes up: good ones, empty ones, and hostile text."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval import report
from eval.answers import Answer, Truth, write_answers
from eval.report_page import markdown_text
from eval.report_svg import Bar, bars, say_interval, scatter
from eval.text_metrics.bertscore import Encoder
from flex.graph_file import load_graph
from flex.problems import InputError

GRAPH = load_graph()
NAN = float("nan")
HOSTILE = "<script>alert(1)</script> | a"
GOOD = {
    "recognise": "This is a squat.",
    "standard": "Keep your back straight.",
    "evaluate": "Your knees caved in as you went down. Push your knees out over your toes.",
    "score": "Score: 80 out of 100.",
}
BAD = {
    "recognise": "A deadlift.",
    "standard": HOSTILE,
    "evaluate": "Well done, there were no mistakes.",
    "score": "",
}


def given(mode: str, said: dict[str, str]) -> list[Answer]:
    truth = Truth(errors=("AK44:ET056",), score=80.0)
    return [
        Answer(
            clip=f"A16/{number:03}",
            action="A16",
            subject=f"P{number % 3}",
            view="View-1",
            mode=mode,
            stage=stage,
            question="What do you say?",
            reference=GOOD[stage],
            answer=text,
            truth=truth,
        )
        for number in range(6)
        for stage, text in said.items()
    ]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Answers of two modes, annotations and dialogues of six test and four training clips."""
    out = tmp_path / "out"
    write_answers(out / "answers-pretrained.jsonl", given("pretrained", BAD))
    write_answers(out / "answers-tuned.jsonl", given("tuned", GOOD))
    dialogues, annotations = [], []
    for number in range(10):
        clip, split = f"A16/{number:03}", "test" if number < 6 else "train"
        errors = [{"key_step": "AK44", "error_type": "ET056"}] * (number % 2)
        annotations.append(
            {"clip": clip, "action": "A16", "subject": f"{split}{number % 3}", "errors": errors}
        )
        turns = [{"stage": stage, "question": "?", "answer": text} for stage, text in GOOD.items()]
        record = {"clip": clip, "action": "A16", "split": split, "turns": turns}
        dialogues.append({**record, "simulated": True})
    for name, rows in (("dialogues", dialogues), ("annotations", annotations)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(text)
    return tmp_path


def run(world: Path, **options: Any) -> dict[str, Any]:
    report.run(
        data=world,
        dialogues=world / "dialogues.jsonl",
        out=world / "out",
        workers=1,
        resamples=50,
        **options,
    )
    content: dict[str, Any] = json.loads((world / "out" / "report.json").read_text())
    return content


def test_figures_baselines_and_both_pages(world: Path) -> None:
    content = run(world)
    modes = content["modes"]
    assert list(modes)[:2] == ["pretrained", "tuned"]
    assert len([mode for mode in modes if mode.startswith("baseline")]) >= 3
    assert modes["tuned"]["figures"]["action_accuracy"]["value"] == 1
    assert modes["pretrained"]["figures"]["called correct"]["value"] == 1
    assert modes["tuned"]["figures"]["errors/micro/f1"]["clusters"] == 3
    assert content["differences"]["tuned − pretrained"]["action_accuracy"]["value"] == 1
    assert content["subjects"] == 3
    for name in ("report.md", "report.html"):
        text = (world / "out" / name).read_text()
        assert "imulated data" in text
        assert "Most frequent errors" in text
        assert "<script" not in text
        assert "R-l2 × 100" in text
        assert "read by the matcher" in text
        assert "headings and lists" in text
    ceilings = content["reader"]["ceilings"]
    said = " · ".join(
        f"{100 * one['figures']['errors/micro/f1']['value']:.1f}" for one in ceilings.values()
    )
    rows = (world / "out" / "report.md").read_text().splitlines()
    row = next(line for line in rows if line.startswith("| Error types, micro F1"))
    assert row.endswith(f" {said} |")
    assert "evaluations unread" not in modes["tuned"]["figures"]


def test_bertscore_is_labelled_by_its_encoder_and_not_held_against_the_papers(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scores(said: list[str], wanted: list[str], encoder: Encoder) -> Any:
        rows = [[0.5, 1.0] for _ in said]
        return rows, f"bertscore|f1|encoder:{encoder.name}|layer:6", []

    monkeypatch.setattr("eval.text_metrics.bertscore.scores", scores)
    run(world, encoder="small")
    page = (world / "out" / "report.html").read_text()
    row = next(line for line in page.splitlines() if "BERTScore F1 by small" in line)
    assert "0.5000" in row
    assert "0.1664" not in row
    run(world, encoder="roberta-large")
    page = (world / "out" / "report.html").read_text()
    row = next(line for line in page.splitlines() if "BERTScore F1 by roberta-large" in line)
    assert "0.1664" in row


def test_a_judges_marks_are_shown(world: Path) -> None:
    marks = {"found": 5, "honest": 4, "advice": 2, "clear": 5, "reason": "Fine."}
    lines = [
        {"clip": "A16/000", "mode": "tuned", "view": None, "grade": grade, "reply": ""}
        for grade in (marks, None)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (world / "out" / "judge.jsonl").write_text(text)
    assert run(world)["judge"]["tuned"] == {
        "found": 5,
        "honest": 4,
        "advice": 2,
        "clear": 5,
        "graded": 0.5,
    }
    assert "| 5.00 | 4.00 | 2.00 | 5.00 | 50 % |" in (world / "out" / "report.md").read_text()
    assert 'id="judge"' in (world / "out" / "report.html").read_text()


def test_the_page_stands_alone_and_shows_answers_side_by_side(world: Path) -> None:
    run(world, worst=2)
    page = (world / "out" / "report.html").read_text()
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count('<article class="clip">') == 5
    assert "No frames:" in page
    assert "&lt;script&gt;" in page
    assert "(empty answer)" in page
    assert page.count("<svg") == 5


def test_frames_are_those_that_the_model_saw(world: Path) -> None:
    import av
    import numpy as np

    film = world / "A16" / "000" / "View-1.mp4"
    film.parent.mkdir(parents=True)
    with av.open(str(film), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 56
        stream.pix_fmt = "yuv420p"
        for number in range(20):
            picture = np.full((56, 56, 3), 10 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))
    run(world, worst=6, best=0)
    page = (world / "out" / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 16
    assert "<figcaption>1.90 s</figcaption>" in page


def test_without_annotations_there_are_no_baselines_and_it_is_said(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (world / "annotations.jsonl").unlink()
    assert list(run(world)["modes"]) == ["pretrained", "tuned"]
    assert "no baselines" in capsys.readouterr().err.replace("\n", " ")


def test_no_answers_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run `predict` first"):
        report.run(out=tmp_path)


def test_intervals_in_words() -> None:
    assert say_interval(0.612, 0.55, 0.68, percent=True) == "61.2 % [55–68]"
    assert say_interval(0.612, NAN, NAN, percent=True) == "61.2 %"
    assert say_interval(NAN, NAN, NAN, percent=False) == "–"
    assert say_interval(3.0, 2.5, 3.25, percent=False) == "3.000 [2.500–3.250]"


def test_plots_escape_labels_and_leave_out_what_is_unknown() -> None:
    rows = [Bar("a<b", 0.5, 0.25, 1.0), Bar("c", NAN, NAN, NAN, "trivial")]
    drawn = bars("t", rows, most=1.0, percent=True)
    assert "a&lt;b" in drawn
    assert drawn.count('class="track"') == 2
    assert drawn.count('class="bar') == 1
    assert drawn.count("whisker") == 1
    assert scatter("t", [(0, 100), (50, 50)]).count("<circle") == 2


def test_markdown_cannot_break_its_table() -> None:
    assert markdown_text("a|b\nc <i>") == "a\\|b c &lt;i&gt;"


def test_a_figure_on_few_answers_is_not_called_the_best(world: Path) -> None:
    """One score that is exactly right does not beat six that are nearly right."""
    near = {**GOOD, "score": "Score: 85 out of 100."}
    write_answers(world / "out" / "answers-tuned.jsonl", given("tuned", near))
    few = [
        answer.model_copy(update={"answer": "80 out of 100" if number == 3 else "Who knows?"})
        for number, answer in enumerate(given("pretrained", BAD))
    ]
    write_answers(world / "out" / "answers-pretrained.jsonl", few)
    figures = run(world)["modes"]["pretrained"]["figures"]
    assert figures["score coverage"]["value"] == pytest.approx(1 / 6)
    name = "R-l2 of stated score, action range, unread: skip"
    assert figures[name]["value"] == 0
    rows = (world / "out" / "report.md").read_text().splitlines()
    row = next(line for line in rows if line.startswith("| R-l2 × 100, score as stated"))
    assert "**" not in row
