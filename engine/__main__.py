"""`python -m engine`: data and checkpoints to and from object storage.

python -m engine copy s3://lab/flex data/flex                      # before a training
python -m engine copy runs/sft/best s3://lab/best --every 300      # beside it
"""

from engine import commands
from flex import cli

app = cli.new_app("Move data and checkpoints between this machine and object storage.")


@app.callback()
def main() -> None:
    """Move data and checkpoints between this machine and object storage."""


app.command("copy")(commands.copy)

if __name__ == "__main__":
    cli.run(app)
