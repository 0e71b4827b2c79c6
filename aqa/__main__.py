"""`python -m aqa`: scores lifts.

python -m aqa train --config configs/aqa/mv.yaml                # CoRe on two cameras, FLEX-Sim
python -m aqa train --config configs/aqa/graph.yaml             # errors first, the score from them
python -m aqa practise                                          # the weights of start=FOLDER
python -m aqa features --config configs/aqa/mv.yaml --jobs 8      # beforehand, on many machines
python -m aqa predict runs/aqa/mv --data ROOT                   # predictions.jsonl
python -m aqa score A16/007 --run runs/aqa/graph                # one clip
python -m aqa hybrid runs/aqa/graph runs/aqa/mv                  # CoRe as a second opinion
python -m aqa evaluate runs/aqa/mv runs/aqa/graph               # a report of runs
python -m aqa ablate runs/aqa/graph                             # what each stream is worth
"""

from aqa import ablate_command, commands, evaluate_command, features_command, hybrid_command
from flex import cli

app = cli.new_app(
    "Scores lifts: CoRe compares a clip with others; the graph head tells errors, and Eq. 1 scores."
)
app.command("train")(commands.train)
app.command("practise")(commands.practise)
app.command("features")(features_command.features)
app.command("predict")(commands.predict)
app.command("score")(commands.score)
app.command("hybrid")(hybrid_command.join)
app.command("evaluate")(evaluate_command.evaluate)
app.command("ablate")(ablate_command.ablate)

if __name__ == "__main__":
    cli.run(app)
