"""`python -m coach`: the pages where people meet the coach, and who may log in to them.

python -m coach add-user FILE NAME          # a login for --auth-file
"""

from coach.account_command import add_user
from flex import cli

app = cli.new_app("Talk to the coach about a video, and review dialogues.")
app.command("add-user")(add_user)


@app.callback()
def _commands() -> None:
    # With a single command, typer would leave its name out.
    pass


if __name__ == "__main__":
    cli.run(app)
