"""Names of an image by its pixels, and by what it looks like."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import imagehash
import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image


def pixel_hash(image: Image) -> str:
    """A hash of pixels as they were decoded: 128 bits of BLAKE2b over mode, size, palette and pixels, in hex.

    Args:
        image: loaded, not turned and not scaled after it was decoded.
    """
    digest = hashlib.blake2b(f"{image.mode} {image.width} {image.height} ".encode(), digest_size=16)
    if image.mode in ("P", "PA"):
        digest.update(bytes(image.getpalette() or b""))
    digest.update(image.tobytes())
    return digest.hexdigest()


def perceptual_hash(grey: Image) -> int:
    """ImageHash's `phash`: 64 signs of the lowest frequencies of a 32 by 32 image, about their median.

    Args:
        grey: mode L.

    Returns:
        An unsigned 64-bit number, the first bit of the hash the highest; `str(imagehash.phash(…))` is its hex.
    """
    bits = imagehash.phash(grey).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
