"""The real `transformers serve` on a tiny coach: what it takes, and what it refuses and why."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from vlm_clips import MakeFrames
from waiting import until

from flex.problems import InputError
from flex.video import Sampler
from vlm.endpoint import Endpoint
from vlm.generate import Conversation, Decoding, generate
from vlm.model import Coach, load_coach
from vlm.probe import probe
from vlm.server import Server, find_server

pytestmark = pytest.mark.slow
SHORT = Decoding(max_new_tokens=8)
QUESTION = [{"role": "user", "content": "How was it?"}]


@pytest.fixture(scope="module")
def folder(lively: Coach, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A coach whose answers are more than spaces, which the server takes away."""
    folder = tmp_path_factory.mktemp("lively")
    lively.model.save_pretrained(folder)
    lively.processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    output = (tmp_path_factory.mktemp("serve") / "output.txt").open("wb")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        found = f"http://127.0.0.1:{port}/v1"
        until(lambda: find_server(found, "none").kind != "absent", process)
        yield found
    finally:
        process.terminate()
        process.wait()
        output.close()


def test_it_is_known_and_answers_text(address: str, folder: Path) -> None:
    """Row M3: the penalty under a name that it takes; the same answer as here."""
    assert find_server(address, "none") == Server("transformers")
    endpoint = Endpoint(address, str(folder))
    asked = [Conversation((), QUESTION)]
    (here,) = generate(load_coach(folder, device="cpu"), asked, SHORT)
    assert here.strip()
    assert endpoint.generate(asked, SHORT) == [here.strip()]
    assert "".join(endpoint.stream(asked[0], SHORT)).strip() == here.strip()


def test_it_takes_pictures_and_no_video(
    address: str, folder: Path, make_frames: MakeFrames
) -> None:
    endpoint = Endpoint(address, str(folder), send="images", retries=0)
    clip = [Conversation((make_frames(4, side=56),), QUESTION)]
    assert len(endpoint.generate(clip, SHORT)) == 1
    endpoint.send = "video"
    with pytest.raises(InputError, match=r"refused with status 500; .*the server says: Internal"):
        endpoint.generate(clip, SHORT)
    assert "takes no video" in probe(endpoint, Sampler(), 8, 2).wrong[0]


def test_its_own_reason_is_told(address: str) -> None:
    with pytest.raises(InputError, match=r"status 400; .*Server is pinned to"):
        Endpoint(address, "another", retries=0).generate([Conversation((), QUESTION)], SHORT)
