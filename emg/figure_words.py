"""What the pictures say, from prompts/emg/figures.yaml, and how phases are tinted in them."""

from typing import Any

from emg.prediction import Prediction
from flex.dataset import Clip
from flex.graph_file import load_graph
from flex.templates import wording

# Behind curves, where the phases lie.
PHASE_TINTS = {
    "preparation": (243, 241, 234),
    "concentric": (227, 239, 240),
    "eccentric": (241, 233, 243),
}


def words() -> dict[str, Any]:
    """Return all wording of the pictures."""
    return wording("emg/figures.yaml")


def simulated_note(clip: Clip) -> str:
    """Return that a clip is simulated, or nothing."""
    simulated = clip.annotation is not None and clip.annotation.source == "simulated"
    return str(words()["simulated"]) if simulated else ""


def title_of(prediction: Prediction) -> str:
    """Return which exercise and clip a picture shows."""
    known = load_graph().actions.get(prediction.action)
    action = known.name if known else prediction.action
    return str(words()["title"]).format(action=action, clip=prediction.clip)
