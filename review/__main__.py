"""`python -m review`: experts verify dialogues, by votes in two stages.

python -m review page                          # in a browser
python -m review load runs/qa                  # or again, after the dialogues were made anew
python -m review people ana --role first
python -m review next ana                      # in a terminal; the page does the same
python -m review export --out runs/review/export
"""

import typer

from flex import cli
from flex.account_command import add_user
from review import commands, commands_figures, commands_files, commands_page

app = cli.new_app(
    "Lets experts verify dialogues: three people of the first stage, then three of the second, "
    "and what most of them say stands."
)
app.command("page")(commands_page.page_command)
app.command("load")(commands.load_command)
app.command("people")(commands.people_command)
app.command("next")(commands.next_command)
app.command("decide")(commands.decide_command)
app.command("skip")(commands.skip_command)
app.command("undo")(commands.undo_command)
app.command("progress")(commands_figures.progress)
app.command("agreement")(commands_figures.agreement)
app.command("export")(commands_files.export_command)
app.command("gold")(commands_files.gold)
app.command("feedback")(commands_files.feedback)
label_studio = typer.Typer(help="To and from Label Studio.", no_args_is_help=True)
label_studio.command("to")(commands_files.to_label_studio)
label_studio.command("from")(commands_files.from_label_studio)
app.add_typer(label_studio, name="label-studio")
app.command("add-user")(add_user)
app.command("bench")(commands_figures.bench_command)

if __name__ == "__main__":
    cli.run(app)
