"""All text metrics over many answers, on all cores.

measured = measure(predictions, references)
measured.statistics["bleu"].value, measured.signatures["bleu"], measured.missing
"""

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from eval.scripts import script_of, unreadable
from eval.statistics import Finish, Rows, Statistic, ratio
from eval.text_metrics import bertscore, bleu, chrf, meteor, rouge
from eval.text_metrics.bertscore import Encoder

NAMES = ("bleu", "rougeL", "meteor", "chrf++", "bertscore")
_MODULES: dict[str, ModuleType] = {
    "bleu": bleu,
    "rougeL": rouge,
    "meteor": meteor,
    "chrf++": chrf,
}
_FINISH: dict[str, Finish] = {"bleu": bleu.finish, "chrf++": chrf.finish}
_SCALE = {"chrf++": 100.0}
# These count words: BLEU finds them between blanks, ROUGE and METEOR know Latin letters only.
_WORDS, _LATIN_ONLY = frozenset({"bleu", "rougeL", "meteor"}), frozenset({"rougeL", "meteor"})
# Fewer answers than this are counted before other processes have started.
_WORTH_PROCESSES = 2000
_CHUNK = 500


@dataclass(frozen=True)
class Measured:
    """Text metrics over answers.

    Attributes:
        statistics: name → metric, whose rows belong to the answers in order.
        signatures: name → how it was computed.
        missing: name → why it was not, and what to install; also a measure of words on texts in a
            script that it has no words in.
    """

    statistics: dict[str, Statistic] = field(default_factory=dict)
    signatures: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def measure(
    predictions: Sequence[str],
    references: Sequence[str],
    *,
    clusters: Sequence[str] | None = None,
    encoder: Encoder | None = None,
    workers: int | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Measured:
    """Return every text metric that this machine can compute.

    Args:
        predictions: what was answered; empty answers score 0.
        references: what the data set answers, one for each prediction.
        clusters: who lifts, for intervals; default: every answer on its own.
        encoder: for BERTScore, which is reported as missing without one.
        workers: processes; default: one for each core. More than one needs a script whose start
            is guarded by `if __name__ == "__main__"`.
        progress: told how many more answers are done.

    Raises:
        ValueError: not as many references as predictions.
    """
    names = list(_MODULES)
    measured = Measured()
    if why := meteor.missing():
        names.remove("meteor")
        measured.missing["meteor"] = why
    groups = tuple(clusters) if clusters else tuple(map(str, range(len(predictions))))
    pairs = list(zip(predictions, references, strict=True))
    counted = _count(names, pairs, workers, progress)
    for name in names:
        signature = meteor.signature() if name == "meteor" else _MODULES[name].SIGNATURE
        unread = unreadable(references, latin_only=name in _LATIN_ONLY) if name in _WORDS else {}
        _add(measured, name, counted[name], groups, signature, unread)
    if encoder is None:
        measured.missing["bertscore"] = "no encoder was given: --encoder roberta-large, or a folder"
    else:
        values, signature, unknown = bertscore.scores(predictions, references, encoder)
        rows = np.array(values, dtype=np.float64).reshape(-1, 2)
        unread = {number: script_of(references[number]) for number in unknown}
        _add(measured, "bertscore", rows, groups, signature, unread)
    return measured


def _add(
    measured: Measured,
    name: str,
    rows: Rows,
    groups: tuple[str, ...],
    signature: str,
    unread: Mapping[int, str],
) -> None:
    """Add a metric without the answers that it cannot read, or say that it can read none."""
    scripts = ", ".join(sorted(set(unread.values())))
    if unread and len(unread) == len(rows):
        measured.missing[name] = f"it cannot read {scripts}, in which all references are written"
        return
    if unread:
        rows = rows.copy()
        rows[list(unread)] = 0
        signature += f"|left-out:{len(unread)} of {len(rows)} references, in {scripts}"
    finish, scale = _FINISH.get(name, ratio), _SCALE.get(name, 1.0)
    measured.statistics[name] = Statistic(name, rows, finish, groups, scale=scale)
    measured.signatures[name] = signature


def _count(
    names: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    workers: int | None,
    progress: Callable[[int], object],
) -> dict[str, Rows]:
    """Return name → (answers, K) rows; equal pairs are counted once.

    Pairs go in the order of their references, so that a reference's n-grams are at hand when it
    comes again.
    """
    where: dict[tuple[str, str], int] = {}
    positions = [where.setdefault(pair, len(where)) for pair in pairs]
    unique = list(where)
    order = sorted(range(len(unique)), key=lambda number: unique[number][::-1])
    chunks = [
        (tuple(names), [unique[number] for number in order[at : at + _CHUNK]])
        for at in range(0, len(order), _CHUNK)
    ]
    processes = workers or os.cpu_count() or 1
    tables = []
    if processes == 1 or len(unique) < _WORTH_PROCESSES:
        for chunk in chunks:
            tables.append(_chunk(chunk))
            progress(len(chunk[1]))
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            for chunk, table in zip(chunks, pool.map(_chunk, chunks), strict=True):
                tables.append(table)
                progress(len(chunk[1]))
    back = np.argsort(np.asarray(order, dtype=np.intp))[np.asarray(positions, dtype=np.intp)]
    return {
        name: np.concatenate([table[name] for table in tables])[back]
        if tables
        else np.zeros((0, _MODULES[name].COLUMNS))
        for name in names
    }


def _chunk(work: tuple[tuple[str, ...], list[tuple[str, str]]]) -> dict[str, Rows]:
    names, pairs = work
    return {
        name: np.array([_row(_MODULES[name], *pair) for pair in pairs], dtype=np.float64)
        for name in names
    }


def _row(module: ModuleType, prediction: str, reference: str) -> list[float]:
    row: list[float] = module.rows(prediction, reference)
    return row
