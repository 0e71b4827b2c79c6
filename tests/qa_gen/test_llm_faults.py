"""Answers that cannot be used, endpoints that fail in the middle, and a kill -9."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_endpoint import Body, FakeEndpoint, content, cut, good_answer, hang, status
from llm_clips import KNEES_FORWARD, KNEES_INWARD, clips, settings, squat, write
from waiting import until

from flex.graph_file import load_graph
from qa_gen.cache import Cache
from qa_gen.client import EndpointDown, EndpointRefused
from qa_gen.llm_writer import open_llm_writer

FACTS = squat("c", KNEES_FORWARD, KNEES_INWARD)
SENTENCE = {"text": "You stood tall.", "role": "summary", "errors": []}
IN_FLIGHT = 8


def edited(edit: Callable[[list[Body]], list[Body]]) -> Any:
    """Return a fault that spoils the sentences of a good answer."""
    return lambda body: content(json.dumps({"sentences": edit(good_answer(body)["sentences"])}))(
        body
    )


def without_inward(sentences: list[Body]) -> list[Body]:
    return [s for s in sentences if "AK44:ET056" not in s["errors"]]


def with_extra(sentences: list[Body]) -> list[Body]:
    text = "As you went down, your lower back was arched too much or had collapsed."
    return [*sentences, {"text": text, "role": "error", "errors": ["AK44:ET002"]}]


def backwards(sentences: list[Body]) -> list[Body]:
    about = {e: [s for s in sentences if e in s["errors"]] for e in ("AK44:ET056", "AK44:ET055")}
    return [*about["AK44:ET056"], *about["AK44:ET055"]]


def with_text(text: str) -> Callable[[list[Body]], list[Body]]:
    return lambda sentences: [{**SENTENCE, "text": text}, *sentences]


SPOILED = {
    "blank": (content(""), "blank"),
    "no-content": (content(None), "blank"),
    "blank-sentence": (edited(with_text("  ")), "blank"),
    "invalid-json": (content('{"sentences": ['), "invalid_json"),
    "prose": (content("Sure! Your squat was great."), "invalid_json"),
    "other-shape": (content('{"feedback": "good"}'), "other_shape"),
    "a-list": (content(json.dumps([SENTENCE])), "other_shape"),
    "no-sentences": (content('{"sentences": []}'), "other_shape"),
    "unknown-role": (
        content(json.dumps({"sentences": [{**SENTENCE, "role": "joke"}]})),
        "other_shape",
    ),
    "error-without-id": (
        content(json.dumps({"sentences": [{**SENTENCE, "role": "error"}]})),
        "other_shape",
    ),
    "prose-for-an-id": (
        content(json.dumps({"sentences": [{**SENTENCE, "errors": ["You leaned back."]}]})),
        "other_shape",
    ),
    "cut-off": (content('{"sentences": [{"te', finish="length"), "cut_off"),
    "refusal": (content(None, refusal="I cannot help with that."), "refused"),
    "filtered": (content("", finish="content_filter"), "refused"),
    "id-in-text": (edited(with_text("AK44 was fine.")), "id_in_text"),
    "missing-error": (edited(without_inward), "missing_error"),
    "extra-error": (edited(with_extra), "extra_error"),
    "wrong-order": (edited(backwards), None),
    "invented-number": (edited(with_text("You bent your knees by 37 degrees.")), "wrong_number"),
    "faultless": (edited(with_text("Your squat was flawless.")), "negated_error"),
}


@pytest.mark.parametrize(("fault", "code"), SPOILED.values(), ids=SPOILED)
def test_a_spoiled_answer_is_asked_for_again_and_then_passes(
    endpoint: FakeEndpoint, cache: Path, fault: Any, code: str | None
) -> None:
    endpoint.faults.append(fault)
    (written,) = write(settings(endpoint), cache, [FACTS])
    assert (written.findings, written.attempts) == ((), 2)
    assert len(endpoint.requests) == 2
    first, again = (body["messages"] for body in endpoint.requests)
    assert again[: len(first)] == first
    assert "This was wrong with it" in again[-1]["content"]


@pytest.mark.parametrize(("fault", "code"), SPOILED.values(), ids=SPOILED)
def test_an_answer_that_stays_spoiled_is_flagged_with_what_is_wrong(
    endpoint: FakeEndpoint, cache: Path, fault: Any, code: str | None
) -> None:
    endpoint.always = fault
    (written,) = write(settings(endpoint), cache, [FACTS])
    assert written.attempts == len(endpoint.requests) == 3
    assert written.findings
    if code:
        assert code in {finding.code for finding in written.findings}
    endpoint.always = None
    assert write(settings(endpoint), cache, [FACTS]) == [written]
    assert len(endpoint.requests) == 3


def test_a_reask_names_what_was_missing(endpoint: FakeEndpoint, cache: Path) -> None:
    endpoint.faults.append(edited(without_inward))
    write(settings(endpoint), cache, [FACTS])
    complaint = endpoint.requests[1]["messages"][-1]["content"]
    assert "AK44:ET056" in complaint
    assert "is not named" in complaint


def test_the_best_attempt_is_kept_for_the_person(endpoint: FakeEndpoint, cache: Path) -> None:
    endpoint.faults.extend([content(""), edited(with_extra), content("no JSON")])
    (written,) = write(settings(endpoint), cache, [FACTS])
    assert {"extra_error"} <= {finding.code for finding in written.findings}
    assert any("AK44:ET002" in sentence.errors for sentence in written.sentences)


def test_a_fence_around_the_json_is_borne_with(endpoint: FakeEndpoint, cache: Path) -> None:
    endpoint.always = lambda body: content(f"```json\n{json.dumps(good_answer(body))}\n```")(body)
    (written,) = write(settings(endpoint), cache, [FACTS])
    assert (written.findings, written.attempts) == ((), 1)


@pytest.mark.parametrize("fault", [status(429), status(500), cut, hang], ids=lambda f: "")
def test_what_fails_on_the_way_is_no_attempt(
    endpoint: FakeEndpoint, cache: Path, fault: Any, request: pytest.FixtureRequest
) -> None:
    endpoint.faults.append(fault)
    if fault is hang:
        request.getfixturevalue("late_once")
    (written,) = write(settings(endpoint), cache, [FACTS])
    assert (written.findings, written.attempts) == ((), 1)
    with Cache(cache) as ledger:
        assert ledger.spent().requests == 1


@pytest.mark.parametrize(
    ("fault", "stop"), [(status(401), EndpointRefused), (status(500), EndpointDown)]
)
def test_a_stop_keeps_what_was_finished(
    endpoint: FakeEndpoint, cache: Path, fault: Any, stop: type[Exception]
) -> None:
    write(settings(endpoint), cache, clips(5))
    endpoint.always = fault
    with pytest.raises(stop):
        write(settings(endpoint), cache, clips(8))
    endpoint.always = None
    asked = len(endpoint.requests)
    write(settings(endpoint), cache, clips(8))
    assert len(endpoint.requests) == asked + 3


def test_one_clip_without_an_answer_is_flagged_and_asked_in_the_next_run(
    endpoint: FakeEndpoint, cache: Path
) -> None:
    def bad_for_the_partial(body: Body) -> Any:
        bad = "Only part of the lift" in body["messages"][1]["content"]
        return status(500)(body) if bad else content(json.dumps(good_answer(body)))(body)

    async def scenario() -> Any:
        async with open_llm_writer(load_graph(), settings(endpoint), cache) as writer:
            slow = asyncio.create_task(writer.write(partial, "train"))
            while not slow.done():
                await writer.write(squat(f"c{len(endpoint.requests)}"), "train")
            return await slow

    partial = squat("partial", KNEES_INWARD, partial=True)
    endpoint.always = bad_for_the_partial
    written = asyncio.run(scenario())
    assert [finding.code for finding in written.findings] == ["no_answer"]
    endpoint.always = None
    assert write(settings(endpoint), cache, [partial])[0].findings == ()


RUN = """
import asyncio, sys
from pathlib import Path
from llm_clips import clips, write
from qa_gen.llm_config import LlmConfig
config = LlmConfig(base_url=sys.argv[1], model="m", api_key_env="FAKE_KEY", concurrency={flight})
for written in write(config, Path(sys.argv[2]), clips({count})):
    print(written.model_dump_json())
"""


def start(endpoint: FakeEndpoint, cache: Path, count: int) -> subprocess.Popen[str]:
    """Start a run in a process of its own."""
    here = Path(__file__).parent
    code = f"import sys; sys.path[:0] = {[str(here), str(here.parent)]!r}" + RUN.format(
        flight=IN_FLIGHT, count=count
    )
    command = [sys.executable, "-c", code, endpoint.base_url, str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=here.parents[1])


@pytest.mark.slow
def test_kill_9_loses_at_most_what_was_in_flight(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    count, kills = 60, 5
    undisturbed, _ = start(endpoint, tmp_path / "calm.sqlite", count).communicate()
    assert len(undisturbed.splitlines()) == len(endpoint.requests) == count

    endpoint.requests.clear()
    endpoint.latency_s = 0.05
    cache = tmp_path / "killed.sqlite"
    for kill in range(1, kills + 1):
        process = start(endpoint, cache, count)
        enough = kill * count // (kills + 1)
        until(lambda enough=enough: len(endpoint.requests) >= enough, process)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    resumed, _ = start(endpoint, cache, count).communicate()
    assert resumed == undisturbed
    assert count <= len(endpoint.requests) <= count + kills * IN_FLIGHT
    with Cache(cache) as ledger:
        assert ledger.spent().requests == count


@pytest.mark.slow
def test_two_processes_share_a_cache(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    endpoint.latency_s = 0.02
    runs = [start(endpoint, tmp_path / "shared.sqlite", 30) for _ in range(2)]
    outputs = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert len(outputs[0].splitlines()) == 30
    with Cache(tmp_path / "shared.sqlite") as ledger:
        assert ledger.spent().requests == len(endpoint.requests) <= 60
