"""Keeps a clip from being learnt by heart: its features are never quite the same twice.

Few clips and many epochs make a model remember which errors belong to which clip instead of looking
for them. Where the vision tower is frozen its features come from a cache, so this is the place to
vary them: some grain, as NEFTune (arXiv 2310.05914) adds it to words, and some tokens left out.
"""

from collections.abc import Sequence

import torch


def blurred(features: torch.Tensor, grain: float, unseen: float) -> torch.Tensor:
    """Return features (…, tokens, width) with grain and without some tokens.

    Args:
        features: of one video, or of several.
        grain: deviation of the noise, as a share of the features' own.
        unseen: share of the tokens that become zeros.
    """
    noise = grain * features.std() * torch.randn_like(features)
    kept = torch.rand(*features.shape[:-1], 1, device=features.device) >= unseen
    return (features + noise) * kept


def blur_videos(videos: Sequence[torch.Tensor], grain: float, unseen: float) -> list[torch.Tensor]:
    """Return the features of a batch's videos, each blurred."""
    return [blurred(video, grain, unseen) for video in videos]
