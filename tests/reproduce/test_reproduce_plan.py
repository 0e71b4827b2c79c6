"""A plan multiplies what was measured, says how, and puts nothing where no number is known."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from known_jobs import KnownJobs

from flex.problems import InputError
from reproduce import measure as measuring
from reproduce import plan_check
from reproduce.estimate import Inputs, Line, Plan, estimate, plain, said, words
from reproduce.jobs import Job, Jobs, slope
from reproduce.plan_check import Compared
from reproduce.planning import known_rates, prices_of, shown_plan
from reproduce.rates import Rate, Rates, read_rates, write_rates
from reproduce.transcode import Work, fastest, transcode_all

ROOT = Path(__file__).parent.parent.parent
DEEPSEEK = ROOT / "configs" / "qa_gen" / "deepseek.yaml"


def rate(value: float, start: float = 0.0, machine: str = "this one") -> Rate:
    return Rate(
        value=value, start=start, command="c", data="simulated", date="2026-01-02", machine=machine
    )


def own_rates(value: float = 2.0) -> Rates:
    return Rates(rates={name: rate(value) for name in words()["rates"] if name[:4] != "gpu."})


def line(plan: Plan, what: str) -> Line:
    return next(one for one in plan.lines if one.what == what)


def test_the_arithmetic_of_a_line_is_its_result() -> None:
    rates = Rates(rates={**own_rates().rates, "encode.bytes": rate(4000.0)})
    plan = estimate(Inputs(clips=10, views=2, frames=100, size=500), rates)
    found = line(plan, "Clips on disk, as H.264")
    assert found.value == 10 * 2 * 100 * 0.25 * 4000 == 2_000_000
    assert found.arithmetic == (
        "10 clips × 2 views × 100 frames × 0.25 Mpx a frame × 4,000 B a Mpx encoded = 2 MB"
    )
    decoded = line(plan, "Decode every clip once")
    assert decoded.value == pytest.approx(10 * 2 * 100 * 2 / 3600)


def test_disk_and_hours_add_up_by_kind() -> None:
    inputs = Inputs(clips=100, raw_tb=1.5, price_in=0.001, price_out=0.01)
    plan = estimate(inputs, own_rates())
    for unit in ("B", "core-h", "money"):
        values = [one.value for one in plan.lines if one.unit == unit]
        assert plan.totals[unit] == pytest.approx(sum(value or 0 for value in values))
    assert plan.totals["B"] > 1.5e12
    assert plan.totals["money"] == pytest.approx(100 * 2 * 0.001 + 100 * 2 * 0.01)


def test_without_a_rate_of_a_gpu_there_is_no_number() -> None:
    plan = estimate(Inputs(), own_rates())
    tuned = line(plan, "Tune the 3 B coach")
    assert tuned.value is None
    assert "? GPU-s a dialogue" in tuned.arithmetic
    assert tuned.note.startswith("not measured here")
    assert "GPU-h" not in plan.totals
    shown = "\n".join(shown_plan(plan, Inputs(), own_rates(), Path("rates.json")))
    assert "GPUs: ? GPU-h" in shown


def test_the_rate_of_another_machine_is_marked() -> None:
    gpu = Rates(rates={"gpu.sft_s": rate(3.6, machine="8 × H20")})
    plan = estimate(Inputs(clips=1000), own_rates().joined([gpu]))
    tuned = line(plan, "Tune the 3 B coach")
    assert tuned.value == pytest.approx(700 * 2 * 3.6 / 3600)
    assert tuned.note == "not measured here, but on 8 × H20, 2026-01-02"


def test_without_raw_recordings_nothing_is_prepared() -> None:
    assert not [one for one in estimate(Inputs(raw_tb=0), own_rates()).lines if one.step == "raw"]
    whole = estimate(Inputs(recorded_h=2.0), own_rates())
    stated = line(whole, "Decode and shrink all that was recorded")
    # Four cameras of 3840 × 2160 at 120 a second and one of 1920 × 1080 at 60.
    mpx_s = 4 * 8.2944 * 120 + 2.0736 * 60
    assert stated.value == pytest.approx(7200 * mpx_s * 2 / 3600)
    assert not [one for one in whole.lines if "repetitions" in one.what]


def test_numbers_are_said_for_people() -> None:
    assert [plain(v) for v in (7512, 0.05017, 12345.6, 2.5, 0.00001234)] == [
        "7,512",
        "0.05017",
        "12,346",
        "2.5",
        "1.23e-05",
    ]
    assert [said(v, "B") for v in (512, 2.5e6, 3e12)] == ["512 B", "2.5 MB", "3 TB"]


def test_a_slope_leaves_the_start_out() -> None:
    def job(units: float, cpu_s: float) -> Job:
        return Job(units, cpu_s, 0.0, 0, "")

    assert slope([job(10, 5.0), job(30, 9.0)], lambda one: one.cpu_s) == pytest.approx((0.2, 3))
    assert slope([job(10, 5.0), job(30, 4.0)], lambda one: one.cpu_s) == (0.0, 5.0)


def test_a_comparison_is_off_from_a_quarter_on() -> None:
    assert Compared("x", "s", 100, 125).well
    assert Compared("x", "s", 100, 75).well
    assert not Compared("x", "s", 100, 126).well
    assert not Compared("x", "s", 0, 1).well


def test_files_of_rates_are_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    known = words()["rates"]
    write_rates(path, Rates(rates={"gpu.sft_s": rate(1.0)}))
    assert read_rates(path, known).rates["gpu.sft_s"].value == 1.0
    write_rates(path, Rates(rates={"gpu.speed": rate(1.0)}))
    with pytest.raises(InputError, match=r"nothing is reckoned with 'gpu\.speed'"):
        read_rates(path, known)
    path.write_text('{"rates": {"gpu.sft_s": {"value": "fast"}}}')
    with pytest.raises(InputError, match=r"gpu\.sft_s\.value"):
        read_rates(path, known)
    path.write_text("{")
    with pytest.raises(InputError, match="is no JSON"):
        read_rates(path, known)


def test_of_another_machine_only_gpus_count(tmp_path: Path) -> None:
    own, other = tmp_path / "own.json", tmp_path / "other.json"
    write_rates(own, own_rates(2.0))
    mixed = {"gpu.sft_s": rate(1.0, machine="far"), "qa.core_s": rate(9.0, machine="far")}
    write_rates(other, Rates(rates=mixed))
    mine, every = known_rates(own, [other], 224, DEEPSEEK, anew=False)
    assert every.rates["qa.core_s"] == mine.rates["qa.core_s"] == rate(2.0)
    assert every.rates["gpu.sft_s"].machine == "far"
    with pytest.raises(InputError, match="holds no rate of a GPU"):
        known_rates(own, [own], 224, DEEPSEEK, anew=False)


def test_prices_are_those_of_the_config() -> None:
    assert prices_of(DEEPSEEK) == {
        "price_in": pytest.approx(0.28e-6),
        "price_out": pytest.approx(0.42e-6),
        "currency": "USD",
        "model": "deepseek-chat",
    }


def test_every_rate_of_a_plan_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but those of GPUs, with the numbers that a small and a large run give."""

    monkeypatch.setattr(measuring, "Jobs", KnownJobs)
    found = measuring.measure(tmp_path, 224, DEEPSEEK, lambda _: None).rates
    assert set(found) == {name for name in words()["rates"] if not name.startswith("gpu.")}
    values = {name: (one.value, one.start) for name, one in found.items()}
    assert values["decode.core_s"] == (0.1, 0)
    assert values["jpeg.bytes"] == (1000, 0)
    assert values["read.core_s"] == (0.01, 0)
    assert values["encode.bytes"] == (200, 0)
    assert values["qa.core_s"] == pytest.approx((0.5, 3))
    assert values["qa.bytes"] == pytest.approx((20, 100))
    assert values["sft.core_s"] == pytest.approx((0.25, 10))
    assert values["eval.core_s"] == pytest.approx((4, 7))
    assert values["emg.core_s"] == pytest.approx((3, 9))


def test_a_check_compares_a_run_with_what_the_rates_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "Jobs", KnownJobs)
    rates = measuring.measure(tmp_path, 224, DEEPSEEK, lambda _: None)
    monkeypatch.setattr(plan_check, "Jobs", KnownJobs)
    compared = plan_check.check(tmp_path, 224, rates, lambda _: None)
    assert {one.what for one in compared} == set(words()["check"]["parts"])
    for one in compared:
        assert one.ratio == pytest.approx(1), one.what
    half = Rate.model_validate({**rates.rates["qa.core_s"].model_dump(), "value": 0.2})
    wrong = Rates(rates={**rates.rates, "qa.core_s": half})
    missed = [one.what for one in plan_check.check(tmp_path, 224, wrong, print) if not one.well]
    assert missed == ["qa"]


def test_video_is_decoded_shrunk_and_encoded(tmp_path: Path, film: Callable[[Path], Path]) -> None:
    work = transcode_all([film(tmp_path / "a.mp4"), film(tmp_path / "b.mp4")], tmp_path, 32)
    assert work.mpx_in == pytest.approx(2 * 12 * 64 * 48 / 1e6)
    assert work.mpx_out == pytest.approx(2 * 12 * 32 * 32 / 1e6)
    assert work.frames == 24
    assert min(work.decode_s, work.encode_s, work.read_s) > 0
    written = [tmp_path / "0.mp4", tmp_path / "1.mp4"]
    assert work.bytes_out == sum(path.stat().st_size for path in written) > 0
    assert work.jpeg_bytes > 24 * 100, "a JPEG has at least its tables"
    from flex.video import probe
    from flex.video_reader import read_pictures

    info = probe(written[0])
    assert (info.frames, info.width, info.height) == (12, 32, 32)
    shown = read_pictures(written[0], [0, 11], (32, 32))
    assert np.mean(shown[1]) > np.mean(shown[0]) + 50, "the film gets brighter"


def test_of_several_rounds_the_fastest_of_each_part_counts() -> None:
    slow = Work(1, 1, 10, decode_s=3, encode_s=1, read_s=2, bytes_out=5, jpeg_bytes=9)
    other = slow._replace(decode_s=2, encode_s=4)
    assert fastest([slow, other]) == slow._replace(decode_s=2)


def test_tokens_are_those_of_the_dialogue_writer(tmp_path: Path) -> None:
    """A real dry run on ten simulated labels; nothing is asked."""
    jobs = Jobs(tmp_path, 224, lambda _: None)
    prompt, written = jobs.tokens(jobs.labels("labels", 10), DEEPSEEK, 10)
    assert 200 < prompt < 5000
    assert 150 <= written < 2000


def test_a_command_that_fails_shows_the_end_of_its_log(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, 224, lambda _: None)
    with pytest.raises(InputError, match=r"`python -m qa_gen dataset` failed with 2:\n.*none"):
        jobs.dialogues("qa", tmp_path / "none", 1)


def test_a_job_that_was_done_is_not_run_again(tmp_path: Path) -> None:
    told: list[str] = []
    folder = Jobs(tmp_path, 224, told.append).labels("labels", 10)
    (folder / "mark").touch()
    again = Jobs(tmp_path, 224, told.append)
    assert again.labels("labels", 10) == folder
    assert told == ["labels"]
    assert (folder / "mark").exists()
    again.labels("labels", 11)
    assert told == ["labels", "labels"], "another command is another job"
    assert not (folder / "mark").exists(), "made from nothing, so that it takes what it takes"


def test_rates_of_a_run_are_kept_as_json(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    write_rates(path, own_rates())
    first = json.loads(path.read_text())["rates"]["qa.core_s"]
    assert set(first) == {"value", "start", "command", "data", "date", "machine"}
