"""Choices that a config can name; where the paper or its code differs from our default, it says so.

Free of torch, so that a command starts fast.
"""

from typing import Literal

Head = Literal["core", "graph"]
Backbone = Literal["i3d", "small_cnn"]
# What reads the skeleton: the paper's, or ours, which keeps when and where.
Pose = Literal["stgcn", "course"]
# The paper's two numbers per clip, or a course over time.
Semg = Literal["none", "peak_share", "envelope"]
# Of absolute raw values (released code), or of the envelope, which one spike does not change.
Peaks = Literal["raw", "envelope"]
# How 0..1 becomes what a backbone was trained on: −1..1 for I3D's Kinetics weights; the released
# code feeds it ImageNet's mean and deviation instead.
Pixels = Literal["symmetric", "imagenet"]
# CoRe's loss over leaves: as in its code, or as in its paper.
LeafLoss = Literal["nll", "bce"]
# The difference of the likeliest leaf (the paper), or the mean over leaves.
Decode = Literal["best", "expected"]

# CoRe's ten windows of 16 frames over 103: their first frames (section 8.1).
PAPER_STARTS = (0, 10, 20, 30, 40, 50, 60, 70, 80, 86)
WINDOW = 16
