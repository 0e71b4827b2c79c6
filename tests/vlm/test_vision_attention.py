import torch

from vlm.tiny import build_model, build_processor
from vlm.vision_attention import join_equal_chunks


def test_equal_chunks_at_once_and_unequal_ones_give_the_same_features() -> None:
    tokenizer = build_processor(["Press."], 300).tokenizer
    model = build_model(tokenizer, hidden=64, layers=2)
    grids = torch.tensor([[2, 4, 4], [3, 4, 4]]), torch.tensor([[2, 4, 4], [2, 8, 4]])
    patches = [torch.randn(int(grid.prod(1).sum()), 1176) for grid in grids]
    with torch.no_grad():
        before = [
            model.model.visual(x, grid_thw=g).pooler_output
            for x, g in zip(patches, grids, strict=True)
        ]
        join_equal_chunks(model)
        after = [
            model.model.visual(x, grid_thw=g).pooler_output
            for x, g in zip(patches, grids, strict=True)
        ]
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other)
