"""What a file says of itself: camera, software, time of capture, quality of its compression. No coordinates."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import ExifTags, Image

MAX_TEXT = 100
_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d):(\d\d):(\d\d)")
# The luminance table of the JPEG standard (ITU-T T.81, annex K.1): its sum is that of quality 50.
_STANDARD_SUM = 3_688


def camera_of(exif: Mapping[int, Any]) -> str | None:
    """Maker and model of the camera, as in `Canon EOS 5D`; null where EXIF has neither."""
    maker, model = _text(exif.get(ExifTags.Base.Make)), _text(exif.get(ExifTags.Base.Model))
    if maker and model:
        return model if model.lower().startswith(maker.lower()) else f"{maker} {model}"[:MAX_TEXT]
    return maker or model


def software_of(exif: Mapping[int, Any]) -> str | None:
    """The software that wrote the file; null where EXIF does not say."""
    return _text(exif.get(ExifTags.Base.Software))


def captured_at(exif: Image.Exif) -> dt.datetime | None:
    """When the picture was taken, by the camera's clock; null where EXIF does not say, or says no time.

    Reads DateTimeOriginal, else DateTimeDigitized; never DateTime, which is when the file was changed last.
    """
    try:
        inner = exif.get_ifd(ExifTags.IFD.Exif)
    except (ValueError, TypeError, KeyError, OSError, SyntaxError):
        return None
    for tag in (ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized):
        found = _TIME.match(_text(inner.get(tag)) or "")
        if found:
            try:
                return dt.datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001, a camera's clock has no zone
            except ValueError:
                continue
    return None


def jpeg_quality(tables: Mapping[int, Sequence[int]] | None) -> int | None:
    """The quality, 1 to 100, at which the Independent JPEG Group's encoder would use such a luminance table.

    Args:
        tables: quantisation tables by number; None where the file is no JPEG.
    """
    if not tables or 0 not in tables or len(tables[0]) != 64:
        return None
    scale = 100 * sum(tables[0]) / _STANDARD_SUM
    quality = (200 - scale) / 2 if scale <= 100 else 5_000 / scale
    return max(1, min(100, round(quality)))


def _text(value: Any) -> str | None:
    """A text of EXIF: one line of printable characters, cut; null where there is none."""
    if isinstance(value, bytes):
        value = value.decode("utf8", "replace")
    if not isinstance(value, str):
        return None
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:MAX_TEXT] or None
