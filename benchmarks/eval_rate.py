"""Asking clips four questions after the rules of all exercises, read again or gone on from.

The shipped tiny coach, whose context is taken as long enough for all rules, about as long in its
tokens as in Qwen2.5's. Beside it transformers' own generation, which reads rules, video and talk
again at every turn. The answers have to be the same.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

MODEL = Path("models/tiny-coach-base")
QUESTIONS = (
    "Which exercise is the person in the video doing?",
    "How should this exercise be done?",
    "How well was it done?",
    "Which score do you give?",
)
CLIPS, TOKENS = 2, 16
Turn = Callable[[Sequence[Any]], list[str]]


def run(console: Console) -> dict[str, Any]:
    """Ask each way once; returns seconds and tokens a way, and how many answers are the same."""
    from vlm.model import load_coach
    from vlm.prefix_generate import PrefixGenerator

    coach = load_coach(MODEL, device="cpu")
    decoding = _decoding()
    generator = PrefixGenerator(coach)
    ways: dict[str, Turn] = {
        "all read again": lambda asked: _again(coach, asked, decoding),
        "gone on from": lambda asked: [one.text for one in generator.generate(asked, decoding)],
    }
    rules = _rules()
    found = {name: _ask(coach, rules, turn) for name, turn in ways.items()}
    again, on = found.values()
    same = sum(one == other for one, other in zip(again.pop("said"), on.pop("said"), strict=True))
    answers = CLIPS * len(QUESTIONS)
    result = {
        "clips": CLIPS,
        "rule_tokens": len(coach.processor.tokenizer(rules)["input_ids"]),
        "tokens_an_answer": TOKENS,
        "same_answers": f"{same} of {answers}",
        **{name.replace(" ", "_"): figures for name, figures in found.items()},
        "load_average": round(os.getloadavg()[0], 1),
    }
    title = f"{CLIPS} clips, {len(QUESTIONS)} turns, rules of {result['rule_tokens']:,} tokens"
    table = Table("way", "tokens read", "s", "CPU s", title=title)
    for name, figures in found.items():
        table.add_row(name, f"{figures['tokens']:,}", f"{figures['s']}", f"{figures['cpu_s']}")
    console.print(table, f"same answers: {result['same_answers']}")
    return result


def _decoding() -> Any:
    from vlm.generate import Decoding

    return Decoding(max_new_tokens=TOKENS)


def _rules() -> str:
    from eval.predict_rules import render_rules
    from flex.graph_file import load_graph

    graph = load_graph()
    return render_rules(graph, tuple(graph.actions.values()))


def _again(coach: Any, asked: Sequence[Any], decoding: Any) -> list[str]:
    from vlm.streaming import Writing, write

    writings = [Writing(coach, one) for one in asked]
    write(coach, writings, decoding)
    return ["".join(one.pieces()) for one in writings]


def _ask(coach: Any, rules: str, turn: Turn) -> dict[str, Any]:
    """Ask every question of every clip; each way hears its own answers."""
    from vlm.generate import Conversation

    clips = [_frames(seed) for seed in range(CLIPS)]
    talks = [[{"role": "system", "content": rules}] for _ in clips]
    said: list[str] = []
    with _Counted(coach) as counted:
        started, cpu = time.monotonic(), time.process_time()
        for question in QUESTIONS:
            for talk in talks:
                talk.append({"role": "user", "content": question})
            pairs = zip(clips, talks, strict=True)
            given = turn([Conversation((clip,), list(talk)) for clip, talk in pairs])
            for talk, answer in zip(talks, given, strict=True):
                talk.append({"role": "assistant", "content": answer})
            said += given
        seconds = {"s": time.monotonic() - started, "cpu_s": time.process_time() - cpu}
    return {"tokens": counted.tokens, "said": said} | {
        name: round(value, 1) for name, value in seconds.items()
    }


class _Counted:
    """Counts the tokens that the language model is given."""

    def __init__(self, coach: Any) -> None:
        self.tokens = 0
        self._layers = coach.plain.model.language_model

    def __enter__(self) -> "_Counted":
        def count(_: Any, values: Any, options: dict[str, Any]) -> None:
            self.tokens += options["inputs_embeds"].shape[:2].numel()

        self._hook = self._layers.register_forward_pre_hook(count, with_kwargs=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()


def _frames(seed: int) -> Any:
    from flex.video import Frames

    pixels = np.random.default_rng(seed).integers(0, 256, (16, 112, 112, 3), np.uint8)
    return Frames(pixels, tuple(range(0, 64, 4)), 30.0, 64)
