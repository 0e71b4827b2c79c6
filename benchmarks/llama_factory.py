"""How fast our training of the tiny coach is beside LLaMA-Factory's, and what both learn.

    python -m benchmarks.llama_factory --env runs/bench/llama-factory/env

Needs `make qa-dataset` and the clips of FLEX-Sim. LLaMA-Factory comes from PyPI into an environment
of its own, which is made if it is not there. Both tune the same model by the same LoRA on the same
dialogues, frames a clip, batch and steps, one after the other, in turn, several rounds; the first
steps do not count. The step times are read out of the logs that both write.
"""

import json
import os
import subprocess
import sys
import time
import venv
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from flex import cli
from flex.files import write_text
from flex.problems import InputError, Problem

PACKAGE = "llamafactory"
CONFIG = Path("configs/sft/tiny.yaml")
BATCH, WARM = 8, 5
app = cli.new_app("Tuning the tiny coach beside LLaMA-Factory.")


@app.command()
def compare(
    env: Annotated[Path, typer.Option(help="LLaMA-Factory's environment.")] = Path(
        "runs/bench/llama-factory/env"
    ),
    data: Annotated[Path, typer.Option(help="Folder of the clips.")] = Path("data/flex-sim"),
    dialogues: Annotated[Path, typer.Option(help="What `python -m qa_gen` wrote.")] = Path(
        "runs/qa/dialogues.jsonl"
    ),
    out: Annotated[Path, typer.Option(help="Where runs and results go.")] = Path(
        "runs/bench/llama-factory"
    ),
    steps: Annotated[int, typer.Option(help="Optimizer steps of each run.", min=10)] = 40,
    rounds: Annotated[int, typer.Option(help="Runs of each.", min=1)] = 2,
) -> None:
    """Tune with both, in turn, and print samples a second and losses."""
    python = install(env)
    recipe = yaml.safe_load(CONFIG.read_text("utf-8"))
    export(dialogues, data, out / "data")
    found: dict[str, list[dict[str, Any]]] = {"LLaMA-Factory": [], "ours": []}
    for number in range(rounds):
        found["LLaMA-Factory"].append(theirs(python, recipe, out, f"theirs-{number}", steps))
        found["ours"].append(ours(dialogues, data, out / f"ours-{number}", steps))
    rates = {name: median(run["samples_per_s"] for run in runs) for name, runs in found.items()}
    ratio = rates["ours"] / rates["LLaMA-Factory"]
    table = Table("", "samples/s", "before the first step", "loss at a quarter, half, end")
    table.title = f"Tuning the tiny coach, batches of {BATCH}, {steps} steps, median of {rounds}"
    for name, runs in found.items():
        losses = runs[0]["losses"]
        marks = [losses[len(losses) * part // 4 - 1] for part in (1, 2, 4)]
        table.add_row(
            name,
            f"{rates[name]:.2f}",
            f"{median(run['before_s'] for run in runs):.0f} s",
            "  ".join(f"{loss:.3f}" for loss in marks),
        )
    console = Console()
    console.print(table)
    console.print(f"ours against LLaMA-Factory: × {ratio:.2f}")
    result = {"steps": steps, "ratio": round(ratio, 2), "runs": found}
    write_text(out / "results.json", json.dumps(result, indent=1) + "\n")


def install(env: Path) -> Path:
    """Return the Python of an environment with LLaMA-Factory, which is made if it is missing."""
    python = env / "bin" / "python"
    if not python.exists():
        venv.create(env, with_pip=True)
    if subprocess.run([python, "-c", f"import {PACKAGE}"], capture_output=True).returncode:
        cli.err.print(f"installing {PACKAGE} into {env}; this takes some minutes")
        subprocess.run([python, "-m", "pip", "install", "-q", PACKAGE], check=True)
    return python.absolute()


def export(dialogues: Path, data: Path, folder: Path) -> None:
    """Write the dialogues of the training people in LLaMA-Factory's form, with one view."""
    from qa_gen.dialogue import Dialogue
    from qa_gen.export_chat import dataset_info, sharegpt_record

    lines = []
    for line in dialogues.read_text("utf-8").splitlines():
        dialogue = Dialogue.model_validate_json(line)
        if dialogue.split == "train":
            view = {"View-1": str((data / dialogue.views["View-1"]).absolute())}
            lines.append(json.dumps(sharegpt_record(dialogue.model_copy(update={"views": view}))))
    if not lines:
        raise InputError([Problem(str(dialogues), "holds no dialogue of the split train")])
    write_text(folder / "train.jsonl", "\n".join(lines) + "\n")
    write_text(folder / "dataset_info.json", json.dumps(dataset_info(["train"])))


def theirs(
    python: Path, recipe: dict[str, Any], out: Path, name: str, steps: int
) -> dict[str, Any]:
    """Tune with LLaMA-Factory; return samples a second, losses, and seconds before the first."""
    settings = {
        "model_name_or_path": str(Path(recipe["model"]).absolute()),
        "trust_remote_code": False,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora",
        "lora_rank": recipe["rank"],
        "lora_alpha": recipe["alpha"],
        "lora_target": "all",
        "freeze_vision_tower": True,
        "freeze_multi_modal_projector": True,
        "dataset_dir": str((out / "data").absolute()),
        "dataset": "flex_videoqa_train",
        "template": "qwen2_vl",
        "cutoff_len": recipe["max_tokens"],
        "video_max_pixels": recipe["pixels"],
        "video_min_pixels": recipe["pixels"],
        "video_fps": 100.0,  # as many as there are; video_maxlen takes its uniform share
        "video_maxlen": recipe["frames"],
        "overwrite_cache": True,
        "output_dir": str((out / name).absolute()),
        "overwrite_output_dir": True,
        "per_device_train_batch_size": recipe["batch"],
        "gradient_accumulation_steps": recipe["accumulate"],
        "learning_rate": recipe["lr"],
        "lr_scheduler_type": recipe["schedule"],
        "warmup_steps": round(recipe["warmup"] * steps),
        "max_grad_norm": recipe["clip"],
        "max_steps": steps,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "seed": 0,
    }
    config = out / f"{name}.yaml"
    write_text(config, yaml.safe_dump(settings))
    log = out / name / "trainer_log.jsonl"
    log.unlink(missing_ok=True)
    command = [python.with_name("llamafactory-cli"), "train", config]
    seconds = _run(command, out / f"{name}.log")
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    steps_logged = [row for row in rows if "loss" in row]
    times = [_seconds(row["elapsed_time"]) for row in steps_logged]
    counted = len(times) - WARM
    return {
        "samples_per_s": BATCH * counted / (times[-1] - times[WARM - 1]),
        "before_s": seconds - times[-1],
        "losses": [row["loss"] for row in steps_logged],
    }


def ours(dialogues: Path, data: Path, run: Path, steps: int) -> dict[str, Any]:
    """Tune with `python -m sft`, nothing cached before; return the same."""
    caches = run / "cache"
    command: list[str | Path] = [sys.executable, "-m", "sft", "train", "--config", CONFIG]
    command += ["--data", data, "--dialogues", dialogues, "--out", run / "adapter"]
    for setting in (
        f"steps={steps}",
        "log_every=1",
        f"frame_cache={caches / 'frames'}",
        f"feature_cache={caches / 'features'}",
        f"save_every={steps}",
    ):
        command += ["--set", setting]
    if run.exists():
        import shutil

        shutil.rmtree(run)
    seconds = _run(command, run.with_suffix(".log"))
    text = (run / "adapter" / "metrics.jsonl").read_text("utf-8")
    rows = [row for row in map(json.loads, text.splitlines()) if "samples_per_s" in row]
    each = [BATCH / row["samples_per_s"] for row in rows]
    return {
        "samples_per_s": BATCH * (len(each) - WARM) / sum(each[WARM:]),
        "before_s": seconds - sum(each),
        "losses": [row["loss"] for row in rows],
    }


def _run(command: list[Any], log: Path) -> float:
    """Run a command with its output in a file; return how long it took."""
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as stream:
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "DISABLE_VERSION_CHECK": "1"}
        done = subprocess.run(
            [str(word) for word in command], stdout=stream, stderr=stream, env=environment
        )
    if done.returncode:
        raise InputError([Problem(str(log), "the run failed; its last lines say why")])
    return time.monotonic() - began


def _seconds(clock: str) -> float:
    """Return the seconds of "0:01:05"."""
    hours, minutes, seconds = (float(part) for part in clock.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()


if __name__ == "__main__":
    cli.run(app)
