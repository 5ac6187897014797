"""Sharpness, noise and blockiness of a grey image."""

from __future__ import annotations

import math

import numpy as np

from pipelines.ingest.measures.tone import Numbers, Pixels, mean_and_deviation, sum_of

BLOCK = 8


def _at_least(grey: Pixels, side: int) -> Numbers:
    """The image as int16, its edges repeated where it is smaller than a filter."""
    short = [max(0, side - length) for length in grey.shape]
    values = np.pad(grey, [(0, more) for more in short], mode="edge") if any(short) else grey
    return values.astype(np.int16, order="C")


def sharpness_and_noise(grey: Pixels) -> tuple[float, float]:
    """Sharpness and noise, both from second differences.

    Args:
        grey: uint8, height by width, at the fixed scale of all images.

    Returns:
        `log10(1 + v)` of the variance `v` of the Laplacian `4c - n - s - w - e` (Pech-Pacheco et al., 2000, Diatom
        autofocusing in brightfield microscopy), for `v` of textures is tens of times that of faces; and the standard
        deviation of noise after Immerkær (1996, Fast noise variance estimation), in grey levels. Both 0 of a flat
        image.
    """
    values = _at_least(grey, 3)
    across = np.zeros_like(values)  # of all rows as one, which numpy does faster; those over their ends count nothing
    across.ravel()[1:-1] = _second_differences(values.ravel())
    across[:, 0] = across[:, -1] = 0
    laplacian = across[1:-1] + _second_differences(values)
    _, deviation = mean_and_deviation(laplacian[:, 1:-1])
    # Immerkær's mask [1 -2 1; -2 4 -2; 1 -2 1] is the second difference down of the second difference across.
    twice = _second_differences(across)[:, 1:-1]
    noise = math.sqrt(math.pi / 2) / 6 * sum_of(np.abs(twice)) / twice.size
    return math.log10(1 + deviation**2), noise


def _second_differences(values: Numbers) -> Numbers:
    steps = values[1:] - values[:-1]
    return steps[1:] - steps[:-1]


def blockiness(grey: Pixels) -> float:
    """How much the 8 by 8 blocks of JPEG show.

    The mean absolute difference of neighbours on two sides of a block's edge, plus one grey level, over that of all
    other neighbours, plus one: about 1 where no blocks show, more where they do. After Wang, Bovik and Evans (2000,
    Blind measurement of blocking artifacts in images), in space rather than frequency.

    Args:
        grey: uint8, height by width, not scaled; begins at the edge of a block.

    Returns:
        The ratio; 1 where the image has no two blocks.
    """
    values = grey.astype(np.int16)
    edge = other = edges = others = 0
    for steps in (np.abs(np.diff(values, axis=1)), np.abs(np.diff(values, axis=0)).T):
        at = steps[:, BLOCK - 1 :: BLOCK]
        here, everywhere = int(at.sum(dtype=np.int64)), int(steps.sum(dtype=np.int64))
        edge, edges = edge + here, edges + at.size
        other, others = other + everywhere - here, others + steps.size - at.size
    if not edges or not others:
        return 1.0
    return (edge / edges + 1) / (other / others + 1)
