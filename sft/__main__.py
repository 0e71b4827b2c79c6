"""`python -m sft`: fine-tunes the coach with LoRA.

python -m sft auto                                              # what suits this machine
python -m sft train --config configs/sft/tiny.yaml --set lr=1e-3 --out runs/sft/mine
python -m sft rehearse --config configs/sft/best.yaml           # does it fit, when is it done
python -m sft merge runs/sft/mine --out runs/merged             # a model without adapter
python -m sft bench                                             # what each optimisation brings
torchrun --nproc_per_node 2 -m sft train --config configs/sft/best.yaml
"""

from flex import cli
from sft import commands

app = cli.new_app("Tunes Qwen2.5-VL to coach: a recipe, dialogues and clips in, an adapter out.")
app.command("train")(commands.train)
app.command("rehearse")(commands.rehearse)
app.command("auto")(commands.auto)
app.command("merge")(commands.merge)
app.command("bench")(commands.bench)

if __name__ == "__main__":
    cli.run(app)
