"""Dialogues that go on from what was read: the answers of reading all again, and less to read."""

from typing import Any

import numpy as np
import pytest
import torch
from vlm_clips import MakeFrames

from vlm.chat import Message, encode_prompt
from vlm.generate import Conversation, Decoding, Reply
from vlm.model import Coach
from vlm.prefix_cache import ReadRows, best_start, shared_length
from vlm.prefix_generate import PrefixGenerator
from vlm.streaming import Writing, write

SHORT = Decoding(max_new_tokens=12)
RULES = "Name no error that you do not see. " * 20
QUESTIONS = ("Which exercise is this?", "How is it done well?", "How was mine?", "Score me.")


class Dialogue:
    """A clip that is asked one question after the other."""

    def __init__(self, videos: tuple[Any, ...], system: str = "", more: str = "") -> None:
        self.videos, self._more = videos, more
        self._said: list[Message] = [{"role": "system", "content": system}] if system else []

    def ask(self, question: str) -> Conversation:
        self._said.append({"role": "user", "content": question + self._more})
        return Conversation(self.videos, list(self._said))

    def answered(self, answer: str) -> None:
        self._said.append({"role": "assistant", "content": answer})


@pytest.fixture
def dialogues(make_frames: MakeFrames) -> list[Dialogue]:
    """Videos of several lengths, one without, one with two; questions of several lengths."""
    return [
        Dialogue((make_frames(16, seed=1),), RULES),
        Dialogue((make_frames(4, side=56, seed=2),), RULES, " And why do you think so?"),
        Dialogue((), RULES, " Please."),
        Dialogue((make_frames(2, seed=3), make_frames(8, side=56, seed=4)), RULES),
    ]


def plainly(coach: Coach, conversation: Conversation, decoding: Decoding = SHORT) -> str:
    """Return the answer of transformers' own generation, which reads and places all again."""
    one = Writing(coach, conversation)
    write(coach, [one], decoding)
    return "".join(one.pieces())


@pytest.fixture
def read(lively: Coach, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens the model was given in each pass, all rows together."""
    counts: list[int] = []
    forward = lively.model.model.language_model.forward

    def count(*values: Any, **options: Any) -> Any:
        batch, length = options["inputs_embeds"].shape[:2]
        counts.append(batch * length)
        return forward(*values, **options)

    monkeypatch.setattr(lively.model.model.language_model, "forward", count)
    return counts


def test_each_turn_answers_as_if_all_were_read_again(
    lively: Coach, dialogues: list[Dialogue]
) -> None:
    generator = PrefixGenerator(lively)
    answers = []
    for question in QUESTIONS:
        asked = [dialogue.ask(question) for dialogue in dialogues]
        replies = generator.generate(asked, SHORT)
        assert [reply.text for reply in replies] == [plainly(lively, one) for one in asked]
        for dialogue, reply in zip(dialogues, replies, strict=True):
            dialogue.answered(reply.text)
        answers += replies
    assert len({reply.text for reply in answers}) > 8, "answers that tell the prompts apart"


def test_a_turn_reads_its_question_only_and_rules_are_read_once(
    lively: Coach, make_frames: MakeFrames, read: list[int]
) -> None:
    generator = PrefixGenerator(lively)
    frames = [make_frames(16, seed=seed) for seed in range(5)]
    rules = len(
        encode_prompt(
            lively.processor,
            (),
            [{"role": "system", "content": RULES}, {"role": "user", "content": "?"}],
        )
    )
    pair = [Dialogue((one,), RULES) for one in frames[:2]]
    (first, second) = generator.generate([one.ask(QUESTIONS[0]) for one in pair], SHORT)
    assert read[0] > 100, "the rules, alone"
    assert read[1] < 2 * (128 + 60), "videos and questions"
    assert read[0] + read[1] // 2 > rules + 128
    read.clear()
    for dialogue, reply in zip(pair, (first, second), strict=True):
        dialogue.answered(reply.text)
    generator.generate([one.ask(QUESTIONS[1]) for one in pair], SHORT)
    assert read[0] < 2 * 60, "no video, no rules"
    read.clear()
    more = [Dialogue((one,), RULES) for one in frames[2:]]
    generator.generate([one.ask(QUESTIONS[0]) for one in more], SHORT)
    assert read[0] < 3 * (128 + 60), "the rules were read for the batch before"


def test_some_of_a_batch_go_on_in_another_order(lively: Coach, dialogues: list[Dialogue]) -> None:
    generator = PrefixGenerator(lively)
    for dialogue, reply in zip(
        dialogues,
        generator.generate([one.ask(QUESTIONS[0]) for one in dialogues], SHORT),
        strict=True,
    ):
        dialogue.answered(reply.text)
    asked = [dialogues[number].ask(QUESTIONS[1]) for number in (3, 0)]
    replies = generator.generate(asked, SHORT)
    assert [reply.text for reply in replies] == [plainly(lively, one) for one in asked]


def test_an_answer_other_than_that_written_is_read_again(
    lively: Coach, make_frames: MakeFrames
) -> None:
    generator = PrefixGenerator(lively)
    dialogue = Dialogue((make_frames(8),))
    generator.generate([dialogue.ask(QUESTIONS[0])], SHORT)
    dialogue.answered("It is the squat.")
    asked = dialogue.ask(QUESTIONS[1])
    assert generator.generate([asked], SHORT)[0].text == plainly(lively, asked)


def test_another_video_under_the_same_words_is_looked_at(
    lively: Coach, make_frames: MakeFrames
) -> None:
    generator = PrefixGenerator(lively)
    clips = [make_frames(16, seed=1), make_frames(16, seed=2), make_frames(16, seed=2, fps=6.0)]
    asked = [Dialogue((clip,)).ask(QUESTIONS[0]) for clip in clips]
    answers = [generator.generate([one], SHORT)[0].text for one in asked]
    assert answers == [plainly(lively, one) for one in asked]
    assert len(set(answers)) == 3, "answers that tell the clips apart, and their times"


def test_only_exact_beginnings_are_shared(lively: Coach, make_frames: MakeFrames) -> None:
    def rows(seed: int, *questions: str) -> list[Any]:
        video = (make_frames(4, seed=seed),)
        asked = [[{"role": "user", "content": question}] for question in questions]
        return [encode_prompt(lively.processor, video, one) for one in asked]

    video_token = lively.processor.video_token_id
    (known,) = rows(1, "Which exercise is this?")
    ids = np.array(known.input_ids)
    read = ReadRows([ids], [np.arange(len(ids))], [known.vision], None)
    same, longer, other = rows(1, "Which exercise is this?", "Which exercise was it?", "How?")
    first_video = known.input_ids.index(video_token)
    start = best_start(read, [same, longer, other], video_token)
    assert start.counts[0] == len(known) - 1, "the last token tells the next one"
    assert first_video + 32 < start.counts[2] < start.counts[1] < len(known) - 1
    (unlike,) = rows(2, "Which exercise is this?")
    assert best_start(read, [unlike], video_token).counts == [first_video]
    assert shared_length([known, unlike], video_token) == first_video


def test_an_answer_that_is_cut_says_so(
    lively: Coach, make_frames: MakeFrames, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = lively.processor.tokenizer.convert_tokens_to_ids("<|im_end|>")
    forward, steps = lively.model.lm_head.forward, []

    def the_first_ends_after_three(hidden: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = forward(hidden)
        steps.append(1)
        if len(steps) == 4:
            scores[0, ..., end] = 1e4
        return scores

    asked = [Dialogue((make_frames(4, seed=seed),)).ask("How?") for seed in (1, 2)]
    monkeypatch.setattr(lively.model.lm_head, "forward", the_first_ends_after_three)
    replies = PrefixGenerator(lively).generate(asked, SHORT)
    assert [reply.cut for reply in replies] == [False, True]
    assert all(isinstance(reply, Reply) and reply.text for reply in replies)


def test_nothing_is_kept_after_forgetting(
    lively: Coach, make_frames: MakeFrames, read: list[int]
) -> None:
    generator = PrefixGenerator(lively)
    asked = Dialogue((make_frames(16),), RULES).ask(QUESTIONS[0])
    before = generator.generate([asked], SHORT)
    whole = sum(read[:2])
    read.clear()
    generator.generate([asked], SHORT)
    assert read[0] == 1
    generator.forget()
    read.clear()
    assert generator.generate([asked], SHORT) == before
    assert sum(read[:2]) == whole
