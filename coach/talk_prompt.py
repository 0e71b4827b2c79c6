"""What the model is given for one question: the clip, the talk so far, the rules if it is told.

A talk that does not fit into the model's context loses its oldest questions first.
"""

import functools
from collections.abc import Callable, Sequence

from coach.chat import Lift
from coach.talk import Mode, Talker
from eval.predict_rules import Rules, choose_rules
from eval.recognise import recognised_action
from flex.graph import Graph
from qa_gen.dialogue import STAGES
from vlm.chat import Message
from vlm.generate import Conversation, Decoding

# One token of the model is a pair of frames and a square of this side, in pixels.
_TOKEN_SIDE, _TOKEN_FRAMES = 28, 2
# For the marks around each message, and for what a served model counts in another way.
_MARGIN = 256


def conversation_of(
    talker: Talker,
    graph: Graph,
    lift: Lift,
    messages: Sequence[Message],
    mode: Mode,
    decoding: Decoding,
) -> Conversation:
    """Return a conversation that ends with the question in the last message."""
    room = _room(talker, lift, decoding)
    system: list[Message] = []
    if mode == "prompted":
        fits = None if room is None else room - len(STAGES) * decoding.max_new_tokens
        rules = _rules(graph, talker.responder.count_tokens, fits)
        action = lift.user_action or recognised_action(graph, lift.texts(mode).get("recognise", ""))
        system = [{"role": "system", "content": rules.text(action)}]
    kept = list(messages)
    while room is not None and len(kept) > 2 and _tokens(talker, [*system, *kept]) > room:
        # A question goes with its answer.
        kept = kept[2:]
    return Conversation((lift.upload.frames,), [*system, *kept])


def _room(talker: Talker, lift: Lift, decoding: Decoding) -> int | None:
    context = talker.responder.context
    if context is None:
        return None
    count, height, width = (int(size) for size in lift.upload.frames.pixels.shape[:3])
    video = -(-count // _TOKEN_FRAMES) * (height // _TOKEN_SIDE) * (width // _TOKEN_SIDE)
    return context - video - decoding.max_new_tokens - _MARGIN


def _tokens(talker: Talker, messages: Sequence[Message]) -> int:
    return sum(talker.responder.count_tokens(message["content"]) for message in messages)


@functools.lru_cache(8)
def _rules(graph: Graph, count_tokens: Callable[[str], int], room: int | None) -> Rules:
    # Counting the rules of all exercises takes longer than an answer of the tiny coach.
    return choose_rules(graph, count_tokens, room)
