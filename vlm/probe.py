"""Finds out whether a server shows a model its frames, sizes and times as they are sent.

    found = probe(Endpoint("http://localhost:8000/v1", "coach"), card.sampler, rate=8, other=2)
    found.wrong, found.unknown

A few requests of one word each. How long the prompts are tells whether frames are left out or
resized. The probabilities of the first word tell the rest: the same frames, closer together or
farther apart in time, must change them, and how close two pairs of frames may be before they share
a position tells the positions of a second. What a server does not tell stays unknown.
"""

from dataclasses import dataclass, field

import numpy as np

from flex.problems import Problem
from flex.video import SIDE_STEP, Frames, Sampler, resized
from vlm.endpoint import Endpoint, UnreachableError
from vlm.generate import Conversation
from vlm.serving import LEAST_VLLM, version_text

# Log-probabilities that differ by less are the same; by more than three times what the same prompt
# differs by when it is sent again, and this, they are not.
_SAME, _OTHER = 1e-6, 1e-4
# Frames that stand for a clip: few, since each pair must lie within one step of the coarser times.
_FRAMES = 8
_QUESTION = "Which exercise is this?"
_TIMES = (
    f"serve it with vLLM {version_text(LEAST_VLLM)} or later, which takes media_io_kwargs in a "
    "request"
)


@dataclass
class Found:
    """What a server does otherwise, and what it does not tell: sentences."""

    wrong: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def probe(endpoint: Endpoint, sampler: Sampler, rate: int, other: int) -> Found:
    """Ask a server about clips that are made for it.

    Args:
        endpoint: the server and the model's name there.
        sampler: how many frames of which size must arrive.
        rate: the positions that a second of video must have.
        other: those that it has if the server was started for another model.

    Raises:
        UnreachableError: nobody answers.
        InputError: the endpoint refuses.
    """
    found = Found()
    server = endpoint.server
    if server.kind == "absent":
        message = "cannot be reached; see that the server runs"
        raise UnreachableError([Problem(endpoint.base_url, message)])
    if server.kind == "transformers":
        found.wrong.append(
            "`transformers serve` takes no video of this model (up to 5.24 it loads the sound of "
            f"each video and fails), and pictures have no times; {_TIMES}"
        )
    elif server.kind == "vllm" and server.version and server.version < LEAST_VLLM:
        found.wrong.append(f"vLLM {version_text(server.version)} drops the frames' times; {_TIMES}")
    if not found.wrong:
        _probe_sizes(endpoint, sampler, found)
        _probe_times(endpoint, rate, other, found)
    return found


def _probe_sizes(endpoint: Endpoint, sampler: Sampler, found: Found) -> None:
    many, few = sampler.frames, 2
    wide, high = resized(10**4, 10**4, sampler.pixels)
    lengths = [endpoint.look(_clip(count, wide, high, 1.0)).prompt_tokens for count in (many, few)]
    if many == few or None in lengths:
        found.unknown.append("does not tell how many tokens the frames are")
        return
    expected = (many - few) // 2 * (wide // SIDE_STEP) * (high // SIDE_STEP)
    got = int(lengths[0] or 0) - int(lengths[1] or 0)
    if got != expected:
        found.wrong.append(
            f"makes {got} tokens of {many - few} frames of {wide} × {high}, not {expected}: it "
            f"leaves out or resizes frames; {_TIMES}, and start it without --mm-processor-kwargs"
        )


def _probe_times(endpoint: Endpoint, rate: int, other: int, found: Found) -> None:
    low, high = sorted((rate, other))
    pairs = max(2, min(_FRAMES // 2, 1 + int(0.8 * high / low)))
    near, again, far = (
        endpoint.look(_clip(2 * pairs, 56, 56, step)).logs
        for step in (0.5 / high / pairs, 0.5 / high / pairs, 4 / low)
    )
    if near is None or again is None or far is None:
        found.unknown.append("does not tell probabilities, so nothing is known of the times")
        return
    moved = _differ(far, near, again)
    if moved is None:
        found.unknown.append("answers the same prompt so differently that times do not show")
    elif not moved:
        found.wrong.append(f"shows the model the same times whatever is sent; {_TIMES}")
    elif high * 4 > low * 5:
        between = endpoint.look(_clip(2 * pairs, 56, 56, 1.2 / high)).logs or {}
        _probe_rate(_differ(between, near, again), rate, rate == high, found)


def _probe_rate(moved: bool | None, rate: int, fine: bool, found: Found) -> None:
    """Tell what it means that pairs of frames got positions of their own, or did not."""
    if moved is None:
        found.unknown.append(f"does not show whether a second has {rate} positions")
    elif moved != fine:
        fewer = "fewer" if fine else "more"
        found.wrong.append(
            f"gives a second of video {fewer} than {rate} temporal positions; start it with "
            f'--hf-overrides \'{{"vision_config": {{"tokens_per_second": {rate}}}}}\''
        )


def _differ(one: dict[str, float], near: dict[str, float], again: dict[str, float]) -> bool | None:
    """Say whether a prompt is another one to the model; `None` if that does not show."""
    noise = _gap(near, again)
    gap = min(_gap(one, near), _gap(one, again))
    if gap <= _SAME:
        return False
    return True if gap > 3 * noise + _OTHER else None


def _gap(one: dict[str, float], other: dict[str, float]) -> float:
    """Return the largest difference of a token's log-probability; a missing one is the least."""
    if not one or not other:
        return float("inf")
    least = min(*one.values(), *other.values())
    return max(abs(one.get(t, least) - other.get(t, least)) for t in one.keys() | other.keys())


def _clip(frames: int, wide: int, high: int, step_s: float) -> Conversation:
    """Return a question about coloured squares, whose pairs of frames are a step apart."""
    shape = (frames, high // SIDE_STEP, wide // SIDE_STEP, 3)
    squares = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    pixels = squares.repeat(SIDE_STEP, 1).repeat(SIDE_STEP, 2)
    shown = Frames(pixels, tuple(range(frames)), 2 / step_s, frames)
    return Conversation((shown,), [{"role": "user", "content": _QUESTION}])
