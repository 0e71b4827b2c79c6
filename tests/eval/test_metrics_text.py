"""The text metrics against the libraries that define them, to 1e-6."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.text_metrics import chrf, meteor
from eval.text_metrics.measure import measure
from eval.text_metrics.wordnet import complete, load_wordnet

PREDICTIONS = [
    "Your knees caved in as you stood up. Push them out, over your toes!",
    "The score is 72.5 out of 100 (44 of 161 points), that's fair.",
    "",
    "Lower the bar slowly - it fell; don't drop it.",
    "Grip's “too wide” & uneven: 漢字 naïve café.",
    "Bend your knees to 80–100° – slowly… {1/2}, 3-4 [reps] (x*y)~z; a<b>c?",
    "The angle α is 80–100° here; α is what counts.",
]
REFERENCES = [
    "Your knees fell in on the way up. Next time push your knees out over the toes.",
    "My mark is 72.67 out of 100, since 44 of 161 penalty points were lost.",
    "You held your back flat.",
    "You lowered the weight too fast. Guide the bar slowly down.",
    "Your grip was “too wide” & uneven: 漢字 naive café.",
    "Bend your knees to 90–100°, slowly {1/2}, 3-5 [reps] (x*y)~z; a<b>c!",
    "The angle is 80–100° here, and that is what counts… Ͱ‘",
]


def test_bleu_and_chrf_equal_sacrebleu() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    found = measure(PREDICTIONS, REFERENCES, workers=1).statistics
    bleu = sacrebleu.corpus_bleu(PREDICTIONS, [REFERENCES], smooth_method="none").score / 100
    chrf = sacrebleu.corpus_chrf(PREDICTIONS, [REFERENCES], word_order=2).score
    assert found["bleu"].value == pytest.approx(bleu, abs=1e-6)
    assert found["chrf++"].value == pytest.approx(chrf, abs=1e-6)


def test_rouge_equals_rouge_score() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
    rows = measure(PREDICTIONS, REFERENCES, workers=1).statistics["rougeL"].rows
    for row, said, wanted in zip(rows, PREDICTIONS, REFERENCES, strict=True):
        assert row[0] == pytest.approx(scorer.score(wanted, said)["rougeL"].fmeasure, abs=1e-6)


def test_meteor_equals_nltk() -> None:
    if why := meteor.missing():
        pytest.skip(why)
    from nltk.translate.meteor_score import single_meteor_score

    reader = load_wordnet()
    for said, wanted in zip(PREDICTIONS, REFERENCES, strict=True):
        tokens = meteor.tokens(wanted), meteor.tokens(said)
        expected = single_meteor_score(*tokens, wordnet=reader)
        assert meteor.rows(said, wanted)[0] == pytest.approx(expected, abs=1e-6)


def test_trap_13_metrics_without_their_data_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meteor, "load_wordnet", lambda: None)
    found = measure(PREDICTIONS, REFERENCES, workers=1)
    assert "meteor" not in found.statistics
    assert "wordnet-base" in found.missing["meteor"]
    assert "encoder" in found.missing["bertscore"]


def test_empty_answers_score_nothing() -> None:
    found = measure([""], ["Keep your back flat."], workers=1).statistics
    assert {statistic.value for statistic in found.values()} == {0.0}
    assert all(not math.isnan(s.value) for s in found.values())


def test_debian_files_get_the_two_that_nltk_needs(tmp_path: Path) -> None:
    source = tmp_path / "debian"
    source.mkdir()
    (source / "data.noun").write_text("x", encoding="utf-8")
    complete(source, tmp_path / "wordnet")
    names = (tmp_path / "wordnet" / "lexnames").read_text(encoding="utf-8").splitlines()
    assert len(names) == 45
    assert names[3].split() == ["03", "noun.Tops", "1"]
    assert names[44].split() == ["44", "adj.ppl", "3"]
    assert (tmp_path / "wordnet" / "index.sense").is_file()


@pytest.mark.slow
def test_the_module_loads_by_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    evaluate: Any = pytest.importorskip("evaluate")
    folder = Path(__file__).parents[2] / "eval" / "text_metrics"
    metric = evaluate.load(str(folder), cache_dir=str(tmp_path))
    found = metric.compute(predictions=PREDICTIONS, references=REFERENCES, workers=1)
    assert found["bleu"] == measure(PREDICTIONS, REFERENCES, workers=1).statistics["bleu"].value
    assert found["bertscore"] is None


@pytest.mark.parametrize("line", ["Plan B.", "Point a)", "Take (a way", "Grip #2 - now"])
def test_chrf_takes_one_mark_off_a_word_of_two_and_none_off_a_lone_mark(line: str) -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    wanted = "Plan B . Point a ) Take ( a way Grip # 2 - now"
    expected = sacrebleu.corpus_chrf([line], [[wanted]], word_order=2).score
    found = chrf.finish(np.array(chrf.rows(line, wanted)))
    assert float(found) == pytest.approx(expected, abs=1e-6)
