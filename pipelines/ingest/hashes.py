"""Names of an image by its pixels, and by what it looks like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import imagehash
import numpy as np
import xxhash
from PIL.Image import Resampling

from pipelines.ingest.decoding import strips

if TYPE_CHECKING:
    from PIL.Image import Image


_SQUARE = 32
_SMALL = 2 * _SQUARE


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
    return [(_number(imagehash.phash(one).hash), _number(imagehash.dhash(one).hash)) for one in prepared]


def _prepared(grey: Image) -> Image:
    """The 32 by 32 of the first hash, of which the 9 by 8 of the other is made in less time; a small image as it is."""
    if min(grey.size) <= _SMALL:
        return grey
    return grey.resize((_SQUARE, _SQUARE), Resampling.LANCZOS, reducing_gap=3.0)


def _number(bits: Any) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
