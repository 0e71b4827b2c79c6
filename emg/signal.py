"""From a clip's raw sEMG to the envelope of each muscle at each frame of its video.

    seen = clip_envelopes(clip, graph, times_s, SignalSettings())
    seen.values, seen.recorded        # (T, 18) in the unit of the file, (18,)
    seen.excluded                     # channels left out, with the reason

Filter, rectify, average, align: `flex.semg` and `flex.semg_frames`. Channels that are clipped,
flat, full of hum or lost (`flex.semg_flags`) do not count; two electrodes of one muscle count by
their mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from flex.dataset import Clip, SemgSignal, clip_semg
from flex.graph import Graph
from flex.number_table import Floats
from flex.problems import InputError, Problem
from flex.semg import WINDOW_S, Average
from flex.semg_columns import by_muscle
from flex.semg_flags import flags, usable_channels
from flex.semg_frames import even_times, frame_envelope


class SignalSettings(BaseModel):
    """How an envelope is made (`flex.semg.envelope`).

    The paper's plain moving average (section 8.3) is `average="mean", band_pass=False`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    average: Average = "rms"
    window_s: float = Field(default=WINDOW_S, gt=0)
    band_pass: bool = True
    notch_hz: float | None = Field(default=None, gt=0)
    sample_rate_hz: float | None = Field(
        default=None, gt=0, description="Of files whose records do not state it."
    )


@dataclass(frozen=True, eq=False)
class MuscleEnvelopes:
    """What a clip's sEMG tells of the 18 muscles.

    Attributes:
        values: (T, 18) float, in the unit of the file; 0 where nothing was recorded.
        recorded: (18,) bool, false also where all channels of a muscle were left out.
        excluded: channels left out: file and channel, and why.
    """

    values: Floats
    recorded: NDArray[np.bool_]
    excluded: tuple[Problem, ...]


def clip_envelopes(
    clip: Clip,
    graph: Graph,
    times_s: Sequence[float] | Floats | int,
    settings: SignalSettings,
) -> MuscleEnvelopes:
    """Return the envelopes of a clip's muscles at the frames of its video.

    Args:
        clip: of a data folder.
        graph: says which muscles were recorded, where the record does not.
        times_s: (T,) when each frame was taken, from the start of the clip; or T alone, for frames
            of which only the number is known.
        settings: of the envelope.

    Raises:
        InputError: a clip without sEMG, an unreadable file, a wrong number of columns, a rate that
            nobody states or that is too low for the band, channels that are no muscles of Table 3,
            frames outside the recording.
    """
    signal = clip_semg(clip, graph, settings.sample_rate_hz)
    return muscle_envelopes(signal, times_s, settings, place=str(clip.semg))


def muscle_envelopes(
    signal: SemgSignal,
    times_s: Sequence[float] | Floats | int,
    settings: SignalSettings,
    *,
    place: str = "sEMG",
) -> MuscleEnvelopes:
    """Return the envelopes of the muscles of a recording at the frames of its video.

    Args:
        signal: raw sEMG with named channels.
        times_s: as for `clip_envelopes`.
        settings: of the envelope.
        place: the file, for messages.

    Raises:
        InputError: as for `clip_envelopes`.
    """
    rate_hz = signal.sample_rate_hz
    if isinstance(times_s, int):
        times_s = even_times(times_s, len(signal.values) / rate_hz)
    try:
        course = frame_envelope(
            signal.values,
            rate_hz,
            times_s,
            window_s=settings.window_s,
            average=settings.average,
            band_pass=settings.band_pass,
            notch_hz=settings.notch_hz,
        )
        found = flags(signal.values, rate_hz)
    except ValueError as error:
        raise InputError([Problem(place, str(error))]) from error
    usable = usable_channels(found, len(signal.channels))
    try:
        values, recorded = by_muscle(course, signal.channels, usable)
    except InputError as error:
        raise InputError(
            Problem(f"{place}, {p.place}", p.message) for p in error.problems
        ) from error
    excluded = tuple(
        Problem(f"{place}, {signal.channels[flag.channel]}", flag.message) for flag in found
    )
    return MuscleEnvelopes(values, recorded, excluded)
