"""Measures one image: its file, what it says of itself, its tone, colour and detail, its hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from pipelines.ingest.decoding import BLOCKS_MODES, Decoded, decode_file, levels_of
from pipelines.ingest.hashes import looks, pixel_hash
from pipelines.ingest.hashing import content_hash
from pipelines.ingest.measures.detail import BLOCK, blockiness, sharpness_and_noise
from pipelines.ingest.measures.tone import Pixels, colourfulness, saturation, tone
from pipelines.ingest.metadata import camera_of, captured_at, jpeg_quality, software_of
from pipelines.ingest.rejects import Limits

LONGEST = 256
"""The longer side at which images are measured, in pixels; smaller ones are measured as they are."""
COLOUR_LONGEST = 64
"""That at which their colours are measured, which need no detail."""
LEAST_CONTRAST = 4 / 255
"""Images of less contrast are as good as blank: noise would decide what they look like, so their hashes are null."""
_BLOCK_WINDOW = 512

MEASURED = pa.schema(
    [
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("aspect", pa.float64()),
        pa.field("format", pa.string()),
        pa.field("mode", pa.string()),
        pa.field("bytes", pa.int64()),
        pa.field("bits_per_pixel", pa.float64()),
        pa.field("camera", pa.string()),
        pa.field("software", pa.string()),
        pa.field("captured_at", pa.timestamp("us")),
        pa.field("brightness", pa.float64()),
        pa.field("contrast", pa.float64()),
        pa.field("saturation", pa.float64()),
        pa.field("colourfulness", pa.float64()),
        pa.field("sharpness", pa.float64()),
        pa.field("noise", pa.float64()),
        pa.field("entropy", pa.float64()),
        pa.field("blockiness", pa.float64()),
        pa.field("jpeg_quality", pa.int32()),
        pa.field("content_hash", pa.string()),
        pa.field("pixel_hash", pa.string()),
        pa.field("perceptual_hash", pa.uint64()),
        pa.field("difference_hash", pa.uint64()),
    ]
)


@dataclass(frozen=True, eq=False)
class Small:
    """What is left of an image to be measured at a fixed scale: pixels alone, none of what a file says beside them.

    Attributes:
        grey: the image at `LONGEST`: uint8, height by width.
        colour: the image at `COLOUR_LONGEST`, height by width by 3: red, green, blue; None of a grey image.
    """

    grey: Pixels
    colour: Pixels | None


def measure_image(data: bytes, name: str, limits: Limits) -> dict[str, Any]:
    """Measures an image; docs/images.md defines every measure.

    Args:
        data: the bytes of the file.
        name: of the file.
        limits: see there.

    Returns:
        A value for each column of `MEASURED`.

    Raises:
        UnreadableError: it is no image that is read, is damaged, mislabelled, or too large.
    """
    row, small = read_image(data, name, limits)
    return {**row, **measure_small([small])[0]}


def read_image(data: bytes, name: str, limits: Limits) -> tuple[dict[str, Any], Small]:
    """Decodes an image and measures what its pixels are needed for; leaves a small one for `measure_small`.

    Args:
        data: the bytes of the file.
        name: of the file.
        limits: see there.

    Returns:
        A value for each column of `MEASURED` that `measure_small` does not give; and the image, small.

    Raises:
        UnreadableError: it is no image that is read, is damaged, mislabelled, or too large.
    """
    decoded = decode_file(data, limits, LONGEST, name)
    width, height = decoded.shown_size
    quality = jpeg_quality(getattr(decoded.image, "quantization", None)) if decoded.format == "JPEG" else None
    row = {
        "width": width,
        "height": height,
        "aspect": width / height,
        "format": decoded.format,
        "mode": decoded.mode,
        "bytes": len(data),
        "bits_per_pixel": 8 * len(data) / (width * height),
        "camera": camera_of(decoded.exif),
        "software": software_of(decoded.exif),
        "captured_at": captured_at(decoded.exif),
        "blockiness": _blockiness(decoded),
        "jpeg_quality": quality,
        "content_hash": content_hash(data),
        "pixel_hash": pixel_hash(decoded.image),
    }
    colour = decoded.colour(COLOUR_LONGEST)
    return row, Small(levels_of(decoded.grey(LONGEST)), np.asarray(colour) if colour else None)


def measure_small(images: Sequence[Small]) -> list[dict[str, Any]]:
    """Measures images at a fixed scale, each measure of all of them before the next, which takes half the time.

    Args:
        images: left by `read_image`.

    Returns:
        Of each, a value for each column of `MEASURED` that `read_image` does not give.
    """
    greys = [Image.fromarray(image.grey) for image in images]
    tones = [tone(grey.histogram()) for grey in greys]
    details = [sharpness_and_noise(image.grey) for image in images]
    seen = looks(greys)
    rows = []
    for image, (brightness, contrast, entropy), (sharp, noise), looked in zip(
        images, tones, details, seen, strict=True
    ):
        perceptual, difference = looked if contrast >= LEAST_CONTRAST else (None, None)
        row = {
            "brightness": brightness,
            "contrast": contrast,
            "saturation": saturation(image.colour) if image.colour is not None else 0.0,
            "colourfulness": colourfulness(image.colour) if image.colour is not None else 0.0,
            "sharpness": sharp,
            "noise": noise,
            "entropy": entropy,
            "perceptual_hash": perceptual,
            "difference_hash": difference,
        }
        rows.append(row)
    return rows


def _blockiness(decoded: Decoded) -> float | None:
    """Of a window in the middle, at a block's edge; null where a JPEG was decoded at a reduced scale."""
    image = decoded.image
    if not decoded.full_scale or image.mode not in BLOCKS_MODES:
        return None
    left, top = (max(0, side - _BLOCK_WINDOW) // 2 // BLOCK * BLOCK for side in image.size)
    window = image.crop((left, top, min(image.width, left + _BLOCK_WINDOW), min(image.height, top + _BLOCK_WINDOW)))
    return blockiness(levels_of(window.convert("L")))
