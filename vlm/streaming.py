"""Answers of a local model piece by piece, several side by side.

one, other = Writing(coach, first), Writing(coach, second)
Thread(target=write, args=(coach, [one, other])).start()     # another thread reads
for piece in one.pieces(): print(piece, end="")
"""

from collections.abc import Iterator, Sequence
from typing import Any

from vlm.chat import encode_prompt
from vlm.generate import GREEDY, Conversation, Decoding, generation_config, model_inputs
from vlm.model import Coach


class Writing:
    """An answer that is to be written.

    Raises:
        InputError: the conversation has no user message or an unknown role.
    """

    def __init__(self, coach: Coach, conversation: Conversation) -> None:
        from transformers import TextIteratorStreamer

        self.row = encode_prompt(coach.processor, conversation.videos, conversation.messages)
        self.stopped = False
        self.failure: Exception | None = None
        self._ended = False
        self._streamer = TextIteratorStreamer(
            coach.processor.tokenizer, skip_prompt=True, skip_special_tokens=True
        )

    def pieces(self) -> Iterator[str]:
        """Yield the answer as it is written; it is written no further once nobody reads on.

        Raises:
            Exception: what the model failed with.
        """
        try:
            yield from (piece for piece in self._streamer if piece)
        finally:
            self.stopped = True
        if self.failure:
            raise self.failure

    def put(self, ids: Any) -> None:
        """Add tokens (1, L) of the prompt, which come first, or one (1,) of the answer."""
        if not self._ended:
            self._streamer.put(ids)

    def end(self, failure: Exception | None = None) -> None:
        """Say that no more comes; only the first time counts."""
        if not self._ended:
            self._ended, self.failure = True, failure
            self._streamer.end()


def write(coach: Coach, writings: Sequence[Writing], decoding: Decoding = GREEDY) -> None:
    """Write answers side by side until all are over; a failure is raised where they are read."""
    import torch
    from transformers import StoppingCriteriaList

    def stopped(ids: Any, *_: Any, **__: Any) -> Any:
        return torch.tensor([one.stopped for one in writings], device=ids.device)

    try:
        config = generation_config(coach, decoding)
        inputs = model_inputs(coach, [one.row for one in writings])
        torch.manual_seed(decoding.seed)
        with torch.inference_mode():
            coach.model.generate(
                **inputs,
                generation_config=config,
                streamer=_Side(writings, config.eos_token_id),
                stopping_criteria=StoppingCriteriaList([stopped]),
            )
    except Exception as error:
        for one in writings:
            one.end(error)


class _Side:
    """Gives each answer its own tokens; takes the place of a streamer in `generate`."""

    def __init__(self, writings: Sequence[Writing], ends: Sequence[int]) -> None:
        self._writings, self._ends = writings, ends

    def put(self, ids: Any) -> None:
        for number, one in enumerate(self._writings):
            own = ids[number : number + 1]
            one.put(own)
            if own.ndim == 1 and int(own) in self._ends:
                one.end()

    def end(self) -> None:
        for one in self._writings:
            one.end()
