"""`python -m flex`: look at the knowledge graph, score errors, check and import data, view a clip.

python -m flex graph show A16
python -m flex score --action A01 --errors AK01:ET001 AK02:ET006
python -m flex data check ROOT
python -m flex view A16/003 --data ROOT
python -m flex prepare RAW --out ROOT
python -m flex plan

Rooms that build on this one add their commands as entry points (`flex.commands` in pyproject.toml),
so nothing is imported from them here.
"""

from importlib.metadata import entry_points

from flex import cli, cli_data, cli_graph, cli_score, cli_view

app = cli.new_app("The FLEX domain: knowledge graph, score and data.")
app.add_typer(cli_graph.app, name="graph")
app.add_typer(cli_data.app, name="data")
app.command("score", context_settings=cli_score.CONTEXT)(cli_score.score_command)
app.command("view")(cli_view.view_command)
for added in sorted(entry_points(group="flex.commands"), key=lambda point: point.name):
    app.command(added.name)(added.load())

if __name__ == "__main__":
    cli.run(app)
