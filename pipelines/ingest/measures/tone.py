"""Brightness, contrast, entropy and colour of an image."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

Pixels: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]
Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int32]]
WHITE = 255


def mean_and_deviation(values: Numbers) -> tuple[float, float]:
    """Mean and standard deviation (population) of whole numbers, from exact sums.

    Args:
        values: int32, any shape, at least one; below 2**20 in size each.
    """
    count = values.size
    total, squares = int(values.sum(dtype=np.int64)), int(np.square(values, dtype=np.int64).sum())
    return total / count, math.sqrt(max(squares * count - total * total, 0)) / count


def tone(grey: Pixels) -> tuple[float, float, float]:
    """Brightness, contrast and entropy of a grey image.

    Args:
        grey: uint8, height by width.

    Returns:
        The mean, from 0 (black) to 1 (white); the standard deviation on that scale (RMS contrast: Peli, 1990, Contrast
        in complex images); and the Shannon entropy of the 256 grey levels in bits, 0 to 8.

    Examples:
        >>> tone(np.array([[0, 255]], dtype=np.uint8))
        (0.5, 0.5, 1.0)
    """
    counts = np.bincount(grey.ravel(), minlength=WHITE + 1)
    levels = np.arange(WHITE + 1, dtype=np.int64)
    count, total, squares = grey.size, int(counts @ levels), int(counts @ levels**2)
    deviation = math.sqrt(squares * count - total * total) / count
    shares = counts[counts > 0] / count
    entropy = max(0.0, -math.fsum(shares * np.log2(shares)))
    return total / count / WHITE, deviation / WHITE, entropy


def saturation(hsv_saturation: Pixels) -> float:
    """The mean of `(max - min) / max` over the channels of each pixel (HSV; Smith, 1978), 0 (grey) to 1.

    Args:
        hsv_saturation: uint8, the second channel of the image in HSV.
    """
    return int(hsv_saturation.sum(dtype=np.int64)) / hsv_saturation.size / WHITE


def colourfulness(red: Pixels, green: Pixels, blue: Pixels) -> float:
    """Colourfulness after Hasler and Süsstrunk (2003, Measuring colourfulness in natural images), their `M3`.

    `sqrt(sd(rg)² + sd(yb)²) + 0.3 · sqrt(mean(rg)² + mean(yb)²)` with `rg = R - G` and `yb = (R + G) / 2 - B` of values
    0 to 255. About 15 is slightly colourful, 45 averagely, 109 extremely.

    Args:
        red: uint8, height by width.
        green: uint8, the same shape.
        blue: uint8, the same shape.

    Examples:
        >>> grey = np.full((4, 4), 7, dtype=np.uint8)
        >>> colourfulness(grey, grey, grey)
        0.0
    """
    r, g, b = (channel.astype(np.int32) for channel in (red, green, blue))
    rg_mean, rg_deviation = mean_and_deviation(r - g)
    yb_mean, yb_deviation = (value / 2 for value in mean_and_deviation(r + g - 2 * b))
    return math.hypot(rg_deviation, yb_deviation) + 0.3 * math.hypot(rg_mean, yb_mean)
