from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from sft.recipe import Recipe
from vlm.blur import blur_videos


def test_videos_get_grain_and_lose_tokens() -> None:
    torch.manual_seed(0)
    videos = (torch.randn(400, 8) * 3, torch.randn(100, 8))
    before = [video.clone() for video in videos]
    blurred = blur_videos(videos, grain=0.2, unseen=0.25)
    for video, other in zip(videos, blurred, strict=True):
        lost = (other == 0).all(dim=1)
        assert 0.1 < lost.float().mean() < 0.4
        noise = (other - video)[~lost]
        assert float(noise.std()) == pytest.approx(0.2 * float(video.std()), rel=0.15)
    assert all(torch.equal(one, other) for one, other in zip(videos, before, strict=True))
    same = blur_videos(videos, grain=0.0, unseen=0.0)
    assert all(torch.equal(one, other) for one, other in zip(videos, same, strict=True))


def test_only_cached_features_can_be_blurred() -> None:
    with pytest.raises(ValidationError, match="need scope llm and a feature_cache"):
        Recipe(model="m", grain=0.1, feature_cache=None)
    with pytest.raises(ValidationError, match="need scope llm and a feature_cache"):
        Recipe(model="m", unseen=0.1, scope="llm+vision+merger")
    assert Recipe(model="m", grain=0.1, feature_cache=Path("f")).grain == 0.1
