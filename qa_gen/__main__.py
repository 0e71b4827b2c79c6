"""`python -m qa_gen`: FLEX-VideoQA from annotations and the knowledge graph.

python -m qa_gen dataset --data ROOT --out RUN     # generate, check, export, show
python -m qa_gen show RUN                          # a summary and one dialogue
"""

from flex import cli
from qa_gen import commands

app = cli.new_app(
    "Turns annotations and the knowledge graph into checked FLEX-VideoQA dialogues: "
    "recognise → standard → evaluate → score."
)
app.command("dataset")(commands.dataset)
app.command("generate")(commands.generate_command)
app.command("check")(commands.check)
app.command("export")(commands.export_command)
app.command("show")(commands.show)

if __name__ == "__main__":
    cli.run(app)
