"""Checkpoints by their public names, with random numbers, and plain arithmetic on them."""

import functools
import math
from typing import Any

import torch
from torch.nn import functional

# Name, channels in, channels of the branches: 1×1, reduce, 3×3, reduce, 3×3, pool.
MIXED = [
    ("3b", 192, (64, 96, 128, 16, 32, 32)),
    ("3c", 256, (128, 128, 192, 32, 96, 64)),
    ("4b", 480, (192, 96, 208, 16, 48, 64)),
    ("4c", 512, (160, 112, 224, 24, 64, 64)),
    ("4d", 512, (128, 128, 256, 24, 64, 64)),
    ("4e", 512, (112, 144, 288, 32, 64, 64)),
    ("4f", 528, (256, 160, 320, 32, 128, 128)),
    ("5b", 832, (256, 160, 320, 32, 128, 128)),
    ("5c", 832, (384, 192, 384, 48, 128, 128)),
]


Weights = dict[str, Any]


@functools.cache
def kinetics(style: str) -> Weights:
    """Return weights by one source's names; both styles hold the same numbers."""
    random = torch.Generator().manual_seed(0)
    piergiaj = style == "piergiaj"
    weights: Weights = {}

    def unit(name: str, out: int, channels: int, kernel: int) -> None:
        size = (out, channels, kernel, kernel, kernel)
        scale = math.sqrt(2 / (channels * kernel**3))
        norm = f"{name}.{'bn' if piergiaj else 'batch3d'}"
        weights[f"{name}.conv3d.weight"] = torch.randn(size, generator=random) * scale
        weights[f"{norm}.weight"] = torch.ones(out)
        weights[f"{norm}.bias"] = torch.randn(out, generator=random) * 0.1
        weights[f"{norm}.running_mean"] = torch.randn(out, generator=random) * 0.1
        weights[f"{norm}.running_var"] = torch.rand(out, generator=random) + 0.5

    first = "Conv3d" if piergiaj else "conv3d"
    unit(f"{first}_1a_7x7", 64, 3, 7)
    unit(f"{first}_2b_1x1", 64, 64, 1)
    unit(f"{first}_2c_3x3", 192, 64, 3)
    branches = (
        ("b0", "b1a", "b1b", "b2a", "b2b", "b3b")
        if piergiaj
        else ("branch_0", "branch_1.0", "branch_1.1", "branch_2.0", "branch_2.1", "branch_3.1")
    )
    for name, inputs, widths in MIXED:
        block = f"{'Mixed' if piergiaj else 'mixed'}_{name}"
        sources = (inputs, inputs, widths[1], inputs, widths[3], inputs)
        for branch, out, source, kernel in zip(
            branches, widths, sources, (1, 1, 3, 1, 3, 1), strict=True
        ):
            unit(f"{block}.{branch}", out, source, kernel)
    head = "logits" if piergiaj else "conv3d_0c_1x1"
    weights[f"{head}.conv3d.weight"] = torch.zeros(400, 1024, 1, 1, 1)
    weights[f"{head}.conv3d.bias"] = torch.zeros(400)
    return weights


def same(x: Any, kernel: int | tuple[int, ...], stride: int | tuple[int, ...]) -> Any:
    """Pad as TensorFlow's SAME, axis by axis."""
    kernel = (kernel,) * 3 if isinstance(kernel, int) else kernel
    stride = (stride,) * 3 if isinstance(stride, int) else stride
    ends: list[int] = []
    for axis in (2, 1, 0):
        n = x.shape[2 + axis]
        over = n % stride[axis] or stride[axis]
        total = max(kernel[axis] - over, 0)
        ends += [total // 2, total - total // 2]
    return functional.pad(x, ends)


def plain_i3d(weights: Weights, x: Any) -> Any:
    """I3D straight from piergiaj's names."""

    def unit(name: str, x: Any, stride: int = 1) -> Any:
        kernel = weights[f"{name}.conv3d.weight"]
        x = functional.conv3d(same(x, kernel.shape[2], stride), kernel, stride=stride)
        mean, variance, scale, shift = (
            weights[f"{name}.bn.{part}"][:, None, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return ((x - mean) / (variance + 1e-3).sqrt() * scale + shift).relu()

    def pool(x: Any, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Any:
        return functional.max_pool3d(same(x, kernel, stride), kernel, stride)

    x = pool(unit("Conv3d_1a_7x7", x, 2), (1, 3, 3), (1, 2, 2))
    x = pool(unit("Conv3d_2c_3x3", unit("Conv3d_2b_1x1", x)), (1, 3, 3), (1, 2, 2))
    for name, _, _ in MIXED:
        if name == "4b":
            x = pool(x, (3, 3, 3), (2, 2, 2))
        if name == "5b":
            x = pool(x, (2, 2, 2), (2, 2, 2))
        block = f"Mixed_{name}"
        x = torch.cat(
            [
                unit(f"{block}.b0", x),
                unit(f"{block}.b1b", unit(f"{block}.b1a", x)),
                unit(f"{block}.b2b", unit(f"{block}.b2a", x)),
                unit(f"{block}.b3b", pool(x, (3, 3, 3), (1, 1, 1))),
            ],
            dim=1,
        )
    return x.mean(dim=(2, 3, 4))


def ntu(groups: int = 3) -> Weights:
    """Return weights by the names of yysijie/st-gcn."""
    random = torch.Generator().manual_seed(2)

    def draw(*shape: int) -> Any:
        return torch.rand(*shape, generator=random)

    def norm(name: str, width: int) -> Weights:
        return {
            f"{name}.{part}": draw(width)
            for part in ("weight", "bias", "running_mean", "running_var")
        } | {f"{name}.num_batches_tracked": torch.tensor(7)}

    weights: Weights = {"A": draw(groups, 25, 25), **norm("data_bn", 75)}
    channels = 3
    for n, width in enumerate((64, 64, 64, 64, 128, 128, 128, 256, 256, 256)):
        block = f"st_gcn_networks.{n}"
        weights[f"{block}.gcn.conv.weight"] = draw(groups * width, channels, 1, 1)
        weights[f"{block}.gcn.conv.bias"] = draw(groups * width)
        weights |= norm(f"{block}.tcn.0", width) | norm(f"{block}.tcn.3", width)
        weights[f"{block}.tcn.2.weight"] = draw(width, width, 9, 1)
        weights[f"{block}.tcn.2.bias"] = draw(width)
        if n and width != channels:
            weights[f"{block}.residual.0.weight"] = draw(width, channels, 1, 1)
            weights[f"{block}.residual.0.bias"] = draw(width)
            weights |= norm(f"{block}.residual.1", width)
        weights[f"edge_importance.{n}"] = draw(groups, 25, 25)
        channels = width
    return weights | {"fcn.weight": draw(60, 256, 1, 1), "fcn.bias": draw(60)}


def plain_stgcn(weights: Weights, pose: Any) -> Any:
    """ST-GCN straight from the public names, one sum over joints at a time."""

    def norm(name: str, x: Any, axis: int) -> Any:
        shape = [-1 if n == axis else 1 for n in range(x.ndim)]
        mean, variance, scale, shift = (
            weights[f"{name}.{part}"].reshape(shape)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-5).sqrt() * scale + shift

    # (B, T, V, C): the channels of the first norm are joint by joint, x y z.
    x = norm("data_bn", pose.flatten(2), 2).reshape(pose.shape).permute(0, 3, 1, 2)
    for n in range(10):
        block, stride = f"st_gcn_networks.{n}", 2 if n in (4, 7) else 1
        graph = weights["A"] * weights[f"edge_importance.{n}"]
        mixed = functional.conv2d(
            x, weights[f"{block}.gcn.conv.weight"], weights[f"{block}.gcn.conv.bias"]
        )
        heard = sum(part @ graph[k] for k, part in enumerate(mixed.chunk(len(graph), dim=1)))
        y = norm(f"{block}.tcn.0", heard, 1).relu()
        y = functional.conv2d(
            y,
            weights[f"{block}.tcn.2.weight"],
            weights[f"{block}.tcn.2.bias"],
            stride=(stride, 1),
            padding=(4, 0),
        )
        y = norm(f"{block}.tcn.3", y, 1)
        if f"{block}.residual.0.weight" in weights:
            through = functional.conv2d(
                x,
                weights[f"{block}.residual.0.weight"],
                weights[f"{block}.residual.0.bias"],
                stride=(stride, 1),
            )
            y = y + norm(f"{block}.residual.1", through, 1)
        elif n:
            y = y + x
        x = y.relu()
    return x.mean(dim=(2, 3))
