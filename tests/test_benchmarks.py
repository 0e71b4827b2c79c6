"""The benchmarks of tuning, of asking and of the metrics, at a size of seconds."""

from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import clips_rate, eval_rate, metrics_rate, sft_rate
from benchmarks.sft_rate import Clock

QUIET = Console(quiet=True)


class Steps:
    def get_batch_samples(self, count: int) -> list[int]:
        return list(range(count))


def test_the_clock_leaves_out_the_warm_up_and_the_last_step() -> None:
    clock = Clock(begun=[0.0, 9.0, 10.0, 12.0], waited=[5.0, 0.25, 0.5, 7.0])
    assert clock.readings(warm=1) == (1.5, 0.25)
    trainer, own = Steps(), Clock()
    own.watch(trainer)
    assert trainer.get_batch_samples(2) == [0, 1]
    assert len(own.begun) == len(own.waited) == 1


def test_text_metrics_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ["Your back was rounded.", "Your knees fell in.", "Your back was rounded."]
    wanted = ["Your back was round.", "Your knees caved in.", "Your back was round."]
    monkeypatch.setattr(metrics_rate, "answers", lambda: (said, wanted))
    found = metrics_rate.run(QUIET)
    assert (found["answers"], found["different_pairs"]) == (3, 2)
    assert found["seconds"] > 0
    assert {"bleu", "rougeL", "chrf++"} <= set(found["values"])
    assert ("meteor" in found["values"]) != ("meteor" in found["missing"])


@pytest.mark.slow
def test_every_way_to_tune_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ["--subjects", "4", "--actions", "A01", "--reps", "1", "--views", "1"]
    monkeypatch.setattr(sft_rate, "SETTINGS", settings)
    monkeypatch.setattr(sft_rate, "BATCH", 2)
    monkeypatch.setattr(sft_rate, "WARM", 2)
    found = sft_rate.run(QUIET, steps=4, rounds=1)
    assert found["clips"] == 4
    assert list(found["ways"]) == list(sft_rate.WAYS)
    assert all(one["samples_per_s"] > 0 for one in found["ways"].values())
    assert all(0 <= one["data_wait_percent"] <= 100 for one in found["ways"].values())


def test_talks_are_asked_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eval_rate, "_rules", lambda: "Name no error that you do not see. " * 20)
    monkeypatch.setattr(eval_rate, "QUESTIONS", eval_rate.QUESTIONS[:2])
    monkeypatch.setattr(eval_rate, "TOKENS", 3)
    found = eval_rate.run(QUIET)
    assert found["same_answers"] == "4 of 4"
    again, on = found["all_read_again"], found["gone_on_from"]
    assert again["tokens"] > 2 * on["tokens"] > 0


@pytest.mark.slow
def test_clips_are_prepared_in_every_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(clips_rate, "ROOT", tmp_path)
    settings = "--subjects 2 --actions A01 --reps 1 --views 1"
    kinds = {"few": clips_rate.Kind(settings, 12, copies=6)}
    found = clips_rate.run(QUIET, kinds, rounds=1)
    assert found["few"]["clips"] == 12
    assert all(found["few"][way] > 0 for way in clips_rate.WAYS)
