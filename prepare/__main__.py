"""`python -m prepare`: raw recordings become clips.

python -m prepare clips RAW --out ROOT      # the same as python -m flex prepare
python -m prepare measure RAW               # proposals against true times
"""

from flex import cli
from prepare import commands

app = cli.new_app("Cut raw FLEX recordings of whole sets into clips of the data folder.")
app.command("clips")(commands.prepare_command)
app.command("measure")(commands.measure_command)

if __name__ == "__main__":
    cli.run(app)
