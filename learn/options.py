"""Choices about skeletons that a config can name. Free of torch, so that a command starts fast."""

from typing import Literal

# What is 1 in a skeleton: spine base to upper spine, or to the spine middle only (released code).
Spine = Literal["whole", "lower"]
# How ST-GCN groups neighbours; its paper prefers "spatial", FLEX's released code is "uniform".
Strategy = Literal["spatial", "uniform"]
