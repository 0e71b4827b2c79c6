"""Which training clips a test clip is compared with: fixed by its id, whatever else runs.

    voters("A01/007", training_ids, 3)      # the same three for any order, worker count or subset

The paper takes 3 at random for FLEX (section 8.1); in the released code chance goes on from clip to
clip, so that they change with the number of workers. Here each candidate gets a rank by a hash of
both ids and the seed, and the first M are taken. Another seed gives other voters, such as one
partner per epoch in training.
"""

from collections.abc import Iterable

from flex.files import hash_text
from flex.problems import InputError, Problem

PAPER_VOTERS = 3


def voters(
    clip: str, candidates: Iterable[str], count: int = PAPER_VOTERS, *, seed: int = 0
) -> tuple[str, ...]:
    """Return the exemplars of a clip.

    Args:
        clip: id of the clip that is scored; it is never its own exemplar.
        candidates: ids of clips of the same action with known scores, in any order.
        count: how many exemplars.
        seed: of the draw.

    Returns:
        `count` different ids, in the order of the draw.

    Raises:
        InputError: fewer candidates than exemplars.
    """
    pool = set(candidates) - {clip}
    if not 1 <= count <= len(pool):
        message = f"{count} exemplars are to be drawn from {len(pool)} other clips"
        raise InputError([Problem(clip, message)])
    ranked = sorted(pool, key=lambda other: (hash_text(str(seed), clip, other), other))
    return tuple(ranked[:count])
