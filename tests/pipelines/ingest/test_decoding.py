"""Every format and mode is decoded; what is broken, too large or mislabelled is told apart; nothing else is raised."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipelines.ingest import decoding
from pipelines.ingest.decoding import _formats, decode, decode_file
from pipelines.ingest.images import LONGEST, MEASURED, measure_image
from pipelines.ingest.rejects import Limits, UnreadableError
from tests.support.pictures import encoded, heic, picture

LIMITS = Limits()
ALPHA = Image.merge("RGBA", (*picture(1).split(), Image.linear_gradient("L").resize((96, 64))))
DEEP = Image.fromarray(np.asarray(picture(1).convert("L"), dtype=np.uint16) * 257)
CASES: list[tuple[str, Image.Image, str, dict[str, Any], str, str]] = [
    ("a.jpg", picture(1), "JPEG", {}, "JPEG", "RGB"),
    ("progressive.jpg", picture(1), "JPEG", {"progressive": True}, "JPEG", "RGB"),
    ("grey.jpeg", picture(1).convert("L"), "JPEG", {}, "JPEG", "L"),
    ("cmyk.jpg", picture(1).convert("CMYK"), "JPEG", {}, "JPEG", "CMYK"),
    ("several.jpg", picture(1), "MPO", {"save_all": True, "append_images": [picture(2)]}, "JPEG", "RGB"),
    ("a.png", picture(1), "PNG", {}, "PNG", "RGB"),
    ("alpha.png", ALPHA, "PNG", {}, "PNG", "RGBA"),
    ("grey-alpha.png", ALPHA.convert("LA"), "PNG", {}, "PNG", "LA"),
    ("palette.png", picture(1).quantize(64), "PNG", {}, "PNG", "P"),
    ("clear-palette.png", picture(1).quantize(64), "PNG", {"transparency": 3}, "PNG", "P"),
    ("bits.png", picture(1).convert("1"), "PNG", {}, "PNG", "1"),
    ("deep.png", DEEP, "PNG", {}, "PNG", "I;16"),
    ("a.gif", picture(1), "GIF", {"save_all": True, "append_images": [picture(2)]}, "GIF", "P"),
    ("a.bmp", picture(1), "BMP", {}, "BMP", "RGB"),
    ("a.tif", picture(1), "TIFF", {}, "TIFF", "RGB"),
    ("packed.tiff", picture(1), "TIFF", {"compression": "tiff_lzw"}, "TIFF", "RGB"),
    ("deep.tiff", DEEP, "TIFF", {}, "TIFF", "I;16"),
    ("real.tiff", Image.fromarray(np.asarray(picture(1).convert("L"), np.float32) / 255), "TIFF", {}, "TIFF", "F"),
    ("cmyk.tiff", picture(1).convert("CMYK"), "TIFF", {}, "TIFF", "CMYK"),
    ("lab.tiff", picture(1).convert("L"), "TIFF", {"compression": "jpeg"}, "TIFF", "L"),
    ("a.webp", picture(1), "WEBP", {}, "WEBP", "RGB"),
    ("alpha.webp", ALPHA, "WEBP", {"lossless": True}, "WEBP", "RGBA"),
    ("a.avif", picture(1), "AVIF", {}, "AVIF", "RGB"),
]


@pytest.mark.parametrize(("name", "image", "kind", "options", "found", "mode"), CASES, ids=[case[0] for case in CASES])
def test_formats_and_modes(
    name: str, image: Image.Image, kind: str, options: dict[str, Any], found: str, mode: str
) -> None:
    if kind == "AVIF" and kind not in _formats():
        pytest.skip(f"no decoder of {kind} here")
    data = encoded(image, kind, **options)
    measured = measure_image(data, name, LIMITS)
    assert set(measured) == set(MEASURED.names)
    assert (measured["width"], measured["height"]) == (96, 64)
    assert (measured["format"], measured["mode"]) == (found, mode)
    assert measured["bytes"] == len(data)
    plain = measure_image(encoded(picture(1).convert("L"), "PNG"), "a.png", LIMITS)
    opaque = "alpha" not in name and "clear" not in name and mode not in ("1", "CMYK")
    if opaque:
        assert measured["brightness"] == pytest.approx(plain["brightness"], abs=0.02)
        assert (measured["perceptual_hash"] ^ plain["perceptual_hash"]).bit_count() <= (16 if mode == "P" else 8)
    shown = decode(data, LIMITS)
    assert (shown.mode, shown.size) == ("RGB", (96, 64))


def test_heic_where_it_can_be_read() -> None:
    pytest.importorskip("pi_heif")
    assert measure_image(heic(), "a.heic", LIMITS)["format"] == "HEIF"


def test_heic_without_its_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.ingest.decoding._formats", lambda: ("JPEG", "PNG"))
    with pytest.raises(UnreadableError, match=r"no decoder: HEIC; .*targetsplit\[heic\]"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", LIMITS)


def test_transparent_pixels_are_white() -> None:
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    measured = measure_image(encoded(clear, "PNG"), "a.png", LIMITS)
    assert (measured["brightness"], measured["saturation"]) == (1.0, 0.0)
    assert measured["perceptual_hash"] is measured["difference_hash"] is None


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])  # Pillow turns a TIFF itself
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_exif_asks(orientation: int, kind: str) -> None:
    upright = picture(3, 96, 64)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that makes what the orientation turns back
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, kind, exif=exif)
    measured, plain = (measure_image(d, "a", LIMITS) for d in (data, encoded(upright, kind)))
    assert (measured["width"], measured["height"]) == (96, 64)
    assert measured["perceptual_hash"] == plain["perceptual_hash"]
    assert measured["difference_hash"] == plain["difference_hash"]
    assert decode(data, LIMITS).tobytes() == upright.tobytes()


def test_what_a_camera_says_without_where_it_was() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Canon\0", "Canon EOS 5D", "Light\nroom"
    exif.get_ifd(0x8769)[0x9003] = "2026:02:28 23:59:58"
    exif.get_ifd(0x8825)[1] = "N"
    measured = measure_image(encoded(picture(1), exif=exif), "a.jpg", LIMITS)
    assert measured["camera"] == "Canon EOS 5D"
    assert measured["software"] == "Light room"
    assert str(measured["captured_at"]) == "2026-02-28 23:59:58"
    assert not [name for name in MEASURED.names if "gps" in name.lower() or "latitude" in name]


@pytest.mark.parametrize("written", ["2026:02:30 10:00:00", "0000:00:00 00:00:00", "yesterday", "", b"\xff\xfe"])
def test_a_time_that_is_none_is_null(written: Any) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = written
    assert measure_image(encoded(picture(1), exif=exif), "a.jpg", LIMITS)["captured_at"] is None


@pytest.mark.parametrize("quality", [5, 30, 50, 75, 90, 95])
def test_the_quality_of_a_jpeg(quality: int) -> None:
    measured = measure_image(encoded(picture(1), quality=quality), "a.jpg", LIMITS)
    assert measured["jpeg_quality"] == pytest.approx(quality, abs=2)
    assert measure_image(encoded(picture(1), "PNG"), "a.png", LIMITS)["jpeg_quality"] is None


def test_a_large_jpeg_is_decoded_at_a_reduced_scale() -> None:
    data = encoded(picture(1, 2_400, 1_600))
    decoded = decode_file(data, LIMITS, LONGEST)
    assert decoded.image.size == (300, 200)
    assert (decoded.width, decoded.height) == (2_400, 1_600)
    assert measure_image(data, "a.jpg", LIMITS)["blockiness"] is None
    assert decode(data, LIMITS).size == (2_400, 1_600)
    assert max(decode(data, LIMITS, 96).size) == 96


@pytest.mark.parametrize("mark", ["of Adobe", "by name"])
def test_a_jpeg_at_a_reduced_scale_is_measured_in_the_colours_it_stores(mark: str) -> None:
    large = picture(1, 2_400, 1_600)
    stores_luma, stores_rgb = encoded(large, quality=95), encoded(large, quality=95, keep_rgb=True)
    if mark == "by name":  # without Adobe's mark, the names of the components tell
        at = stores_rgb.index(b"\xff\xee")
        stores_rgb = stores_rgb[:at] + stores_rgb[at + 2 + int.from_bytes(stores_rgb[at + 2 : at + 4]) :]
    assert decode_file(stores_luma, LIMITS, LONGEST).image.mode == "YCbCr"
    assert decode_file(stores_rgb, LIMITS, LONGEST).image.mode == "RGB"
    assert decode_file(stores_luma, LIMITS, None).image.mode == "RGB"
    one, two = measure_image(stores_luma, "a.jpg", LIMITS), measure_image(stores_rgb, "a.jpg", LIMITS)
    assert one["mode"] == two["mode"] == "RGB"
    for name in ("brightness", "contrast", "saturation", "colourfulness", "sharpness"):
        assert one[name] == pytest.approx(two[name], rel=0.05)
    assert (one["perceptual_hash"] ^ two["perceptual_hash"]).bit_count() <= 2
    shown = [np.asarray(decode(data, LIMITS, 96), np.float64) for data in (stores_luma, stores_rgb)]
    assert np.abs(shown[0] - shown[1]).mean() < 3


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header promises a size, and that holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"", "a.jpg", "empty file: 0 bytes"),
        (b"hello, world", "a.jpg", "not an image: begins with b'hello, w'"),
        (b"\xff\xd8\xff\xe0", "a.jpg", "broken image"),
        (encoded(picture(1))[:-300], "a.jpg", "broken image: image file is truncated"),
        (encoded(picture(1), "PNG")[:-300], "a.png", "broken image"),
        (encoded(picture(1), "PNG"), "a.jpg", "mislabelled image: is PNG, and its name ends in .jpg"),
        (encoded(picture(1)), "a.JPEG", ""),
        (encoded(picture(1)), "no ending", ""),
        (encoded(picture(1)), "a.jpg.bak", ""),
        (png_of(20_000, 8_000), "a.png", "image too large: 20,000 by 8,000 pixels, more than max_pixels"),
        (png_of(2**31 - 1, 2**31 - 1), "a.png", "image too large"),
        (png_of(60_000, 1_000), "a.png", "broken image"),
    ],
)
def test_what_is_no_image(data: bytes, name: str, told: str) -> None:
    if not told:
        measure_image(data, name, LIMITS)
        return
    with pytest.raises(UnreadableError) as raised:
        measure_image(data, name, LIMITS)
    assert str(raised.value).startswith(told)


def test_mislabelled_images_can_be_accepted() -> None:
    data = encoded(picture(1), "PNG")
    assert measure_image(data, "a.jpg", Limits(mislabelled="accept"))["format"] == "PNG"


def test_large_files_are_not_decoded() -> None:
    with pytest.raises(UnreadableError, match=r"file too large: .* more than max_bytes 100"):
        measure_image(encoded(picture(1)), "a.jpg", Limits(max_bytes=100))


def test_a_colour_profile_that_is_huge_is_no_way_to_memory() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(picture(1), "PNG", icc_profile=profile + b"\0" * 50_000_000)
    assert len(data) < 1_000_000
    with pytest.raises(UnreadableError, match="broken image"):
        measure_image(data, "a.png", LIMITS)


def test_the_same_pixels_have_one_hash_whatever_packs_them() -> None:
    one, two = (encoded(picture(1), "PNG", compress_level=level) for level in (1, 9))
    assert one != two
    first, second = (measure_image(data, "a.png", LIMITS) for data in (one, two))
    assert first["pixel_hash"] == second["pixel_hash"]
    assert first["content_hash"] != second["content_hash"]
    changed = picture(1)
    changed.putpixel((0, 0), (1, 2, 3))
    assert measure_image(encoded(changed, "PNG"), "a.png", LIMITS)["pixel_hash"] != first["pixel_hash"]


def test_errors_cross_processes() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(UnreadableError("broken image", "cut\noff")))
    assert (error.kind, error.reason) == ("broken image", "cut off")


def test_closed_after_use() -> None:
    sink = io.BytesIO(encoded(picture(1)))
    assert decode(sink.getvalue(), LIMITS, 10).size == (10, 7)


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
def test_a_large_image_is_measured_in_strips_as_it_is_in_one(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture(4, 90, 61)
    if mode == "RGBA":
        image.putalpha(picture(5, 90, 61).convert("L"))
    elif mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert("L").convert(mode) if mode in ("LA", "I", "F") else image.convert(mode)
    data = encoded(image, "TIFF")
    whole = measure_image(data, "a.tif", LIMITS)
    monkeypatch.setattr(decoding, "_STRIP", 500)
    assert measure_image(data, "a.tif", LIMITS) == whole
