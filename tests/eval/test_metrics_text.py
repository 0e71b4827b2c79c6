"""The text metrics against the libraries that define them, to 1e-6."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.scripts import script_of
from eval.text_metrics import bertscore, chrf, meteor
from eval.text_metrics.bertscore import Encoder
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


CHINESE = "深蹲时膝盖内扣，请将膝盖向外推。"


def test_a_measure_of_words_is_missing_in_a_script_that_it_cannot_read() -> None:
    found = measure([CHINESE], [CHINESE], workers=1)
    assert set(found.statistics) == {"chrf++"}
    assert found.statistics["chrf++"].value == pytest.approx(100)
    for name in ("bleu", "rougeL"):
        assert found.missing[name] == "it cannot read Han, in which all references are written"
    russian = measure(["Спина прямая."], ["Спина прямая и колени врозь."], workers=1)
    assert "bleu" in russian.statistics
    assert "Cyrillic" in russian.missing["rougeL"]


def test_texts_that_cannot_be_read_are_left_out_and_counted() -> None:
    said, wanted = ["Keep your back flat.", CHINESE], ["Keep your back flat.", CHINESE]
    found = measure(said, wanted, workers=1)
    assert found.statistics["rougeL"].value == 1
    assert found.statistics["bleu"].value == pytest.approx(1)
    assert found.signatures["rougeL"].endswith("|left-out:1 of 2 references, in Han")
    assert "left-out" not in found.signatures["chrf++"]
    wrong = measure([CHINESE], ["Keep your back flat."], workers=1)
    assert wrong.statistics["rougeL"].value == 0


class Scorer:
    """Finds words in common; knows no word with a letter that is not Latin."""

    unk_token_id = 0

    @property
    def _tokenizer(self) -> "Scorer":
        return self

    def __call__(self, text: str, **_: object) -> dict[str, list[int]]:
        return {"input_ids": [int(word.isascii()) for word in text.split()]}

    def score(self, said: list[str], wanted: list[str]) -> tuple[Any, Any, Any]:
        pairs = zip(said, wanted, strict=True)
        values = np.array([float(one == other) for one, other in pairs])
        return values, values, values


def test_bertscore_is_named_by_its_encoder_and_leaves_out_what_that_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "small" / "model"
    folder.mkdir(parents=True)
    monkeypatch.setattr(bertscore, "_scorer", lambda _: (Scorer(), 6))
    said = ["Keep it flat.", "Other words.", "", CHINESE]
    wanted = ["Keep it flat.", "Keep it flat.", "Keep it flat.", CHINESE]
    found = measure(said, wanted, encoder=Encoder(str(folder)), workers=1)
    assert found.statistics["bertscore"].value == pytest.approx(1 / 3)
    signature = found.signatures["bertscore"]
    assert "|encoder:small/model|layer:6|" in signature
    assert signature.endswith("|left-out:1 of 4 references, in Han")
    foreign = measure([CHINESE], [CHINESE], encoder=Encoder(str(folder)), workers=1)
    assert "Han" in foreign.missing["bertscore"]
    assert Encoder("roberta-large").settled.baseline == bertscore.PAPER_BASELINE


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Keep your back flat: naïve café.", "Latin"),
        ("漢字 naïve café, then English.", "Latin"),
        (CHINESE, "Han"),
        ("膝が内側に入っています", "Japanese"),
        ("무릎이 안쪽으로 들어갑니다", "Hangul"),
        ("Колени уходят внутрь", "Cyrillic"),
        ("الركبتان إلى الداخل", "Arabic"),
        ("เข่าบิดเข้าด้านใน", "Thai"),
        ("80 / 100", "Latin"),
        ("", "Latin"),
    ],
)
def test_scripts_by_the_letters(text: str, script: str) -> None:
    assert script_of(text) == script


@pytest.mark.parametrize("line", ["Plan B.", "Point a)", "Take (a way", "Grip #2 - now"])
def test_chrf_takes_one_mark_off_a_word_of_two_and_none_off_a_lone_mark(line: str) -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    wanted = "Plan B . Point a ) Take ( a way Grip # 2 - now"
    expected = sacrebleu.corpus_chrf([line], [[wanted]], word_order=2).score
    found = chrf.finish(np.array(chrf.rows(line, wanted)))
    assert float(found) == pytest.approx(expected, abs=1e-6)
