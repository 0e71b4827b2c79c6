"""The questions that find out whether a server heeds frames, sizes and times."""

from collections.abc import Callable
from typing import Any

import pytest
from official_server import OfficialServer, serving

from flex.problems import InputError
from flex.video import Sampler
from vlm.endpoint import Endpoint, UnreachableError
from vlm.model import Coach
from vlm.probe import Found, probe

SAMPLER = Sampler(frames=40, pixels=56 * 56)


@pytest.fixture
def found(lively: Coach) -> Callable[..., Found]:
    """Return what a probe finds of a server with some settings."""

    def ask(*, expected: tuple[int, int] = (8, 2), **settings: Any) -> Found:
        server = OfficialServer(lively, lively.processor, **settings)
        with serving(server) as address:
            return probe(Endpoint(address, "coach"), SAMPLER, *expected)

    return ask


def without(part: str) -> frozenset[str]:
    return frozenset({"times", "frames", "sizes"}) - {part}


def test_a_server_that_heeds_everything_passes(found: Callable[..., Found]) -> None:
    assert found() == Found()
    assert found(rate=2, expected=(2, 8)) == Found()
    assert found(kind="another") == Found()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"heeds": without("times"), "kind": "another"}, "same times whatever is sent; serve it"),
        ({"rate": 2}, "fewer than 8 temporal positions; start it with --hf-overrides"),
        ({"rate": 8, "expected": (2, 8)}, "more than 2 temporal positions"),
        ({"heeds": frozenset(), "kind": "another"}, "leaves out or resizes frames"),
        ({"version": "0.30.9"}, r"vLLM 0.30.9 drops the frames' times; serve it with vLLM 0.31.0"),
        ({"kind": "transformers"}, "`transformers serve` takes no video of this model"),
    ],
)
def test_what_a_server_does_otherwise_is_found(
    found: Callable[..., Found], settings: dict[str, Any], told: str
) -> None:
    assert told in "; ".join(found(**settings).wrong)


def test_what_a_server_does_not_tell_stays_unknown(found: Callable[..., Found]) -> None:
    silent = found(tells=frozenset(), heeds=without("times"), kind="another")
    assert silent.wrong == []
    assert len(silent.unknown) == 2
    assert "nothing is known of the times" in silent.unknown[1]
    noisy = found(noise=3.0)
    assert noisy.wrong == []
    assert "times do not show" in noisy.unknown[0]


def test_nobody_there_may_be_for_the_moment() -> None:
    with pytest.raises(UnreachableError, match="see that the server runs"):
        probe(Endpoint("http://127.0.0.1:9/v1", "coach"), SAMPLER, 8, 2)


def test_the_servers_own_reason_is_told(lively: Coach) -> None:
    """Row M3: a refusal says why."""
    server = OfficialServer(lively, lively.processor)

    def refuse(body: dict[str, Any]) -> dict[str, Any]:
        raise ValueError("num_frames must be greater than 0 or -1")

    server.reply = refuse  # type: ignore[method-assign]
    with (
        serving(server) as address,
        pytest.raises(InputError, match=r"status 400; .*the server says: .*greater than 0 or -1"),
    ):
        probe(Endpoint(address, "coach", retries=0), SAMPLER, 8, 2)
