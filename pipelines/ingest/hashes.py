"""Names of an image by its pixels, and by what it looks like."""

from __future__ import annotations

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


def looks(grey: Image) -> tuple[int, int]:
    """Two hashes of what an image looks like; near images have near hashes, by the number of bits that differ.

    Args:
        grey: the image at the scale at which it is measured, mode L.

    Returns:
        ImageHash's `phash` (signs of the 64 lowest frequencies of a 32 by 32 image about their median) and its `dhash`
        (whether the image grows brighter from left to right, at 8 by 8 places), each an unsigned 64-bit number, the
        first bit the highest; `str(imagehash.phash(…))` is the hex of the first.
    """
    prepared = _prepared(grey)
    return _number(imagehash.phash(prepared).hash), _number(imagehash.dhash(prepared).hash)


def _prepared(grey: Image) -> Image:
    """The 32 by 32 of the first hash, of which the 9 by 8 of the other is made in less time; a small image as it is."""
    if min(grey.size) <= _SMALL:
        return grey
    return grey.resize((_SQUARE, _SQUARE), Resampling.LANCZOS, reducing_gap=3.0)


def _number(bits: Any) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
