"""`python -m reproduce`: from the data to the paper's Figures 6, 7 and 8, and what it takes.

python -m reproduce run --flex PATH           # prepare, check, dialogues, training, reports, page
python -m reproduce run                       # the same on simulated people, minutes
python -m reproduce page                      # the page again
python -m reproduce plan                      # the same as python -m flex plan
"""

from flex import cli
from reproduce import commands, plan_command

app = cli.new_app("Run the whole of FLEX, and say beforehand what it costs.")
app.command("run")(commands.run_command)
app.command("page")(commands.page_command)
app.command("plan")(plan_command.plan_command)

if __name__ == "__main__":
    cli.run(app)
