"""What the tests of `vlm` share: one dialogue, and the type of the fixture that makes frames."""

from collections.abc import Callable

from flex.video import Frames
from vlm.dialogues import Turn

TURNS = (
    Turn(stage="recognise", question="Which exercise is this?", answer="It is the squat."),
    Turn(stage="standard", question="How is it done well?", answer="Keep your back straight."),
    Turn(stage="evaluate", question="How was mine?", answer="Your knees caved in. Push them out."),
    Turn(stage="score", question="Score me.", answer="I give it 81.5 of 100."),
)
MakeFrames = Callable[..., Frames]
