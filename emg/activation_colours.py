"""The colours of activation: pale yellow at rest, deep red at full, evenly seen.

    colours = activation_colours()          # (256, 3) uint8, from 0 to 1
    shade(np.array([0.0, 0.5, 1.3]))        # (3, 3) uint8; above 1 as at 1

Equal steps of activation are equal steps in OKLab (B. Ottosson, "A perceptual color space for image
processing", 2020), and lightness falls all the way, so that the scale can be read without telling
red from green, and in print without colour.
"""

import functools

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
SHADES = 256
# What the scale passes through, sRGB.
_ANCHORS = ("#fff6c9", "#fdd16a", "#f7922f", "#dd4a2c", "#a3123f", "#5c0a45")
# Linear sRGB → cone responses, and their cube roots → lightness and two opponent colours.
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def shade(activation: Floats) -> Bytes:
    """Return the colour of each activation, cut to 0 … 1: (...,) → (..., 3) uint8 sRGB."""
    at = np.rint(np.clip(activation, 0, 1) * (SHADES - 1)).astype(int)
    colours: Bytes = activation_colours()[at]
    return colours


@functools.cache
def activation_colours() -> Bytes:
    """Return the scale: (256, 3) uint8 sRGB, first for 0, last for 1."""
    anchors = to_oklab(np.array([_parsed(code) for code in _ANCHORS]))
    fine = np.linspace(0, len(anchors) - 1, 4096)
    path = np.stack([np.interp(fine, np.arange(len(anchors)), c) for c in anchors.T], axis=1)
    walked = np.concatenate([[0], np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()])
    even = np.linspace(0, walked[-1], SHADES)
    return _to_srgb(np.stack([np.interp(even, walked, channel) for channel in path.T], axis=1))


def to_oklab(colours: Bytes) -> Floats:
    """Return colours in OKLab: (..., 3) uint8 sRGB → (..., 3), lightness first."""
    values = colours / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    lab: Floats = np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T
    return lab


def _to_srgb(lab: Floats) -> Bytes:
    cones = (lab @ np.linalg.inv(_TO_LAB).T) ** 3
    linear = np.clip(cones @ np.linalg.inv(_TO_CONES).T, 0, 1)
    values = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    rounded: Bytes = np.rint(values * 255).astype(np.uint8)
    return rounded


def _parsed(code: str) -> Bytes:
    return np.frombuffer(bytes.fromhex(code[1:]), dtype=np.uint8)
