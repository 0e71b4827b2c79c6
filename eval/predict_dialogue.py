"""Asks a model the four questions of each dialogue, in order, a batch of clips at a time.

Each answer of the model, never the reference, goes into what it sees before the next question.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from eval.answers import Answer, Truth
from eval.predict_cache import AnswerCache, Message, answer_key
from eval.predict_rules import Rules
from eval.recognise import recognised_action
from flex.problems import InputError, Problem
from flex.video import Frames, Sampler
from vlm.dialogues import DialogueRecord, Turn
from vlm.generate import Conversation, Decoding, Reply


class Responder(Protocol):
    """A model that answers: local, or behind an endpoint.

    Attributes:
        weights: fingerprint of what answers, adapter included.
        context: how many tokens it takes; `None` where it does not say.
        most: how many conversations fit at once; `None` while it has not run out of memory.
    """

    @property
    def weights(self) -> str:
        """Fingerprint of base and adapter."""

    @property
    def context(self) -> int | None:
        """Longest prompt plus answer, in tokens."""

    @property
    def most(self) -> int | None:
        """How many conversations fit into the memory at once, once that is known."""

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[Reply]:
        """Return one reply for each conversation."""

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text takes."""


class FrameSource(Protocol):
    """Where frames come from: `vlm.cache.FrameCache`, or a test's."""

    def get(self, path: Path, sampler: Sampler, phases: Sequence[Any] = ()) -> Frames:
        """Return the frames of a clip."""


@dataclass
class Clip:
    """A dialogue while it is asked: `messages` grows by a question and an answer a stage.

    Attributes:
        key: hash of the clip's bytes and of how its frames are chosen.
        frames: decoded once, when an answer is not in the cache, and held while its batch is asked.
    """

    record: DialogueRecord
    path: Path
    key: str
    phases: Sequence[Any] = ()
    frames: Frames | None = None
    messages: list[Message] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


@dataclass(frozen=True)
class Asker:
    """Everything that stays the same while one mode is asked.

    Attributes:
        rules: what the mode "prompted" is told; `None` in the other modes.
        step: called with the number of answers that were given, and how many came from the cache.
    """

    mode: str
    view: str
    responder: Responder
    frames: FrameSource
    sampler: Sampler
    cache: AnswerCache
    decoding: Decoding
    rules: Rules | None
    step: Callable[[int, int], None]

    def ask_all(
        self, clips: Sequence[Clip], batch: int
    ) -> Iterator[tuple[list[Answer], list[Problem]]]:
        """Yield what `ask` returns, for `batch` clips at a time, or fewer if no more fit."""
        start = 0
        while start < len(clips):
            size = min(batch, self.responder.most or batch)
            yield self.ask(clips[start : start + size])
            start += size

    def ask(self, clips: Sequence[Clip]) -> tuple[list[Answer], list[Problem]]:
        """Return the answers of a batch of clips in order, and the clips that do not decode."""
        problems: list[Problem] = []
        alive = list(clips)
        for number in range(max(len(clip.record.turns) for clip in clips)):
            asked = [clip for clip in alive if number < len(clip.record.turns)]
            turns = [clip.record.turns[number] for clip in asked]
            broken = self._turn(asked, turns)
            problems += broken.values()
            alive = [clip for clip in alive if clip.record.clip not in broken]
        for clip in clips:
            clip.frames = None  # a split's frames together would fill the memory
        return [answer for clip in alive for answer in clip.answers], problems

    def _turn(self, clips: Sequence[Clip], turns: Sequence[Turn]) -> dict[str, Problem]:
        prompts = [self._prompt(clip, turn) for clip, turn in zip(clips, turns, strict=True)]
        keys = [self._key(clip, prompt) for clip, prompt in zip(clips, prompts, strict=True)]
        missing = [n for n, key in enumerate(keys) if self.cache.get(key) is None]
        broken = self._decode([clips[n] for n in missing])
        missing = [n for n in missing if clips[n].record.clip not in broken]
        if missing:
            asked = [self._conversation(clips[n], prompts[n]) for n in missing]
            given = self.responder.generate(asked, self.decoding)
            for n, reply in zip(missing, given, strict=True):
                self.cache.put(keys[n], reply)
        for n, (clip, turn) in enumerate(zip(clips, turns, strict=True)):
            if clip.record.clip not in broken:
                reply = self.cache.get(keys[n]) or Reply("")
                said = _message("assistant", reply.text)
                clip.messages += [_message("user", turn.question), said]
                clip.answers.append(answer_of(clip.record, turn, reply, self.mode, self.view))
        self.step(len(clips), len(clips) - len(missing) - len(broken))
        return broken

    def _prompt(self, clip: Clip, turn: Turn) -> list[Message]:
        asked = [*clip.messages, _message("user", turn.question)]
        if self.rules is None:
            return asked
        first = clip.answers[0].answer if clip.answers else ""
        action = recognised_action(self.rules.graph, first)
        return [_message("system", self.rules.text(action)), *asked]

    def _key(self, clip: Clip, prompt: Sequence[Message]) -> str:
        return answer_key(
            frames=clip.key,
            messages=prompt,
            weights=self.responder.weights,
            decoding=self.decoding.fingerprint(),
        )

    def _decode(self, clips: Sequence[Clip]) -> dict[str, Problem]:
        broken = {}
        for clip in clips:
            if clip.frames is None:
                try:
                    clip.frames = self.frames.get(clip.path, self.sampler, clip.phases)
                except InputError as error:
                    broken[clip.record.clip] = error.problems[0]
        return broken

    def _conversation(self, clip: Clip, prompt: list[Message]) -> Conversation:
        assert clip.frames is not None
        return Conversation((clip.frames,), prompt)


def answer_of(
    record: DialogueRecord, turn: Turn, reply: Reply, mode: str, view: str | None
) -> Answer:
    """Return an answer beside the truth of its clip."""
    return Answer(
        clip=record.clip,
        action=record.action,
        subject=record.subject,
        skill=record.skill,
        view=view,
        mode=mode,
        stage=turn.stage,
        question=turn.question,
        reference=turn.answer,
        answer=reply.text,
        cut=reply.cut,
        truth=truth_of(record),
    )


def truth_of(record: DialogueRecord) -> Truth:
    """Return what the facts of a dialogue say of its clip."""
    facts = record.facts
    errors, labelled = facts.get("errors", []), facts.get("labelled")
    names = [f"{error['key_step']}:{error['error_type']}" for error in errors]
    times = {
        name: (error["start_s"], error["end_s"])
        for name, error in zip(names, errors, strict=True)
        if error.get("start_s") is not None and error.get("end_s") is not None
    }
    return Truth(
        errors=tuple(dict.fromkeys(names)),
        score=facts.get("score"),
        labelled=None if labelled is None else tuple(map(":".join, labelled)),
        times=times,
    )


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}
