"""The text metrics as a local `evaluate` module, loaded by path; it needs no network.

    metric = evaluate.load("eval/text_metrics")
    metric.compute(predictions=[…], references=[…])["bleu"]

Run it where `eval` can be imported, such as the project's folder. It needs `pip install evaluate`,
which nothing else here does.
"""

from typing import Any

import datasets
import evaluate

from eval.text_metrics.bertscore import Encoder
from eval.text_metrics.measure import measure

_DESCRIPTION = """\
BLEU (13a, order 4, 0-1), ROUGE-L F1, METEOR with WordNet, chrF++ (0-100), and BERTScore F1 if an
encoder is given. Figures that need data which is not installed are None; "missing" says why.
"""


class TextMetrics(evaluate.Metric):  # type: ignore[misc]
    """BLEU, ROUGE-L, METEOR, chrF++ and BERTScore, one reference for each prediction."""

    def _info(self) -> Any:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description="predictions and references: lists of texts of one length.",
            features=datasets.Features(
                {
                    "predictions": datasets.Value("string"),
                    "references": datasets.Value("string"),
                }
            ),
        )

    def _compute(
        self,
        predictions: list[str],
        references: list[str],
        encoder: str | None = None,
        workers: int | None = None,
    ) -> dict[str, Any]:
        chosen = Encoder(encoder) if encoder else None
        measured = measure(predictions, references, encoder=chosen, workers=workers)
        values = {name: statistic.value for name, statistic in measured.statistics.items()}
        return {
            **values,
            **dict.fromkeys(measured.missing),
            "signatures": measured.signatures,
            "missing": measured.missing,
        }
