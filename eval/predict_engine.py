"""A mode asked by many workers, each with a replica of the model: processes here, or Ray.

    told = ask_workers(mode, plan, Replica(...), where=Engine(ray="auto"), gpus=1)

The workers ask the same batches as one process does, so the answers are the same. What they answer
goes into the run's cache; the mode is then read off it by `eval.predict`, which loads no model.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.lists import Quarantined
from engine.run import run_all
from engine.where import Engine
from eval.predict_cache import AnswerCache
from eval.predict_dialogue import Asker, Responder
from eval.predict_plan import Plan, clips_of, rules_of
from flex.files import hash_text, read_jsonl
from flex.problems import InputError, Problem
from flex.video import Sampler
from vlm.cache import FrameCache
from vlm.card import CARD
from vlm.dialogues import DialogueRecord, view_path
from vlm.fingerprint import weights_fingerprint
from vlm.generate import Conversation, Decoding, Reply
from vlm.weights import find_model

Batch = tuple[DialogueRecord, ...]


@dataclass(frozen=True)
class Replica:
    """What each worker loads; see `eval.predict_model.open_local`."""

    model: str
    adapter: Path | None
    sampler: Sampler | None
    tuned: bool

    @property
    def everywhere(self) -> "Replica":
        """The same with whole paths: a worker may run in another folder."""
        folder = Path(self.model)
        model = str(folder.absolute()) if folder.is_dir() else self.model
        return replace(self, model=model, adapter=self.adapter and self.adapter.absolute())

    def fingerprint(self) -> str:
        """Return a hash of weights, cards and sampler."""
        folders = [find_model(self.model), *([self.adapter] if self.adapter else [])]
        cards = [f / CARD for f in folders if (f / CARD).exists()]
        asked = self.sampler.fingerprint() if self.sampler else ""
        return hash_text(
            *map(weights_fingerprint, folders),
            *(card.read_text("utf-8") for card in cards),
            asked,
            str(self.tuned),
        )


@dataclass(frozen=True)
class AskBatch:
    """The work: all questions about a batch of clips, with the answers left in a cache's file."""

    mode: str
    plan: Plan
    replica: Replica

    def __call__(self, batch: Batch, folder: Path) -> dict[str, Any]:
        """Ask; return what the driver has to know of the model."""
        responder, sampler = self._opened
        plan = replace(self.plan, records=batch)
        frames = FrameCache(plan.frames)
        rules = rules_of(responder, sampler, plan) if self.mode == "prompted" else None
        clips, _ = clips_of(plan, frames, sampler)
        with AnswerCache(folder / answers_file(self.mode, batch)) as cache:
            asker = Asker(
                mode=self.mode,
                view=plan.view,
                responder=responder,
                frames=frames,
                sampler=sampler,
                cache=cache,
                decoding=plan.decoding,
                rules=rules,
                step=lambda *_: None,
            )
            for _ in asker.ask_all(clips, plan.batch):
                pass
        return {
            "weights": responder.weights,
            "context": responder.context,
            "rule_tokens": 0 if rules is None else rules.tokens,
            "sampler": sampler.model_dump(mode="json"),
        }

    @cached_property
    def _opened(self) -> tuple[Responder, Sampler]:
        from eval.predict_model import open_local

        one = self.replica
        features = self.plan.features
        return open_local(one.model, one.adapter, one.sampler, tuned=one.tuned, features=features)


@dataclass(frozen=True)
class Told:
    """Stands for the workers' model, now that its answers are in the cache.

    Attributes:
        sampler: the frames that it saw.
        fresh: how many answers are new.
        rule_tokens: how long the rules of all actions are, in tokens.
        quarantined: the batches that no worker could answer.
        most: not known here; each worker finds out for itself.
    """

    weights: str
    context: int | None
    sampler: Sampler
    fresh: int
    rule_tokens: int
    quarantined: tuple[Quarantined, ...]
    most: int | None = None

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[Reply]:
        """Raise an `InputError`: an answer that is not in the cache is one that nobody gave."""
        raise InputError(_problems(self.quarantined))

    def count_tokens(self, text: str) -> int:
        """Return the length of the rules, which is all that is counted here."""
        return self.rule_tokens


def ask_workers(
    mode: str, plan: Plan, replica: Replica, *, where: Engine, gpus: float = 0.0
) -> Told:
    """Have workers answer every question of a mode, and keep the answers in the run's cache.

    Data, model, `plan.out` and `plan.cache` have to be readable under the same paths on every node.

    Raises:
        InputError: none of the clips is there, or no batch could be answered.
    """
    plan = replace(plan, data=plan.data.absolute(), out=plan.out.absolute())
    plan = replace(plan, cache=plan.cache.absolute())
    replica = replica.everywhere
    hashes = _clip_hashes(plan)
    present = [record for record in plan.records if record.clip in hashes]
    batches = [tuple(present[at : at + plan.batch]) for at in range(0, len(present), plan.batch)]
    same = [replica.fingerprint(), plan.decoding.fingerprint(), plan.graph.version, plan.view]

    def stamp(batch: Batch) -> str:
        return hash_text(*same, *(r.model_dump_json() + hashes[r.clip] for r in batch))

    outcome = run_all(
        batches,
        AskBatch(mode, replace(plan, records=()), replica),
        where=where,
        out=plan.out,
        log=plan.out / "engine" / mode,
        key=lambda batch: batch[0].clip,
        stamp=stamp,
        title=f"{mode}, batches",
        gpus=gpus,
    )
    model = next((result for _, result in outcome.results()), None)
    if model is None:
        raise InputError(_problems(outcome.quarantined) or [Problem("clips", "none is there")])
    fresh = _gather(plan.out, [plan.out / answers_file(mode, batch) for batch in batches])
    sampler = Sampler.model_validate(model.pop("sampler"))
    return Told(sampler=sampler, fresh=fresh, quarantined=outcome.quarantined, **model)


def answers_file(mode: str, batch: Batch) -> str:
    """Return the name, under the run's folder, of the file with a batch's answers."""
    return f"engine/{mode}/{hash_text(batch[0].clip)}.jsonl"


def _gather(out: Path, files: Sequence[Path]) -> int:
    """Put the workers' answers into the run's cache; return how many are new."""
    fresh = 0
    with AnswerCache(out / "cache.jsonl") as cache:
        for file in filter(Path.exists, files):
            for _, row in read_jsonl(file):
                if isinstance(row, dict) and cache.get(row["key"]) is None:
                    cache.put(row["key"], Reply(row["answer"], cut="cut" in row))
                    fresh += 1
    return fresh


def _clip_hashes(plan: Plan) -> dict[str, str]:
    """Return the hash of each clip whose file is there; `eval.predict` names the others."""
    frames, hashes = FrameCache(plan.frames), {}
    for record in plan.records:
        with suppress(InputError):
            hashes[record.clip] = frames.clip_hash(view_path(plan.data, record, plan.view))
    return hashes


def _problems(quarantined: Sequence[Quarantined]) -> list[Problem]:
    return [Problem(f"the batch from {row.key} on", row.reason) for row in quarantined]
