"""Measures what the thresholds of `coach/confidence.yaml` come from.

    python tests/coach/coach_doubt.py real.mp4 …      # films of people who do no known exercise

Prints shares, and how sure the tiny coach is of its own words, for the validation clips of
FLEX-Sim, right and wrong, and for the given films. Needs `make sim`, `make qa-dataset` and
`make sft`.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.progress import track

from coach.choice import choose_model
from coach.confidence import Confidence, Rated, confidence_of
from coach.questions import exercise_answers, stage_questions
from coach.settings import Settings
from flex.cli import err
from flex.graph_file import load_graph
from vlm.cache import FrameCache
from vlm.defaults import find_sampler
from vlm.generate import Conversation, Decoding

SETTINGS = Settings()
Found = tuple[str, str, Confidence]


def clips() -> Iterator[tuple[str, str, Path]]:
    """Yield part, action and path of each film."""
    yield from (("real", "", Path(name)) for name in sys.argv[1:])
    with SETTINGS.dialogues.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["split"] == "validation":
                for view in row["views"].values():
                    yield "validation", row["action"], SETTINGS.data / view


def measure(folder: Path) -> Iterator[Found]:
    """Yield part, action and confidence of each film."""
    graph, chosen = load_graph(), choose_model(SETTINGS)
    talker, cache = chosen.opener(), FrameCache(folder)
    sampler = find_sampler(chosen.local, None).model_copy(update={"kind": "uniform"})
    question = stage_questions()["recognise"]
    answers = exercise_answers(graph)
    for part, action, path in track([*clips()], "films", console=err):
        frames = cache.get(path, sampler)
        prompt = Conversation((frames,), [{"role": "user", "content": question}])
        answer = "".join(talker.stream(prompt, "tuned", Decoding()))
        values = talker.rate(prompt, "tuned", [*answers.values(), answer])
        assert values is not None
        *each, own = values
        a_token = own / talker.responder.count_tokens(answer)
        rated = Rated(dict(zip(answers, each, strict=True)), a_token)
        yield part, action, confidence_of(graph, None, rated)


def say(title: str, found: list[Confidence]) -> None:
    """Print the ranges of some films."""
    if found:
        shares, own = sorted(f.share for f in found), sorted(f.own or 0.0 for f in found)
        print(
            f"{title}: {len(found)} films, share {shares[0]:.2f} to {shares[-1]:.2f} "
            f"(median {shares[len(shares) // 2]:.2f}), own words {own[0]:.2f} to {own[-1]:.2f}; "
            f"doubted {sum(bool(f.doubt) for f in found)}"
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        films = [*measure(Path(name))]
    simulated = [(f.likeliest == action, f) for part, action, f in films if part == "validation"]
    say("validation, likeliest is right", [f for right, f in simulated if right])
    say("validation, likeliest is wrong", [f for right, f in simulated if not right])
    say("given films", [f for part, _, f in films if part == "real"])
