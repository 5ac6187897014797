"""What a file says of itself: camera, software, time of capture, quality of its compression. No coordinates."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from statistics import median
from typing import Any

from PIL import ExifTags, Image

MAX_TEXT = 100
_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d):(\d\d):(\d\d)")
# The luminance table of the JPEG standard (ITU-T T.81, table K.1), which is that of quality 50.
_STANDARD = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_LEAST, _MOST = 1, 255


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
    if not exif:
        return None
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
    """The quality, 1 to 100, at which the Independent JPEG Group's encoder would use about such a luminance table.

    Args:
        tables: quantisation tables by number; None where the file is no JPEG.
    """
    if not tables or 0 not in tables or len(tables[0]) != 64:
        return None
    return _quality_of(tuple(tables[0]))


@lru_cache  # most files of a source are compressed by a few tables
def _quality_of(table: tuple[int, ...]) -> int:
    steps = zip(table, chain.from_iterable(_STANDARD), strict=True)
    known = [100 * step / standard for step, standard in steps if _LEAST < step < _MOST]
    if not known:  # all steps are cut: as fine, or as coarse, as they can be
        return 100 if table[0] <= _LEAST else 1
    scale = median(known)
    quality = (200 - scale) / 2 if scale <= 100 else 5_000 / scale
    return max(1, min(100, round(quality)))


def _text(value: Any) -> str | None:
    """A text of EXIF: one line of printable characters, cut; null where there is none."""
    if isinstance(value, bytes):
        value = value.decode("utf8", "replace")
    if not isinstance(value, str):
        return None
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:MAX_TEXT] or None
