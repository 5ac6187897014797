"""The names of the columns that say which file a row is, and where it lies; known without any extra."""

from __future__ import annotations

from typing import Literal

KindName = Literal["images", "audio"]
PATH = "path"
IMAGE_ENDINGS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
}
AUDIO_ENDINGS = {".wav": "WAV", ".wave": "WAV", ".flac": "FLAC"}
_PREFIXES: dict[KindName, str] = {"images": "image", "audio": "audio"}
_HASHES: dict[KindName, tuple[str, ...]] = {
    "images": ("content_hash", "pixel_hash", "perceptual_hash", "difference_hash"),
    "audio": ("content_hash", "sample_hash"),
}


def location_columns(kind: KindName) -> tuple[str, str, str, str]:
    """The columns that tell where the bytes of a file lie: `_uri`, `_offset`, `_size` and `_row`.

    Examples:
        >>> location_columns("audio")[0]
        'audio_uri'
    """
    prefix = _PREFIXES[kind]
    return f"{prefix}_uri", f"{prefix}_offset", f"{prefix}_size", f"{prefix}_row"


def place_columns(kind: KindName | None) -> tuple[str, ...]:
    """The columns that say where a file lies, and nothing of what is in it: its path and location; none of a table."""
    return () if kind is None else (PATH, *location_columns(kind))


def hash_columns(kind: KindName | None) -> tuple[str, ...]:
    """The columns that name a file by what is in it; none of a table."""
    return () if kind is None else _HASHES[kind]
