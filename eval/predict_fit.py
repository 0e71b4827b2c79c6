"""Asks a local model in batches that fit into the memory: halved when they do not.

fitting = FittingGenerator(PrefixGenerator(coach), features)
fitting.generate(conversations, decoding)
fitting.most             # 4, if eight were too many
"""

import gc
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flex.cli import err
from flex.problems import InputError, Problem
from vlm.features import FeatureCache
from vlm.generate import Conversation, Decoding, Reply
from vlm.prefix_generate import PrefixGenerator


@dataclass
class FittingGenerator:
    """Answers any number of conversations, as many at a time as fit.

    Attributes:
        generator: the model.
        features: keeps what the vision tower makes of each clip.
        most: how many conversations fit at once; `None` while the memory has not run out.
    """

    generator: PrefixGenerator
    features: FeatureCache | None = None
    most: int | None = None

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[Reply]:
        """Return one reply for each conversation, in order.

        Raises:
            InputError: not even one at a time fits.
        """
        replies: list[Reply] = []
        while len(replies) < len(conversations):
            some = conversations[len(replies) :][: self.most]
            given = self._try(some, decoding)
            if given is None:
                self._halve(len(some), decoding)
            else:
                replies += given
        return replies

    def _try(self, some: Sequence[Conversation], decoding: Decoding) -> list[Reply] | None:
        try:
            return self.generator.generate([self._seen(one) for one in some], decoding)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # What the failed pass holds is free only now, as the error names it.
        return None

    def _seen(self, one: Conversation) -> Conversation:
        """Return a conversation with features in place of its clip."""
        if self.features is None or not isinstance(one.videos, tuple) or len(one.videos) != 1:
            return one
        return replace(one, videos=self.features.get(one.videos[0]))

    def _halve(self, size: int, decoding: Decoding) -> None:
        import torch

        self.generator.forget()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if size == 1:
            message = (
                "not even one clip at a time fits into the memory; lower --max-new-tokens (it is "
                f"{decoding.max_new_tokens}), or --frames or --pixels of a model without adapter"
            )
            raise InputError([Problem("--batch", message)])
        self.most = size // 2
        err.print(
            f"out of memory with {size} clips at once: from here on {self.most} "
            f"(--batch {self.most} starts so)"
        )


def is_out_of_memory(error: Exception) -> bool:
    """Say whether an error means that the memory of the GPU or of the machine has run out."""
    import torch
    from accelerate.utils.memory import should_reduce_batch_size

    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or should_reduce_batch_size(error)
