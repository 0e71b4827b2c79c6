"""BERTScore F1, mean over answers; labelled by its encoder, since the figure depends on it.

The paper's is roberta-large, layer 17, rescaled with its baseline. Any other encoder gives another
scale: its figures compare modes with each other, never with the paper.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from flex.problems import InputError, Problem

# roberta-large, layer 17: the F1 of unrelated English sentences, which rescaling maps to 0.
PAPER_ENCODER = "roberta-large"
PAPER_BASELINE = 0.83122575
PAPER_LAYER = 17
# With a greater share of tokens that the encoder does not know, a text is not read.
_MOST_UNKNOWN = 0.2


class Encoder(NamedTuple):
    """Which model measures, and how.

    Attributes:
        model: name on the hub or folder.
        layer: whose output is compared; `None` means the best one known, else the last.
        baseline: F1 that is mapped to 0; `None` leaves the raw value.
    """

    model: str
    layer: int | None = None
    baseline: float | None = None

    @property
    def name(self) -> str:
        """The hub's name, or the last two parts of a folder's path, since one may be "model"."""
        path = Path(self.model)
        if path.name == PAPER_ENCODER:
            return PAPER_ENCODER
        return "/".join(path.parts[-2:]) if path.is_dir() else self.model

    @property
    def settled(self) -> "Encoder":
        """The encoder with the paper's layer and baseline, if it is the paper's."""
        if Path(self.model).name != PAPER_ENCODER or self.layer not in (None, PAPER_LAYER):
            return self
        return self._replace(layer=PAPER_LAYER, baseline=self.baseline or PAPER_BASELINE)


def scores(
    predictions: Sequence[str], references: Sequence[str], encoder: Encoder
) -> tuple[list[list[float]], str, list[int]]:
    """Return a row of F1 and 1 for each answer, the signature, and which it cannot read.

    An empty answer scores 0. A reference cannot be read if the encoder does not know too many of
    its tokens, as one that has learnt English only does not know Chinese.

    Raises:
        InputError: bert-score is not installed, or the encoder cannot be loaded.
    """
    encoder = encoder.settled
    scorer, layer = _scorer(encoder)
    filled = [
        number
        for number, pair in enumerate(zip(predictions, references, strict=True))
        if pair[0].strip() and pair[1].strip()
    ]
    result = [[0.0, 1.0] for _ in predictions]
    if filled:
        said, wanted = [predictions[n] for n in filled], [references[n] for n in filled]
        _, _, values = scorer.score(said, wanted)
        for number, value in zip(filled, values.tolist(), strict=True):
            base = encoder.baseline
            result[number][0] = value if base is None else (value - base) / (1 - base)
    rescaled = "no" if encoder.baseline is None else f"{encoder.baseline}"
    signature = f"bertscore|f1|encoder:{encoder.name}|layer:{layer}|idf:no|baseline:{rescaled}"
    return result, signature, _unknown(scorer, references)


def _unknown(scorer: Any, references: Sequence[str]) -> list[int]:
    """Return the positions of references with too many tokens that the encoder does not know."""
    tokenizer = scorer._tokenizer
    unknown = tokenizer.unk_token_id
    found = []
    for number, reference in enumerate(references):
        tokens = tokenizer(reference, add_special_tokens=False, verbose=False)["input_ids"]
        if unknown is not None and tokens.count(unknown) > _MOST_UNKNOWN * len(tokens):
            found.append(number)
    return found


@functools.lru_cache(maxsize=2)
def _scorer(encoder: Encoder) -> tuple[Any, int]:
    try:
        from bert_score import BERTScorer
        from bert_score.utils import model2layers
        from transformers import AutoConfig
    except ImportError as error:
        raise InputError([Problem("BERTScore", "pip install bert-score")]) from error
    try:
        layer = encoder.layer or model2layers.get(encoder.model)
        layer = layer or AutoConfig.from_pretrained(encoder.model).num_hidden_layers
        return BERTScorer(model_type=encoder.model, num_layers=layer), int(layer)
    except (OSError, ValueError, AssertionError, AttributeError) as error:
        message = f"the encoder cannot be loaded: {str(error).splitlines()[0]}"
        raise InputError([Problem(encoder.model, message)]) from error
