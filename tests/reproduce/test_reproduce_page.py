"""The page shows the paper beside ours, never in one table, and tells what each step took."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cheap_chain import Cheap

from flex.problems import InputError
from reproduce.chain import Chain, Step
from reproduce.costs import Prices, cost_of, duration, total_of
from reproduce.page import write_page
from reproduce.record import StepRecord
from reproduce.results import figures, words
from reproduce.run import run_chain
from reproduce.timeline import Span, timeline

# Cut from real reports on simulated people, 28 November 2026.
REPORTS = {
    name: str(Path(__file__).parent / "data" / f"{room}.json")
    for name, room in (("figure6", "aqa"), ("figure7", "eval"), ("figure8", "emg"))
}
PUBLISHED = ("0.8069", "0.8877", "0.4688", "52.00", "3.0592", "0.1655", "0.2133")


def record(name: str = "one", **fields: Any) -> StepRecord:
    given = {"title": "One", "fingerprint": "f", "state": "done", "commands": ("x",)}
    return StepRecord.model_validate({"name": name, **given, "started": "2026-01-02", **fields})


def tables(page: str, kind: str) -> list[str]:
    return re.findall(rf'<table class="{kind}".*?</table>', page, re.DOTALL)


class Quiet:
    def skipped(self, number: int, step: Step) -> None:
        pass

    def started(self, number: int, step: Step, again: str) -> Any:
        return lambda _: None

    def ended(self, number: int, step: Step, record: StepRecord) -> None:
        pass


def built(cheap: Cheap, reports: dict[str, str], prices: Prices | None = None) -> tuple[str, str]:
    chain: Chain = cheap.chain().model_copy(update={"reports": reports})
    run_chain(chain, cheap.folder, Quiet())
    page = write_page(chain, cheap.folder, cheap.folder, prices)
    return page.read_text(), page.with_suffix(".md").read_text()


def test_the_papers_figures_and_ours_are_in_tables_of_their_own(cheap: Cheap) -> None:
    page, text = built(cheap, REPORTS)
    printed, ours = tables(page, "printed"), tables(page, "ours")
    assert len(printed) == len(ours) == 3
    for number in PUBLISHED:
        assert number in "".join(printed)
        assert number not in "".join(ours)
    for name, at, room in (
        ("figure6", "variants", 0),
        ("figure7", "modes", 1),
        ("figure8", "methods", 2),
    ):
        models = json.loads(Path(REPORTS[name]).read_text())[at]
        for model in models.values():
            for measure in words()[name]["measures"]:
                value = (model["figures"].get(measure["key"]) or {}).get("value")
                if value is not None:
                    assert f"{value:.{measure['digits']}f}" in ours[room]
    for line in text.splitlines():
        if line.startswith("|"):
            assert sum(number in line for number in ("0.8069", "0.1655")) < 2
    assert text.count("### The paper, real FLEX") == text.count("### Ours (simulated)") == 3


def test_simulated_results_are_marked_everywhere(cheap: Cheap) -> None:
    page, text = built(cheap, REPORTS)
    assert "<title>FLEX, end to end · simulated data</title>" in page
    assert page.count('<h3>Ours <span class="badge">simulated</span></h3>') == 3
    assert "nobody performed these lifts" in page
    assert text.startswith("# FLEX, end to end (simulated data)")


def test_real_results_are_not_called_simulated(cheap: Cheap, tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    report = json.loads(Path(REPORTS["figure8"]).read_text())
    real.write_text(json.dumps({**report, "simulated": "", "subjects": 8}))
    page, text = built(cheap, {"figure8": str(real)})
    assert "imulated" not in page.replace("--", "") + text
    assert "95 % intervals by drawing people" in page
    assert len(tables(page, "ours")) == 1, "still in a table of its own"


def test_what_is_missing_is_said(cheap: Cheap) -> None:
    (cheap.folder / "bad-b").touch()
    page, text = built(cheap, {"figure6": "runs/none.json"})
    assert "Not measured yet: there is no runs/none.json." in page
    assert "b (failed), c (not run)" in page
    assert "b failed; the end of" in page
    assert "working on b" in page
    assert "**Not finished:** b (failed), c (not run)" in text


def test_the_page_fetches_nothing(cheap: Cheap) -> None:
    page, _ = built(cheap, REPORTS)
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "<script" not in page


def test_what_a_step_was_told_is_shown_and_escaped(cheap: Cheap) -> None:
    settings = cheap.folder / "recipe.yaml"
    settings.write_text("seed: 31\nname: <b>bold</b>\n")
    chain = cheap.chain()
    step = chain.steps[0].model_copy(update={"settings": (str(settings),)})
    chain = chain.model_copy(update={"steps": (step, *chain.steps[1:])})
    run_chain(chain, cheap.folder, Quiet())
    page = write_page(chain, cheap.folder, cheap.folder).read_text()
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "a 31" in page, "the seed of step a"


def test_the_code_and_the_versions_are_those_that_ran(
    cheap: Cheap, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reproduce import run

    monkeypatch.setattr(run, "commit", lambda: None)
    monkeypatch.setattr(run, "versions", lambda: {"python": "3.11.0"})
    run_chain(cheap.chain(), cheap.folder, Quiet(), steps="a")
    monkeypatch.setattr(run, "commit", lambda: "abc")
    monkeypatch.setattr(run, "versions", lambda: {"python": "3.12.0"})
    _, text = built(cheap, {})
    assert "- Code: no git commit is known; abc\n" in text
    assert "- Versions: python 3.11.0; python 3.12.0\n" in text


def test_the_best_is_that_of_a_model_and_bars_are_shares() -> None:
    found = {figure.name: figure for figure in figures(REPORTS)}
    muscles = found["figure8"].ours
    assert muscles is not None
    assert muscles.rows[0].label == "Small model, from skeletons"
    baselines = [row for row in muscles.rows if row.baseline]
    assert baselines
    assert not any(cell.best for row in baselines for cell in row.cells)
    shares = [cell.share for row in found["figure6"].published.rows for cell in row.cells[1:2]]
    assert shares == pytest.approx([1, 0.9095 / 1.7582, 0.8920 / 1.7582, 0.8877 / 1.7582])
    best = [row.cells[1].best for row in found["figure6"].published.rows]
    assert best == [False, False, False, True], "less is better"


def test_a_baseline_that_runs_away_does_not_shorten_the_bars_of_models(tmp_path: Path) -> None:
    report = json.loads(Path(REPORTS["figure8"]).read_text())
    report["methods"]["mean"]["figures"]["mae"]["value"] = 1e6
    (tmp_path / "emg.json").write_text(json.dumps(report))
    ours = figures({"figure8": str(tmp_path / "emg.json")})[2].ours
    assert ours is not None
    assert {row.label: row.cells[0].share for row in ours.rows if not row.baseline} == {
        "Small model, from skeletons": 1.0
    }
    assert max(cell.share for row in ours.rows for cell in row.cells) == 1.0


def test_a_report_of_another_room_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"emg\.json: expected a report with 'variants'"):
        figures({"figure6": REPORTS["figure8"]})
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InputError, match=r"bad\.json: cannot be read as JSON"):
        figures({"figure6": str(tmp_path / "bad.json")})


def test_costs_are_hours_times_prices() -> None:
    used = record(seconds=7200, cpu_s=3600, gpus=2, money=1.5, currency="USD")
    assert cost_of(used, Prices()) == "1.000 core-h, 4.00 GPU-h, 1.50 USD"
    # 1 × 0.05 + 4 × 2.50 + 1.50
    assert cost_of(used, Prices(0.05, 2.5)) == "1.000 core-h, 4.00 GPU-h, 11.55 USD"
    assert cost_of(used, Prices(0.05, 2.5, "EUR")).endswith("10.05 EUR, 1.50 USD")
    both = total_of([used, record(seconds=30, cpu_s=1800)], Prices(1.0))
    assert (both.seconds, both.cpu_s) == (7230, 5400)
    assert both.cost == "1.500 core-h, 4.00 GPU-h, 3.00 USD"
    assert [duration(s) for s in (4.2, 185, 7620)] == ["4.2 s", "3 min 5 s", "2 h 7 min"]


def test_steps_follow_each_other_in_the_drawing() -> None:
    drawn = str(timeline("t <", [Span("a&b", 30, "30 s", "gpu"), Span("c", 10, "10 s", "cpu")]))
    assert 'aria-label="t &lt;"' in drawn
    assert "a&amp;b" in drawn
    bars = re.findall(r'class="bar (\w+)" x="([\d.]+)" y="\d+" width="([\d.]+)"', drawn)
    assert bars == [("gpu", "130.0", "375.0"), ("cpu", "505.0", "125.0")]
