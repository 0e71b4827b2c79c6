"""Keeps what LLaMA-Factory makes of dialogues about small films, for our tests to compare with.

    python -m benchmarks.llama_factory_input --env runs/bench/llama-factory/env

LLaMA-Factory comes from PyPI into an environment of its own, which is made if it is not there. It
encodes the same dialogue about each film, with the small tokenizer and, where its file is given,
with the real one of Qwen2.5. The answers, the command and the versions go into
`tests/vlm/data/llama_factory.json`; `tests/vlm/test_llama_factory_input.py` reads it.
"""

import json
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer

from benchmarks.llama_factory import install
from flex import cli
from flex.files import write_text
from vlm.dialogues import STAGES, Turn

RESULTS = Path("tests/vlm/data/llama_factory.json")
COMMAND = "python -m benchmarks.llama_factory_input --tokenizer tokenizer.json"
SCRIPT = Path(__file__).with_name("llama_factory_encode.py")
# Qwen2.5-VL-3B-Instruct's preprocessor_config.json.
PIXELS = {"shortest_edge": 3136, "longest_edge": 12845056}
TURNS = tuple(
    Turn(stage=stage, question=question, answer=answer)
    for stage, (question, answer) in zip(
        STAGES,
        (
            ("Which exercise is this?", "It is the barbell squat (A16)."),
            ("How is it done well?", "Keep your back straight.\n\n1. Sit back.\n2. Stand up."),
            ("How was mine?", "Your knees caved in at 0.8 s: push them out — “over the toes”."),
            ("Score me.", "I give it 81.5 of 100."),
        ),
        strict=True,
    )
)


class Film(NamedTuple):
    """A film: size in pixels, how many frames, and how many a second."""

    width: int
    height: int
    frames: int
    fps: int


FILMS = {
    "square": Film(224, 224, 60, 30),
    "full-hd": Film(1920, 1080, 39, 20),
    "upright": Film(360, 640, 61, 25),
    "small": Film(112, 112, 20, 30),
    "tiny": Film(48, 40, 30, 10),
}
app = cli.new_app("What LLaMA-Factory makes of the same dialogues.")


@app.command()
def keep(
    env: Annotated[Path, typer.Option(help="LLaMA-Factory's environment.")] = Path(
        "runs/bench/llama-factory/env"
    ),
    tokenizer: Annotated[
        Path | None, typer.Option(help="Qwen2.5's tokenizer.json; default: the small one only.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the answers go.")] = RESULTS,
) -> None:
    """Encode the dialogue with LLaMA-Factory and keep what comes out."""
    python = install(env)
    found: dict[str, Any] = {"command": COMMAND}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        films = {key: write_film(folder / f"{key}.mp4", film) for key, film in FILMS.items()}
        for kind, file in (("small", None), ("real", tokenizer)):
            if kind == "small" or file is not None:
                base = write_base(folder / kind, file)
                answer = _ask(python, base, films)
                found |= {"versions": answer["versions"], kind: answer["films"]}
    write_text(out, json.dumps(found) + "\n")


def write_film(path: Path, film: Film) -> Path:
    """Write a film whose pictures are smooth and move, as mp4; return its path."""
    import av

    rows, columns = np.mgrid[0 : film.height, 0 : film.width]
    across, down = columns / film.width, rows / film.height
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "crf": "12"}
        stream: Any = container.add_stream("libx264", rate=Fraction(film.fps), options=options)
        stream.width, stream.height, stream.pix_fmt = film.width, film.height, "yuv420p"
        for number in range(film.frames):
            phase = number / film.frames
            shades = (across * 255, down * 255, 127 + 127 * np.sin(6.3 * (across + down + phase)))
            pixels = np.stack(shades, -1).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def build_processor(tokenizer: Path | None) -> Any:
    """Return a processor with the published limits of size, and the small or the real tokenizer."""
    from transformers import (
        PreTrainedTokenizerFast,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    from vlm.tiny import build_tokenizer

    words = build_tokenizer([text for one in TURNS for text in (one.question, one.answer)], 400)
    template = words.chat_template
    if tokenizer is not None:
        words = PreTrainedTokenizerFast(
            tokenizer_file=str(tokenizer), eos_token="<|im_end|>", pad_token="<|endoftext|>"
        )
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=PIXELS),
        tokenizer=words,
        video_processor=Qwen2VLVideoProcessor(size=PIXELS),
        chat_template=template,
    )


def write_base(folder: Path, tokenizer: Path | None) -> Path:
    """Write a processor and the configuration of a small model into a folder; return it."""
    from vlm.tiny import build_config

    processor = build_processor(tokenizer)
    processor.save_pretrained(folder)
    config = build_config(processor.tokenizer, hidden=64, layers=2)
    config.vision_config.tokens_per_second = 2
    config.save_pretrained(folder)
    return folder


def _ask(python: Path, base: Path, films: dict[str, Path]) -> dict[str, Any]:
    paths = {name: str(path) for name, path in films.items()}
    turns = [[turn.question, turn.answer] for turn in TURNS]
    request = json.dumps({"base": str(base), "films": paths, "turns": turns})
    done = subprocess.run(
        [python, SCRIPT], input=request, stdout=subprocess.PIPE, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    cli.run(app)
