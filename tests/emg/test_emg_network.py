"""The network is causal, streams what it says of whole clips, and does not mind its batch."""

import pytest
import torch

from emg.memory import AttentionLayer
from emg.network import Network, Settings, Stream
from emg.recipe import Memory

INPUTS, MUSCLES = 7, 18
KINDS: list[Memory] = ["lstm", "tcn", "transformer"]


def network(memory: Memory, *, lookahead: int = 0, subjects: int = 0) -> Network:
    torch.manual_seed(0)
    settings = Settings(
        kernel=3, hidden=8, memory=memory, layers=2, lookahead=lookahead, subjects=subjects
    )
    made = Network(inputs=INPUTS, muscles=MUSCLES, settings=settings)
    made.eval()
    made.standardise([torch.randn(50, INPUTS) * 3 + 1])
    return made


def clips(count: int, frames: int = 70) -> torch.Tensor:
    # Longer than the window of the attention, and than all that a TCN layer sees.
    return torch.randn(count, frames, INPUTS, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lookahead", [0, 3])
def test_a_stream_says_what_the_whole_clip_says(kind: Memory, lookahead: int) -> None:
    model, x = network(kind, lookahead=lookahead), clips(2)
    with torch.no_grad():
        whole = model.whole(x, torch.tensor([70, 70]))
    stream = Stream(model)
    said = [stream.push(frame) for frame in x.unbind(dim=1)]
    assert [answer is None for answer in said] == [True] * lookahead + [False] * (70 - lookahead)
    answers = [answer for answer in said if answer is not None] + stream.finish()
    torch.testing.assert_close(torch.stack(answers, dim=1), whole, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_any_length_say_the_same(kind: Memory) -> None:
    model, x = network(kind), clips(1)
    with torch.no_grad():
        whole, _ = model(x)
        state, found = None, []
        for piece in x.split([1, 40, 5, 24], dim=1):
            said, state = model(piece, state)
            found.append(said)
    torch.testing.assert_close(torch.cat(found, dim=1), whole, atol=1e-5, rtol=1e-4)


def test_a_clip_shorter_than_the_lookahead_is_answered_whole() -> None:
    model, x = network("lstm", lookahead=5), clips(1, frames=2)
    stream = Stream(model)
    assert [stream.push(frame) for frame in x.unbind(dim=1)] == [None, None]
    with torch.no_grad():
        whole = model.whole(x, torch.tensor([2]))
    torch.testing.assert_close(torch.stack(stream.finish(), dim=1), whole)
    assert Stream(model).finish() == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_future_changes_nothing_but_within_the_lookahead(kind: Memory) -> None:
    model, x = network(kind, lookahead=2), clips(1)
    other = x.clone()
    other[:, 40:] += 5
    lengths = torch.tensor([70])
    with torch.no_grad():
        gap = (model.whole(x, lengths) - model.whole(other, lengths)).abs().amax(dim=(0, 2))
    assert gap[:38].max() < 1e-6
    assert gap[38] > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_clips_of_different_lengths_in_one_batch_are_as_alone(kind: Memory) -> None:
    model, x = network(kind, lookahead=2, subjects=3), clips(4)
    lengths = torch.tensor([70, 50, 3, 61])
    people = torch.tensor([0, 1, 2, 3])
    assert model.people is not None
    torch.nn.init.normal_(model.people.weight)
    with torch.no_grad():
        together = model.whole(x, lengths, people)
        for row, length in enumerate(lengths.tolist()):
            at = slice(row, row + 1)
            alone = model.whole(x[at, :length], lengths[at], people[at])
            torch.testing.assert_close(together[at, :length], alone, atol=1e-5, rtol=1e-4)


def test_a_person_who_is_not_named_is_the_unknown_one() -> None:
    model, x = network("lstm", subjects=2), clips(1)
    assert model.people is not None
    torch.nn.init.normal_(model.people.weight)
    with torch.no_grad():
        unnamed, _ = model(x)
        unknown, _ = model(x, None, torch.tensor([0]))
        known, _ = model(x, None, torch.tensor([1]))
    assert torch.equal(unnamed, unknown)
    assert not torch.allclose(unnamed, known)


def test_attention_does_not_reach_past_its_window() -> None:
    torch.manual_seed(0)
    layer = AttentionLayer(8, 0.0).eval()
    x = torch.randn(1, 120, 8)
    other = x.clone()
    other[:, 0] *= -1
    with torch.no_grad():
        gap = (layer(x, None)[0] - layer(other, None)[0]).abs().amax(dim=(0, 2))
        _, state = layer(x, None)
    assert gap[47] > 0
    assert gap[48:].max() == 0
    assert state.shape == (1, 47, 8)


def test_features_that_never_change_do_not_blow_up() -> None:
    model = network("lstm")
    model.standardise([torch.ones(10, INPUTS)])
    assert torch.equal(model.spread, torch.ones(INPUTS))


def test_features_are_standardised_over_all_frames() -> None:
    model = network("lstm")
    frames = torch.randn(60, INPUTS) * 4 - 2
    model.standardise(frames.split([10, 50]))
    torch.testing.assert_close(model.centre, frames.mean(dim=0))
    torch.testing.assert_close(model.spread, frames.std(dim=0, correction=0))
