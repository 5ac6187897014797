"""Names of an image by its pixels, and by what it looks like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash
from PIL.Image import Resampling

from pipelines.ingest.decoding import strips

if TYPE_CHECKING:
    from PIL.Image import Image


_SIDE = 8
_SQUARE = 4 * _SIDE
_SMALL = 2 * _SQUARE
_ANGLES = np.pi / (2 * _SQUARE) * np.outer(np.arange(_SIDE), 2 * np.arange(_SQUARE) + 1)
_WAVES = np.rint(2**22 * np.cos(_ANGLES)).astype(np.int64)
"""The 8 lowest frequencies of the cosine transform (DCT-II) of 32 values, as whole numbers: their sums are exact."""


def pixel_hash(image: Image) -> str:
    """A hash of pixels as they were decoded: XXH3, 128 bits, over mode, size, palette and pixels, in hex.

    Args:
        image: loaded, not turned and not scaled after it was decoded.
    """
    digest = xxhash.xxh3_128(f"{image.mode} {image.width} {image.height} ".encode())
    if image.mode in ("P", "PA"):
        digest.update(bytes(image.getpalette() or b""))
    for _, strip in strips(image):
        digest.update(strip.tobytes())
    return digest.hexdigest()


def looks(greys: Sequence[Image]) -> list[tuple[int, int]]:
    """Two hashes of what images look like; near images have near hashes, by the number of bits that differ.

    Args:
        greys: images at the scale at which they are measured, mode L.

    Returns:
        Of each, ImageHash's `phash` (signs of the 64 lowest frequencies of a 32 by 32 image about their median) and its
        `dhash` (whether the image grows brighter from left to right, at 8 by 8 places), each an unsigned 64-bit number,
        the first bit the highest; `str(imagehash.phash(…))` is the hex of the first.
    """
    prepared = [_prepared(grey) for grey in greys]
    return list(zip(_frequencies(prepared), _steps(prepared), strict=True))


def _prepared(grey: Image) -> Image:
    """The 32 by 32 of the first hash, of which the 9 by 8 of the other is made in less time; a small image as it is."""
    if min(grey.size) <= _SMALL:
        return grey
    return grey.resize((_SQUARE, _SQUARE), Resampling.LANCZOS, reducing_gap=3.0)


def _frequencies(images: Sequence[Image]) -> list[int]:
    """`phash` in whole numbers: frequencies that are equal, as of symmetric images, are so on every machine."""
    found = _WAVES @ _brought_to(_SQUARE, _SQUARE, images).astype(np.int64) @ _WAVES.T
    found = found.reshape(-1, _SIDE**2)
    below = _SIDE**2 // 2 - 1  # the median lies between this one and the next
    return _numbers(found > np.partition(found, below)[:, below : below + 1])


def _steps(images: Sequence[Image]) -> list[int]:
    found = _brought_to(_SIDE + 1, _SIDE, images)
    return _numbers((found[..., 1:] > found[..., :-1]).reshape(-1, _SIDE**2))


def _brought_to(width: int, height: int, images: Sequence[Image]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    pixels = b"".join(image.resize((width, height), Resampling.LANCZOS).tobytes() for image in images)
    return np.frombuffer(pixels, np.uint8).reshape(-1, height, width)


def _numbers(bits: np.ndarray[Any, np.dtype[np.bool_]]) -> list[int]:
    found: list[int] = np.packbits(bits, axis=1).view(">u8").ravel().tolist()
    return found
