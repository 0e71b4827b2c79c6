"""What CoRe says of clips: each is compared with a few training clips of its action.

    votes = core_votes(trees, samples, features, exemplars, exemplar_features, recipe)
    score = mean(votes[0].scores)

The exemplars of a clip are fixed by its id (`aqa.voters`), whatever else runs. Features of both
sides are computed once, however many voters there are.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from aqa.recipe import Recipe
from aqa.streams import Streams
from aqa.voters import voters
from flex.problems import InputError, Problem
from learn.sample import Sample

ALL = "all"  # the name of the tree that all actions share


class Votes(NamedTuple):
    """What CoRe says of one clip: the exemplars, and what each of them makes of it."""

    voters: tuple[str, ...]
    scores: tuple[float, ...]


class ExemplarRow(NamedTuple):
    """A training clip that others are compared with."""

    clip: str
    action: str
    score: float


def core_votes(
    trees: nn.ModuleDict,
    samples: Sequence[Sample],
    features: Streams,
    exemplars: Sequence[ExemplarRow],
    exemplar_features: Streams,
    recipe: Recipe,
) -> list[Votes]:
    """Return what CoRe says of some clips; exemplars are fixed by the clip's id.

    Args:
        trees: tree name → CoRe, in evaluation mode.
        samples: B clips.
        features: of the B clips.
        exemplars: N training clips.
        exemplar_features: of the N clips.
        recipe: how many voters, the draw's seed, batches.

    Raises:
        InputError: an action that was not trained on, or too few exemplars.
    """
    at = {row.clip: n for n, row in enumerate(exemplars)}
    pools: dict[str, list[str]] = {}
    for row in exemplars:
        pools.setdefault(row.action, []).append(row.clip)
    known = torch.tensor([row.score for row in exemplars])
    means = {
        action: float(known[[at[clip] for clip in clips]].mean()) for action, clips in pools.items()
    }
    of_tree: dict[str, list[int]] = {}
    chosen: list[tuple[str, ...]] = []
    for n, sample in enumerate(samples):
        action = sample.record.action
        if action not in pools:
            message = f"{action} was not trained on; there are {', '.join(sorted(pools))}"
            raise InputError([Problem(sample.id, message)])
        chosen.append(voters(sample.id, pools[action], recipe.voters, seed=recipe.seed))
        of_tree.setdefault(ALL if ALL in trees else action, []).append(n)
    found: list[Votes | None] = [None] * len(samples)
    for tree, rows in of_tree.items():
        for start in range(0, len(rows), recipe.batch):
            part = rows[start : start + recipe.batch]
            numbers = torch.tensor([[at[clip] for clip in chosen[n]] for n in part])
            device = features.device
            scores = trees[tree].votes(
                features.rows(torch.tensor(part, device=device)),
                exemplar_features.rows(numbers.flatten().to(device)),
                known[numbers].to(device),
            )
            centres = torch.tensor([means[samples[n].record.action] for n in part])[:, None]
            scores = centres + float(trees[tree].slope) * (scores.cpu() - centres)
            for n, row in zip(part, scores.tolist(), strict=True):
                found[n] = Votes(chosen[n], tuple(row))
    return [votes for votes in found if votes is not None]
