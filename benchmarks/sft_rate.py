"""How fast our training of the tiny coach is beside plain transformers, and what the caches bring.

The same model, LoRA, clips, frames, dialogues, batch and number of steps in every way, in turn,
several rounds in one run; the median of the rounds counts. Plain is `transformers.Trainer` whose
collator decodes the clips, as is usual, with our decoder, which makes it no slower. The clips are
FLEX-Sim's, filmed for this.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

BATCH = 8
STEPS, WARM, ROUNDS = 10, 3, 3
SETTINGS = ["--subjects", "4", "--actions", "A01,A08,A16", "--reps", "2", "--views", "1"]
OURS = "ours: frames and features cached"
WAYS = {
    "plain Trainer, decodes in the collator": (False, "decode"),
    "plain Trainer, the same in 2 workers": (False, "workers"),
    "ours, no cache": (True, "decode"),
    "ours, frames cached on disk": (True, "frames"),
    OURS: (True, "features"),
}


@dataclass
class Clock:
    """Times the steps of any trainer, by when each begins to fetch its batches.

    Attributes:
        begun: when each step began.
        waited: seconds each step waited for its batches.
    """

    begun: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def watch(self, trainer: Any) -> None:
        """Put the clock between a trainer and its batches."""
        fetch = trainer.get_batch_samples

        def timed(*args: Any, **settings: Any) -> Any:
            self.begun.append(time.perf_counter())
            batches = fetch(*args, **settings)
            self.waited.append(time.perf_counter() - self.begun[-1])
            return batches

        trainer.get_batch_samples = timed

    def readings(self, warm: int) -> tuple[float, float]:
        """Return the mean step in seconds and the share of it spent waiting, after warming up."""
        spent = self.begun[-1] - self.begun[warm]
        return spent / (len(self.begun) - 1 - warm), sum(self.waited[warm:-1]) / spent


def run(console: Console, steps: int = STEPS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure step time, samples a second and waiting of every way."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        clips, base = prepare_input(root)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
        for number in range(rounds):
            for name, (ours, source) in WAYS.items():
                clock = Clock()
                trainer = make(root / f"{number}", base, clips, ours, source, steps)
                clock.watch(trainer)
                trainer.train()
                found[name].append(clock.readings(WARM))
    results = {
        name: {
            "step_ms": round(1000 * median(step for step, _ in rows), 1),
            "samples_per_s": round(BATCH / median(step for step, _ in rows), 2),
            "data_wait_percent": round(100 * median(wait for _, wait in rows), 2),
        }
        for name, rows in found.items()
    }
    plain, *_ = WAYS
    table = Table("way", "ms a step", "samples/s", "waits for data", "ratio to plain")
    table.title = f"Tuning the tiny coach, batches of {BATCH}, 16 frames of 112 pixels"
    for name, one in results.items():
        one["ratio"] = round(one["samples_per_s"] / results[plain]["samples_per_s"], 2)
        cells = (f"{one['step_ms']:.0f}", f"{one['samples_per_s']:.1f}")
        table.add_row(name, *cells, f"{one['data_wait_percent']:.1f} %", f"× {one['ratio']:.2f}")
    console.print(table)
    no_cache, cached = results["ours, no cache"], results["ours, frames cached on disk"]
    gain = round(cached["samples_per_s"] / no_cache["samples_per_s"], 2)
    console.print(f"frame cache against no cache: × {gain:.2f}")
    return {"ways": results, "frame_cache_gain": gain, "batch": BATCH, "clips": len(clips)}


def prepare_input(root: Path) -> tuple[list[Any], Path]:
    """Film clips, write their dialogues, and save a random coach of the shipped one's shape."""
    from sft.data import Clip
    from vlm.dialogues import read_dialogues
    from vlm.tiny import build_model, build_processor

    data, out, base = root / "data", root / "qa", root / "base"
    module = [sys.executable, "-m"]
    subprocess.run([*module, "sim", "--out", str(data), *SETTINGS], check=True, capture_output=True)
    command = ["qa_gen", "generate", "--data", str(data), "--out", str(out)]
    subprocess.run([*module, *command, "--writer", "template"], check=True, capture_output=True)
    records = read_dialogues(out / "dialogues.jsonl")
    records = records[: len(records) // BATCH * BATCH]
    texts = [text for one in records for turn in one.turns for text in (turn.question, turn.answer)]
    processor = build_processor(texts)
    build_model(processor.tokenizer).save_pretrained(base)
    processor.save_pretrained(base)
    return [Clip(record, "View-1", data) for record in records], base


def make(folder: Path, base: Path, clips: list[Any], ours: bool, source: str, steps: int) -> Any:
    """Return a trainer of one way.

    Args:
        folder: where caches and runs lie.
        base: the model's folder.
        clips: what to train on.
        ours: our trainer, or transformers' own.
        source: "decode" each time, "workers" the same in two of them, "frames" from the cache on
            disk, or "features" as `configs/sft/tiny.yaml` has it.
        steps: how many optimizer steps.
    """
    import torch

    from sft.bench_input import Decoding
    from sft.build import make_trainer
    from sft.data import Dialogues, prepare
    from sft.lora import add_lora
    from sft.recipe import Recipe
    from vlm.model import load_coach

    cache = folder / "features" if source == "features" else None
    recipe = Recipe(
        model=str(base), device="cpu", batch=BATCH, accumulate=1, steps=steps, lr=1e-3,
        rank=16, alpha=32, frame_cache=folder / "frames", feature_cache=cache,
    )  # fmt: skip
    coach = load_coach(base, sampler=recipe.sampler, device="cpu")
    coach.model.requires_grad_(False)
    torch.manual_seed(0)
    if not ours:
        return _plain(folder, recipe, coach, clips, workers=2 if source == "workers" else 0)
    prepared = prepare(recipe, coach, clips)
    model = add_lora(coach.model, recipe)
    if source == "decode":
        kept: Any = Decoding(clips, recipe, coach.processor)
    elif source == "frames":
        kept = Dialogues(clips, recipe, coach, kept_bytes=0)
    else:
        kept = prepared.dataset
    trainer = make_trainer(recipe, coach, model, replace(prepared, dataset=kept), folder, steps)
    trainer.args.set_save(strategy="no")
    return trainer


def _plain(folder: Path, recipe: Any, coach: Any, clips: list[Any], workers: int) -> Any:
    """Return transformers' own trainer; data set items are clips, and the collator decodes."""
    from peft import LoraConfig, get_peft_model
    from transformers import Trainer, TrainingArguments
    from transformers.trainer_callback import PrinterCallback

    from sft.bench_input import Decoding
    from sft.lora import SCOPES
    from vlm.collate import Collator

    examples = Decoding(clips, recipe, coach.processor)
    together = Collator.of(coach.processor)

    def collate(rows: list[int]) -> dict[str, Any]:
        batch = together([examples[row] for row in rows])
        del batch["stage_ids"]
        return batch

    lora = LoraConfig(r=recipe.rank, lora_alpha=recipe.alpha, target_modules=SCOPES["llm"])
    trainer = Trainer(
        model=get_peft_model(coach.model, lora),
        args=TrainingArguments(
            output_dir=str(folder / "plain"),
            per_device_train_batch_size=recipe.batch,
            max_steps=recipe.steps,
            learning_rate=recipe.lr,
            dataloader_num_workers=workers,
            dataloader_pin_memory=False,
            remove_unused_columns=False,
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
        ),
        train_dataset=list(range(len(clips))),
        data_collator=collate,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer
