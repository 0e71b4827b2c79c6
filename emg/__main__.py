"""`python -m emg`: tells from video or skeleton how strongly each muscle works.

python -m emg train --config configs/emg/small.yaml      # FLEX-Sim, on a CPU
python -m emg features --config RECIPE --jobs 8          # beforehand, on many machines
python -m emg evaluate runs/emg/small                    # a report, beside the baselines
python -m emg predict A16/007 --run runs/emg/small       # CSV, picture and film of one clip
python -m emg signal EMG.csv --figure chain.png          # raw, filtered, envelope
"""

from emg import commands, features_command, signal_command
from flex import cli

app = cli.new_app("Video2EMG: how strongly each muscle works, told from video or skeleton.")
app.command("train")(commands.train)
app.command("features")(features_command.features)
app.command("evaluate")(commands.evaluate)
app.command("predict")(commands.predict)
app.command("signal")(signal_command.signal)

if __name__ == "__main__":
    cli.run(app)
