"""2,000 damaged variants of files: each is measured or rejected with a reason; nothing crashes, hangs or is lost."""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from pipelines.ingest.audio import measure_audio
from pipelines.ingest.decoding import _formats
from pipelines.ingest.images import measure_image
from pipelines.ingest.rejects import Limits, UnreadableError
from tests.support.ingesting import ingest, task_of
from tests.support.pictures import encoded, heic, picture, write

GROCERIES = Path(__file__).resolve().parents[4] / "shared/data/grocery_phone_iconic"
VARIANTS = 2_000
LIMITS = Limits(max_pixels=4_000_000)
Random = np.random.Generator


def cut(data: bytes, rng: Random) -> bytes:
    return data[: rng.integers(0, len(data))]


def flip(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data)
    for place in rng.integers(0, len(data), rng.integers(1, 40)):
        changed[place] ^= int(rng.integers(1, 256))
    return bytes(changed)


def flip_head(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data)
    for place in rng.integers(0, min(200, len(data)), rng.integers(1, 6)):
        changed[place] = int(rng.integers(0, 256))
    return bytes(changed)


def huge(data: bytes, rng: Random) -> bytes:
    """Four bytes of the header are the largest numbers there are: sizes, counts and lengths among them."""
    place = int(rng.integers(4, min(160, len(data) - 4)))
    value = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x01\x00\x00"][rng.integers(4)]
    return data[:place] + value + data[place + 4 :]


def blank(data: bytes, rng: Random) -> bytes:
    start = int(rng.integers(0, len(data)))
    length = int(rng.integers(1, 2_000))
    return data[:start] + b"\0" * len(data[start : start + length]) + data[start + length :]


def splice(data: bytes, rng: Random) -> bytes:
    start, end = sorted(rng.integers(0, len(data), 2))
    return data[:end] + data[start:]


DAMAGES: list[Callable[[bytes, Random], bytes]] = [cut, flip, flip_head, huge, blank, splice]


def images() -> list[tuple[str, bytes]]:
    """Files of every format; real photographs where they are at hand."""
    pytest.importorskip("pi_heif")
    _formats()  # registers HEIC
    found = [
        ("a.jpg", encoded(picture(1, 320, 240))),
        ("b.jpg", encoded(picture(2, 320, 240), progressive=True)),
        ("a.png", encoded(picture(3), "PNG")),
        ("b.png", encoded(picture(4).quantize(64), "PNG")),
        ("a.webp", encoded(picture(5), "WEBP")),
        ("a.gif", encoded(picture(6), "GIF")),
        ("a.bmp", encoded(picture(7), "BMP")),
        ("a.tif", encoded(picture(8), "TIFF")),
        ("b.tif", encoded(picture(9), "TIFF", compression="tiff_lzw")),
        ("c.tif", encoded(picture(10), "TIFF", compression="jpeg")),
        ("a.avif", encoded(picture(11), "AVIF")),
        ("a.heic", heic()),
    ]
    return found + [(path.name, path.read_bytes()) for path in sorted(GROCERIES.rglob("*.jpg"))[::24]]


def variants(files: list[tuple[str, bytes]], count: int) -> list[tuple[str, bytes]]:
    found = []
    for number in range(count):
        rng = np.random.default_rng(number)
        name, data = files[number % len(files)]
        damaged = DAMAGES[rng.integers(len(DAMAGES))](data, rng)
        wrong = files[rng.integers(len(files))][0] if rng.integers(10) == 0 else name
        found.append((f"{number:04d}.{wrong}", damaged))
    return found


def test_damaged_images_are_measured_or_rejected() -> None:
    outcomes: Counter[str] = Counter()
    for name, data in variants(images(), VARIANTS):
        try:
            measured = measure_image(data, name, LIMITS)
        except UnreadableError as error:
            outcomes[error.kind if error.reason.isprintable() else "unprintable"] += 1
            continue
        outcomes["measured"] += 1
        assert measured["width"] * measured["height"] <= LIMITS.max_pixels
        numbers = [value for value in measured.values() if isinstance(value, float)]
        assert all(math.isfinite(value) for value in numbers), measured
    assert outcomes.total() == VARIANTS
    assert not outcomes["unprintable"]
    assert {"measured", "broken image", "not an image", "mislabelled image", "image too large"} <= set(outcomes)


def test_damaged_sounds_are_measured_or_rejected() -> None:
    tone = (np.sin(np.arange(8_000) / 9) * 12_000).astype(np.int16)
    files = []
    for name, kind, subtype in (("a.wav", "WAV", "PCM_16"), ("b.wav", "WAV", "FLOAT"), ("a.flac", "FLAC", "PCM_16")):
        sink = io.BytesIO()
        soundfile.write(sink, tone / 32_768, 8_000, format=kind, subtype=subtype)
        files.append((name, sink.getvalue()))
    outcomes: Counter[str] = Counter()
    for name, data in variants(files, VARIANTS // 2):
        try:
            measured = measure_audio(data, name, LIMITS)
        except UnreadableError as error:
            outcomes[error.kind] += 1
            continue
        outcomes["measured"] += 1
        assert all(math.isfinite(value) for value in measured.values() if isinstance(value, float)), measured
    assert outcomes.total() == VARIANTS // 2
    assert {"measured", "broken sound", "not a sound"} <= set(outcomes)


def test_a_folder_of_damaged_files_is_accounted_for(tmp_path: Path) -> None:
    made = variants(images(), 300)
    for name, data in made:
        write(tmp_path / "photos" / name, data)
    found = ingest(task_of(tmp_path, "photos", limits=LIMITS))
    assert sorted([*found.rows["path"], *found.rejected]) == sorted(name for name, _ in made)
    assert found.rows["path"].is_sorted()
    assert found.rows.select(pl.col(pl.Float64).is_finite().all()).row(0).count(False) == 0
