"""`python -m reproduce` and `python -m flex plan`, as a user gives them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reproduce import plan_command
from reproduce.__main__ import app
from reproduce.estimate import words
from reproduce.plan_check import Compared
from reproduce.rates import Rate, Rates, write_rates

CHAIN = """
title: cheap
note: "Shows that steps run."
simulated: true
names: {data: "{out}/data"}
steps:
  - name: make
    title: Make it
    commands: ["{python} -c 'import pathlib, sys; pathlib.Path(sys.argv[1]).touch()' {out}/made"]
    outputs: ["{out}/made"]
  - name: try
    title: Try it
    needs: [make]
    commands: ["{python} -c 'import pathlib, sys; pathlib.Path(sys.argv[1]).rename(sys.argv[2])' {out}/luck {out}/tried"]
    outputs: ["{out}/tried"]
"""  # noqa: E501 - a command is one line


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    chain = tmp_path / "chain.yaml"
    chain.write_text(CHAIN)
    return ["--chain", str(chain), "--out", str(tmp_path / "out")]


def test_a_run_fails_tells_why_and_goes_on(options: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    failed = CliRunner().invoke(app, ["run", *options])
    assert failed.exit_code == 1
    assert "No FLEX was named" in failed.stderr
    assert "1/2 make, Make it: " in failed.stderr
    assert "2/2 try, Try it: failed with exit code 1" in failed.stderr
    assert "FileNotFoundError" in failed.stderr
    assert "The same command goes on at this step." in failed.stderr
    assert "try (failed)" in (out / "index.html").read_text()
    (out / "luck").touch()
    done = CliRunner().invoke(app, ["run", *options])
    assert done.exit_code == 0, done.stderr
    assert "1/2 make, Make it: done before" in done.stderr
    assert "(goes on)" in done.stderr
    assert f"All 2 steps are done. Open {out}/index.html" in done.stdout
    again = CliRunner().invoke(app, ["page", *options, "--core-hour", "36"])
    assert again.exit_code == 0
    assert "Priced at 36 USD a core-hour" in (out / "index.md").read_text()


def test_a_plan_shows_its_arithmetic(tmp_path: Path) -> None:
    rates = tmp_path / "rates.json"
    known = [name for name in words()["rates"] if not name.startswith("gpu.")]
    one = Rate(value=2, command="c", data="simulated", date="2026-01-02", machine="m")
    write_rates(rates, Rates(rates=dict.fromkeys(known, one)))
    asked = ["plan", "--clips", "10", "--raw-tb", "0", "--rates", str(rates)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.stderr
    assert "10 clips × 2 B a dialogue = 20 B" in done.stdout
    assert "10 clips × 2 prompt tokens a clip × 2.80e-07 USD a prompt token" in done.stdout
    assert "not measured here: state it with --gpu-rates" in done.stdout
    assert "Rates measured on 2026-01-02: m." in done.stdout
    gpu = tmp_path / "gpu.json"
    stated = {"gpu.sft_s": {**one.model_dump(), "machine": "far"}}
    gpu.write_text(json.dumps({"rates": stated}))
    done = CliRunner().invoke(app, [*asked, "--gpu-rates", str(gpu)])
    assert "not measured here, but on far, 2026-01-02" in done.stdout
    assert "GPUs: 0.007778 GPU-h" in done.stdout  # 7 clips × 2 epochs × 2 s


def test_a_check_that_is_off_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reproduce import planning

    rates = tmp_path / "rates.json"
    one = Rate(value=2, command="c", data="simulated", date="2026-01-02", machine="m")
    write_rates(rates, Rates(rates={"qa.core_s": one}))
    for measured, code in ((110.0, 0), (140.0, 1)):
        compared = [Compared("qa", "core-s", 100.0, measured)]
        monkeypatch.setattr(planning, "check", lambda *_, found=compared: found)
        done = CliRunner().invoke(app, ["plan", "--check", "--rates", str(rates)])
        assert done.exit_code == code
        assert f"{measured / 100:.2f}" in done.stdout


def test_an_odd_size_is_told() -> None:
    from flex.problems import InputError

    with pytest.raises(InputError, match="expected an even number, found 225"):
        plan_command.plan_command(size=225)
