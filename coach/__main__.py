"""`python -m coach`: the page where people meet the coach, and who may log in to it.

python -m coach demo                        # http://127.0.0.1:7860/
python -m coach add-user FILE NAME          # a login for --auth-file
"""

from coach.demo_command import demo
from flex import cli
from flex.account_command import add_user

app = cli.new_app("Talk to the coach about a video.")
app.command("demo")(demo)
app.command("add-user")(add_user)


if __name__ == "__main__":
    cli.run(app)
