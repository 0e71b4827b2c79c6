"""When an error shows in the clip: what the model says, else where its phase lies, else a guess."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from flex.graph import Graph, Phase
from flex.sample import PhaseSpan

# What a moment comes from: the model's words, known phases, or phases as long as their key steps
# are many.
Source = Literal["said", "known", "estimated"]


class Moment(BaseModel):
    """From when to when, in seconds from the start of the clip, and how that is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start_s: float
    end_s: float
    source: Source


def moment_of(
    graph: Graph,
    action: str,
    phase: Phase,
    duration_s: float | None,
    *,
    spans: Sequence[PhaseSpan] = (),
    said: tuple[float, float] | None = None,
) -> Moment | None:
    """Return when to look for an error of a phase; `None` if the clip's length is not known.

    Args:
        graph: gives the order and number of the action's key steps.
        action: id of the action.
        phase: the phase of the error's key step.
        duration_s: length of the clip, in seconds.
        spans: where the phases lie, if known; they win over the estimate.
        said: start and end that the model gives, in seconds; they win if they lie in the clip.
    """
    if said and (duration_s is None or said[0] < duration_s):
        end = said[1] if duration_s is None else min(said[1], duration_s)
        return Moment(start_s=said[0], end_s=end, source="said")
    known = [span for span in spans if span.phase == phase]
    if known:
        start, end = min(s.start_s for s in known), max(s.end_s for s in known)
        return Moment(start_s=start, end_s=end, source="known")
    if duration_s is None:
        return None
    phases = [graph.key_steps[step].phase for step in graph.actions[action].key_steps]
    places = [number for number, one in enumerate(phases) if one == phase]
    step_s = duration_s / len(phases)
    start, end = round(places[0] * step_s, 2), round((places[-1] + 1) * step_s, 2)
    return Moment(start_s=start, end_s=end, source="estimated")
