"""What a body does over time: the one thing that video, skeleton and signals are made from.

World axes, metres: x is where the person faces when standing (lying on the back, towards the
feet), y is the person's left, z is up, the floor is z = 0 and the middle of the stance is near
the origin.
"""

from dataclasses import dataclass
from typing import Literal

from sim.study import Floats

Equipment = Literal["barbell", "dumbbell", "T-bar"]
SIDES = ("right", "left")


@dataclass(frozen=True)
class Bench:
    """A bench under a lying or seated person.

    Attributes:
        seat: (3,) the point under the hips, on the top of the pad.
        back_deg: how steeply the back rest rises towards the head: 0 flat, 30 incline, −15
            decline, about 80 for a seat with a backrest.
        back_m: length of the back pad.
    """

    seat: Floats
    back_deg: float
    back_m: float


@dataclass(frozen=True)
class Motion:
    """A body and its equipment over T times.

    Attributes:
        times_s: (T,) seconds from the start of the clip.
        joints: (T, 21, 3) joints of `flex.skeleton`, metres.
        lumbar: (T, 3) the middle of the spine, which bends in ways the 21 joints do not show.
        handles: (T, 2, 3) unit axis of what each hand holds, right then left. A bar's axis is
            the same in both; the handle's middle is the hand joint.
        palms: (T, 2, 3) unit normal of each palm, pointing out of the palm, right then left.
        thumbs: (T,) 0 where thumbs close around the handle, 1 where the grip is open.
        equipment: what is held.
        load_kg: of a bar with its plates, or of one dumbbell.
        bench: what the person lies or sits on.
        pivot: (3,) the floor end of a T-bar.
    """

    times_s: Floats
    joints: Floats
    lumbar: Floats
    handles: Floats
    palms: Floats
    thumbs: Floats
    equipment: Equipment
    load_kg: float
    bench: Bench | None = None
    pivot: Floats | None = None
