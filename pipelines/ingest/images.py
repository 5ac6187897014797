"""Measures one image: its file, what it says of itself, its tone, colour and detail, its hashes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from pipelines.ingest.decoding import BLOCKS_MODES, Decoded, decode_file
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
    decoded = decode_file(data, limits, LONGEST, name)
    width, height = decoded.shown_size
    quality = jpeg_quality(getattr(decoded.image, "quantization", None)) if decoded.format == "JPEG" else None
    return {
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
        **_measures(decoded),
        "blockiness": _blockiness(decoded),
        "jpeg_quality": quality,
        "content_hash": content_hash(data),
        "pixel_hash": pixel_hash(decoded.image),
    }


def _measures(decoded: Decoded) -> dict[str, Any]:
    """What is measured at a fixed scale."""
    image = decoded.grey(LONGEST)
    brightness, contrast, entropy = tone(image.histogram())
    sharp, noise = sharpness_and_noise(_levels(image))
    seen = looks(image) if contrast >= LEAST_CONTRAST else (None, None)
    colour = decoded.colour(COLOUR_LONGEST)
    pixels = np.asarray(colour) if colour else None
    return {
        "brightness": brightness,
        "contrast": contrast,
        "saturation": saturation(pixels) if pixels is not None else 0.0,
        "colourfulness": colourfulness(pixels) if pixels is not None else 0.0,
        "sharpness": sharp,
        "noise": noise,
        "entropy": entropy,
        "perceptual_hash": seen[0],
        "difference_hash": seen[1],
    }


def _levels(image: Image.Image) -> Pixels:
    """The pixels of a grey image; `np.asarray` makes the same in twice the time."""
    return np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width)


def _blockiness(decoded: Decoded) -> float | None:
    """Of a window in the middle, at a block's edge; null where a JPEG was decoded at a reduced scale."""
    image = decoded.image
    if not decoded.full_scale or image.mode not in BLOCKS_MODES:
        return None
    left, top = (max(0, side - _BLOCK_WINDOW) // 2 // BLOCK * BLOCK for side in image.size)
    window = image.crop((left, top, min(image.width, left + _BLOCK_WINDOW), min(image.height, top + _BLOCK_WINDOW)))
    return blockiness(_levels(window.convert("L")))
