"""`eval predict --endpoint`: a served adapter is shown what its card says, or nothing."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from eval import predict
from flex.problems import InputError
from flex.video import Sampler
from vlm.card import CARD_VERSION, CoachCard
from vlm.probe import Found
from vlm.server import Server

SAMPLER = Sampler(frames=4, pixels=168 * 168)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One test clip of 448 pixels and one question about it."""
    folder = tmp_path_factory.mktemp("world")
    path = folder / "data" / "A16" / "000" / "View-1.mp4"
    path.parent.mkdir(parents=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 448
        stream.pix_fmt = "yuv420p"
        for number in range(8):
            picture = np.full((448, 448, 3), 20 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))
    turn = {"stage": "recognise", "question": "Which exercise is it?", "answer": "A squat."}
    line = {"clip": "A16/000", "action": "A16", "subject": "P01", "split": "test", "turns": [turn]}
    (folder / "dialogues.jsonl").write_text(json.dumps(line) + "\n")
    return folder


@pytest.fixture
def card(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    CoachCard(
        version=CARD_VERSION,
        sampler=SAMPLER,
        tokens_per_second=8,
        base_tokens_per_second=2,
        words_follow="video",
    ).write(folder)
    return folder


@pytest.fixture
def server(chat_server: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    with chat_server() as found:
        yield found


def run(world: Path, out: Path, address: str, mode: str, **options: Any) -> dict[str, Any]:
    predict.run(
        model="coach-3b",
        endpoint=address,
        modes=[mode],
        data=world / "data",
        dialogues=world / "dialogues.jsonl",
        out=out / "out",
        **options,
    )
    record: dict[str, Any] = json.loads((out / "out" / f"predict-{mode}.json").read_text())
    return record


def shown(body: dict[str, Any]) -> list[tuple[int, int]]:
    """Return the sizes of the frames in a request."""
    url = body["messages"][0]["content"][0]["video_url"]["url"]
    pictures = url.removeprefix("data:video/jpeg;base64,").split(",")
    return [Image.open(io.BytesIO(base64.b64decode(one))).size for one in pictures]


def test_tuned_sends_what_the_card_says(
    world: Path, card: Path, tmp_path: Path, server: tuple[str, list[dict[str, Any]]]
) -> None:
    """Rows B2 and M1."""
    address, asked = server
    record = run(world, tmp_path, address, "tuned", adapter=card)
    assert shown(asked[-1]) == [(168, 168)] * 4
    assert asked[-1]["media_io_kwargs"]["video"] == {
        "num_frames": -1,
        "fps": 10.0,
        "frames_indices": [1, 3, 5, 7],
        "total_num_frames": 8,
        "duration": 0.8,
    }
    assert asked[-1]["mm_processor_kwargs"] == {"do_resize": False, "do_sample_frames": False}
    assert record["sampler"] == SAMPLER.model_dump()
    assert record["adapter"] == str(card)


def test_tuned_without_a_card_is_refused(world: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--adapter: the mode tuned needs the folder"):
        run(world, tmp_path, "http://127.0.0.1:9/v1", "tuned")
    with pytest.raises(InputError, match=r"holds no flex_coach\.json"):
        run(world, tmp_path, "http://127.0.0.1:9/v1", "tuned", adapter=tmp_path)


def test_other_frames_than_the_cards_are_refused(world: Path, card: Path, tmp_path: Path) -> None:
    other = Sampler(frames=8, pixels=168 * 168)
    with pytest.raises(InputError, match=r"frames 8 \(trained with 4\)"):
        run(world, tmp_path, "http://127.0.0.1:9/v1", "tuned", adapter=card, sampler=other)


def test_without_a_card_a_served_model_sees_what_its_recipe_shows(
    world: Path, tmp_path: Path, server: tuple[str, list[dict[str, Any]]]
) -> None:
    """Row M7."""
    address, asked = server
    run(world, tmp_path, address, "pretrained")
    assert shown(asked[-1]) == [(224, 224)] * 16


def test_what_a_probe_finds_is_refused_for_tuned_and_told_for_the_base(
    world: Path,
    card: Path,
    tmp_path: Path,
    server: tuple[str, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = []

    def probed(_: Any, sampler: Sampler, rate: int, other: int) -> Found:
        expected.append((sampler, rate, other))
        return Found(["shows the model the same times"], ["does not tell"])

    monkeypatch.setattr("eval.predict_model.probe", probed)
    with pytest.raises(InputError, match="'coach-3b': shows the model the same times"):
        run(world, tmp_path, server[0], "tuned", adapter=card)
    assert server[1] == []
    run(world, tmp_path, server[0], "pretrained", adapter=card)
    assert "shows the model the same times" in capsys.readouterr().err.replace("\n", " ")
    assert expected == [(SAMPLER, 8, 2), (SAMPLER, 2, 8)]


def test_transformers_serve_gets_pictures_and_no_tuned_model(
    world: Path,
    card: Path,
    tmp_path: Path,
    server: tuple[str, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Row M3."""
    address, asked = server
    monkeypatch.setattr("vlm.endpoint.find_server", lambda *_: Server("transformers"))
    with pytest.raises(InputError, match=r"takes no video of this model .* vLLM 0\.31\.0"):
        run(world, tmp_path, address, "tuned", adapter=card)
    run(world, tmp_path, address, "pretrained", adapter=card)
    kinds = [part["type"] for part in asked[-1]["messages"][0]["content"]]
    assert kinds == ["image_url"] * 4 + ["text"]
    assert "repetition_penalty" not in asked[-1]
    assert asked[-1]["frequency_penalty"] == 0.0


def test_an_adapter_of_the_old_rule_is_not_for_vllm(
    world: Path, card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    CoachCard(sampler=SAMPLER).write(card)
    monkeypatch.setattr("vlm.endpoint.find_server", lambda *_: Server("vllm", (0, 33, 0)))
    monkeypatch.setattr("eval.predict_model.probe", lambda *_: Found())
    with pytest.raises(InputError, match="words_follow 'frame', which vLLM does not have"):
        run(world, tmp_path, "http://127.0.0.1:9/v1", "tuned", adapter=card)


def test_one_name_is_not_two_models(world: Path, card: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ask for tuned alone"):
        predict.run(model="m", endpoint="x", modes=["tuned", "pretrained"], adapter=card)
    with pytest.raises(InputError, match="--model: with --endpoint, name the model"):
        predict.run(endpoint="x", modes=["tuned"], adapter=card)
