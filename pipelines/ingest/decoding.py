"""Decodes untrusted images within limits: formats that are known, pixels that are bounded, one kind of error."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NoReturn

import numpy as np
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from pipelines.ingest.names import IMAGE_ENDINGS
from pipelines.ingest.rejects import Limits, UnreadableError, check_ending, check_size

BROKEN, NOT_IMAGE, TOO_LARGE, MISLABELLED = "broken image", "not an image", "image too large", "mislabelled image"
NO_DECODER = "no decoder"
BLOCKS_MODES = ("RGB", "L", "YCbCr", "CMYK")
_BUILT_IN = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF")
_STRIP = 2**22
_READ = 2**23
"""Bytes for a call of a decoder: Pillow's 64 kB would have threads take turns four times and more for a photograph."""
_SAME = {"MPO": "JPEG", "DIB": "BMP"}
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
# What decoders raise on damaged files; anything else is a bug.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    LookupError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_TURNS = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_270,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_90,),
}
_SIDEWAYS = (5, 6, 7, 8)
# Pillow would warn of large images and odd tags; here max_pixels decides, and a reason is kept with the file.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, eq=False)
class Decoded:
    """A decoded image.

    Attributes:
        image: its pixels as they were decoded: in its own mode, not turned, a JPEG perhaps at a reduced scale, and then
            in the YCbCr that it stores.
        format: Pillow's name, as in `JPEG`.
        mode: of the file, as in `CMYK`.
        width: in pixels, of the file.
        height: in pixels, of the file.
        orientation: of EXIF, 1 to 8.
        exif: the tags of its first directory.
    """

    image: Image.Image
    format: str
    mode: str
    width: int
    height: int
    orientation: int
    exif: Image.Exif

    @property
    def full_scale(self) -> bool:
        """Whether the pixels are those of the file."""
        return self.image.size == (self.width, self.height)

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height as the image is shown: after the turn that EXIF asks for."""
        return (self.height, self.width) if self.orientation in _SIDEWAYS else (self.width, self.height)

    def small(self, longest: int) -> Image.Image:
        """The image as it is shown, turned, in RGB or grey (L), on white where it is transparent.

        Args:
            longest: the longer side is scaled down to it; a smaller image stays as it is.
        """
        return self._turned(_on_white(_scaled(_plain(self.image), longest, Image.Resampling.BILINEAR)))

    @cached_property
    def _luma(self) -> Image.Image:
        if self.image.mode == "YCbCr":
            return self.image.getchannel("Y")
        if self.image.mode in ("RGB", "L"):  # most images: no need of strips
            return self.image.convert("L")
        plain = _to_eight_bits(self.image) if _is_deep(self.image) else self.image
        whole = Image.new("L", plain.size)
        for top, strip in strips(plain):
            whole.paste(_on_white(_plain(strip)).convert("L"), (0, top))
        return whole

    def grey(self, longest: int) -> Image.Image:
        """The same in grey (L): its luma after ITU-R 601."""
        return self._turned(_scaled(self._luma, longest, Image.Resampling.BILINEAR))

    def colour(self, longest: int) -> Image.Image | None:
        """The same in RGB, for its colours alone; None of a grey image."""
        if self.image.mode in ("RGB", "YCbCr"):
            return _scaled(self.image, longest, Image.Resampling.BOX).convert("RGB")
        image = self.small(longest)
        return image if image.mode == "RGB" else None

    def _turned(self, image: Image.Image) -> Image.Image:
        for turn in _TURNS.get(self.orientation, ()):
            image = image.transpose(turn)
        return image


def strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """A large image in parts, so that what is made of it takes little room beside it.

    Args:
        image: any.

    Yields:
        Where a part begins, and the part: some rows; of an image of up to four million pixels the image itself.
    """
    rows = max(1, _STRIP // image.width)
    if rows >= image.height:
        yield 0, image
        return
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(image.height, top + rows)))


def levels_of(grey: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The pixels of a grey image (L), height by width; `np.asarray` makes the same in twice the time."""
    return np.frombuffer(grey.tobytes(), np.uint8).reshape(grey.height, grey.width)


def _scaled(image: Image.Image, longest: int, filter_: Image.Resampling) -> Image.Image:
    scale = longest / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, filter_, reducing_gap=2.0 if filter_ == Image.Resampling.BILINEAR else 1.0)


def decode(data: bytes, limits: Limits, longest: int | None = None) -> Image.Image:
    """Decodes an image to be shown.

    Args:
        data: the bytes of the file.
        limits: see there.
        longest: the longer side is scaled down to it; None leaves it.

    Returns:
        RGB, turned as EXIF asks, on white where it is transparent.

    Raises:
        UnreadableError: it is no image that is read, is damaged, or is too large.
    """
    decoded = decode_file(data, limits, longest)
    try:
        return decoded.small(longest or max(decoded.image.size)).convert("RGB")
    except _DAMAGE as error:
        _broken(error)


def decode_file(data: bytes, limits: Limits, longest: int | None, name: str = "") -> Decoded:
    """Decodes an image.

    Args:
        data: the bytes of the file.
        limits: see there.
        longest: a side that the decoded image should reach; a JPEG may be decoded at a half, a quarter or an eighth
            where that is enough. None decodes at full scale.
        name: of the file; its ending must be that of the format. Without a known ending, nothing is asked of it.

    Returns:
        The image, decoded.

    Raises:
        UnreadableError: it is no image that is read, is damaged, mislabelled, or too large.
    """
    check_size(len(data), limits)
    image = _open(data)
    try:
        found, mode, (width, height) = _SAME.get(image.format or "", image.format or ""), image.mode, image.size
        check_ending(found, name, IMAGE_ENDINGS, MISLABELLED, limits)
        if width * height > limits.max_pixels:
            told = f"{width:,} by {height:,} pixels, more than max_pixels {limits.max_pixels:,}"
            raise UnreadableError(TOO_LARGE, told)
        if found == "JPEG" and longest is not None:
            _draft(image, longest)
        exif = image.getexif()
        turn = exif.get(ExifTags.Base.Orientation, 1)
        image.decodermaxblock = min(len(data), _READ)
        image.load()
        if found == "TIFF":  # Pillow has turned it
            turn, (width, height) = 1, image.size
    except _DAMAGE as error:
        _broken(error)
    if min(image.size) < 1:
        raise UnreadableError(BROKEN, "has no pixels")
    return Decoded(image, found, mode, width, height, turn if turn in _TURNS else 1, exif)


def _draft(image: Image.Image, longest: int) -> None:
    """Has a JPEG decoded at a reduced scale, if that leaves the longer side; then without a conversion to RGB."""
    scale = longest / max(image.size)
    width, height = (max(1, int(side * scale)) for side in image.size)
    if min(image.width // width, image.height // height) > 1:
        image.draft("YCbCr" if _stores_luma(image) else None, (width, height))


def _stores_luma(image: Image.Image) -> bool:
    """Whether a JPEG stores YCbCr for libjpeg: three components, not called RGB by Adobe's mark or by their names."""
    components = bytes(component[0] for component in getattr(image, "layer", ()))
    return len(components) == 3 and image.info.get("adobe_transform") != 0 and components != b"RGB"


def _open(data: bytes) -> ImageFile.ImageFile:
    try:
        return Image.open(io.BytesIO(data), formats=_formats())
    except UnidentifiedImageError as error:
        if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS and "HEIF" not in _formats():
            told = "HEIC; install what reads it with: pip install 'targetsplit[heic]'"
            raise UnreadableError(NO_DECODER, told) from error
        kind = BROKEN if _begins_like_an_image(data) else NOT_IMAGE
        raise UnreadableError(kind, f"begins with {data[:8]!r}, of no image that is read") from error
    except _DAMAGE as error:
        if isinstance(error, Image.DecompressionBombError):
            raise UnreadableError(TOO_LARGE, str(error).partition(",")[0]) from error
        _broken(error)


def _begins_like_an_image(data: bytes) -> bool:
    starts = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
    return data.startswith(starts) or data[4:8] == b"ftyp"


def _broken(error: BaseException) -> NoReturn:
    lines = str(error).strip().splitlines()
    raise UnreadableError(BROKEN, lines[0] if lines else type(error).__name__) from error


@cache
def _formats() -> tuple[str, ...]:
    """The formats that can be opened here."""
    Image.init()
    try:
        import pi_heif  # noqa: PLC0415, an extra
    except ImportError:
        found: tuple[str, ...] = _BUILT_IN
    else:
        pi_heif.register_heif_opener(thumbnails=False)
        found = (*_BUILT_IN, "HEIF")
    return tuple(name for name in found if name in Image.OPEN)


def _plain(image: Image.Image) -> Image.Image:
    """The image in a mode that can be scaled: no palette, 8 bits a channel."""
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    if image.mode == "1":
        return image.convert("L")
    return _to_eight_bits(image) if _is_deep(image) else image


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith("I") or image.mode == "F"


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Grey of more bits to 8: 16-bit values over 257; fractions of 1 times 255; values up to 255 as they are."""
    largest = max(float(_numbers(strip).max()) for _, strip in strips(image))
    if image.mode == "F":
        factor = 255.0 if largest <= 1 else 1.0 if largest <= 255 else 1 / 257
    else:
        factor = 1 / 257 if image.mode != "I" or largest > 255 else 1.0
    whole = Image.new("L", image.size)
    for top, strip in strips(image):
        levels = np.clip(np.rint(_numbers(strip) * factor), 0, 255).astype(np.uint8)
        whole.paste(Image.fromarray(levels), (0, top))
    return whole


def _numbers(image: Image.Image) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0, posinf=65_535.0, neginf=0.0)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "L"):
        return image
    if image.mode in ("RGBA", "LA", "La", "RGBa"):
        straight = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode)).convert("RGBA")
        white = Image.new("RGBA", straight.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, straight).convert("RGB")
    return image.convert("RGB")
