"""The training loop: a stopped run goes on to the same result, and one rule chooses."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from flex.problems import InputError
from learn.fit import Plan, Quality, fit

NAN = float("nan")


class Line:
    """Fits a line, with dropout and a random order; may be stopped, and has set qualities."""

    def __init__(self, stop: int | None = None, qualities: list[Quality] | None = None) -> None:
        torch.manual_seed(0)
        layers = (nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.module = nn.Sequential(*layers)
        self.x = torch.randn(12, 3)
        self.y = self.x.sum(dim=1, keepdim=True)
        self.stop, self.qualities, self.epoch = stop, qualities, 0

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.module.parameters()), "lr": 0.01}]

    def batches(self, epoch: int) -> list[Any]:
        if epoch == self.stop:
            raise KeyboardInterrupt
        self.epoch = epoch
        random = torch.Generator().manual_seed(epoch)
        return list(torch.randperm(12, generator=random).split(4))

    def loss(self, batch: Tensor) -> Tensor:
        return nn.functional.mse_loss(self.module(self.x[batch]), self.y[batch])

    def validate(self) -> Quality | None:
        return self.qualities[self.epoch] if self.qualities else None


def plan(**changes: Any) -> Plan:
    settings = {"name": "line", "epochs": 6, "device": torch.device("cpu"), "validate_every": 1}
    return Plan(**{**settings, "save_every": 2, "identity": "one", **changes})


def weights(task: Line) -> list[Tensor]:
    return [value.clone() for value in task.module.state_dict().values()]


def test_resuming_equals_a_straight_run(tmp_path: Path) -> None:
    straight = Line()
    once = fit(straight, plan(schedule="cosine"), tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        # Epochs 1–3 are done and 2 are kept: the third is done again.
        fit(Line(stop=3), plan(schedule="cosine"), tmp_path / "stopped")
    going_on = Line()
    again = fit(going_on, plan(schedule="cosine"), tmp_path / "stopped")
    for one, other in zip(weights(straight), weights(going_on), strict=True):
        assert torch.equal(one, other)
    assert again.loss == once.loss
    logs = [
        (tmp_path / run / "metrics.jsonl").read_text(encoding="utf-8")
        for run in ("straight", "stopped")
    ]
    assert logs[0] == logs[1]
    assert [json.loads(line)["epoch"] for line in logs[1].splitlines()] == [1, 2, 3, 4, 5, 6]


def test_the_best_survives_a_stop_and_is_chosen(tmp_path: Path) -> None:
    rhos = [0.1, 0.8, 0.3, 0.8, NAN, 0.2]
    r_l2 = [1.0, 2.0, 1.0, 1.5, 0.1, 1.0]
    qualities = [Quality(*pair) for pair in zip(rhos, r_l2, strict=True)]
    report = fit(Line(qualities=qualities), plan(), tmp_path / "straight")
    assert (report.epoch, report.quality) == (4, Quality(0.8, 1.5))
    with pytest.raises(KeyboardInterrupt):
        fit(Line(stop=4, qualities=qualities), plan(), tmp_path / "stopped")
    going_on = Line(qualities=qualities)
    again = fit(going_on, plan(), tmp_path / "stopped")
    assert (again.epoch, again.quality) == (4, Quality(0.8, 1.5))
    short = Line()
    fit(short, plan(epochs=4), tmp_path / "short")
    for one, other in zip(weights(short), weights(going_on), strict=True):
        assert torch.equal(one, other)


def test_the_last_is_kept_if_wanted(tmp_path: Path) -> None:
    qualities = [Quality(rho, 1.0) for rho in (0.9, 0.1, 0.1, 0.1, 0.1, 0.2)]
    task, plain = Line(qualities=qualities), Line()
    report = fit(task, plan(choose="last"), tmp_path / "last")
    fit(plain, plan(), tmp_path / "plain")
    assert (report.epoch, report.quality) == (6, Quality(0.2, 1.0))
    for one, other in zip(weights(task), weights(plain), strict=True):
        assert torch.equal(one, other)


def test_what_is_better() -> None:
    assert Quality(0.5, 2).better(Quality(0.4, 1))
    assert Quality(0.5, 1).better(Quality(0.5, 2))
    assert not Quality(0.5, 2).better(Quality(0.5, 2))
    assert Quality(-0.5, 2).better(Quality(NAN, 1))
    assert not Quality(NAN, 0).better(Quality(0.0, 9))
    assert Quality(NAN, 1).better(Quality(NAN, 2))


def test_a_resume_point_of_other_data_is_refused(tmp_path: Path) -> None:
    fit(Line(), plan(epochs=2), tmp_path)
    with pytest.raises(InputError, match="of other data or another recipe"):
        fit(Line(), plan(epochs=2, identity="two"), tmp_path)


def test_a_loss_that_explodes_is_told(tmp_path: Path) -> None:
    task = Line()
    task.y[0] = NAN
    with pytest.raises(InputError, match="loss of epoch 1 is not finite; lower lr"):
        fit(task, plan(), tmp_path)
