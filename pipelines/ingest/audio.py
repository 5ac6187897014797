"""Measures one sound: its file, its length, its level. WAV and FLAC, read in blocks; sums are of whole numbers."""

from __future__ import annotations

import hashlib
import io
import math
import struct
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import soundfile

from pipelines.ingest.hashing import content_hash
from pipelines.ingest.names import AUDIO_ENDINGS
from pipelines.ingest.rejects import Limits, UnreadableError, check_ending, check_size

BROKEN, NOT_SOUND, TOO_LONG, MISLABELLED = "broken sound", "not a sound", "sound too long", "mislabelled sound"
_FORMATS = {"WAV": "WAV", "WAVEX": "WAV", "RF64": "WAV", "FLAC": "FLAC"}
_DAMAGE = (soundfile.LibsndfileError, OSError, ValueError, RuntimeError, MemoryError, struct.error)
_BITS = 20
"""Samples are measured as whole numbers of so many bits: their squares add up without loss."""
_FULL = 1 << (_BITS - 1)
_FRAME_SECONDS = 0.02
_SILENT_SQUARE = _FULL**2 // 10**5
"""Mean square of -50 dB of full scale."""
QUIETEST = -120.0
"""Level of silence, in dB of full scale: that of nothing at all would be infinite."""
_MOST_CHANNELS = 64

MEASURED = pa.schema(
    [
        pa.field("duration", pa.float64()),
        pa.field("sample_rate", pa.int32()),
        pa.field("channels", pa.int32()),
        pa.field("format", pa.string()),
        pa.field("subtype", pa.string()),
        pa.field("bytes", pa.int64()),
        pa.field("level", pa.float64()),
        pa.field("peak", pa.float64()),
        pa.field("clipped", pa.float64()),
        pa.field("silence", pa.float64()),
        pa.field("zero_crossings", pa.float64()),
        pa.field("content_hash", pa.string()),
        pa.field("sample_hash", pa.string()),
    ]
)


def measure_audio(data: bytes, name: str, limits: Limits) -> dict[str, Any]:
    """Measures a sound; docs/images.md defines every measure.

    Args:
        data: the bytes of the file.
        name: of the file.
        limits: see there.

    Returns:
        A value for each column of `MEASURED`.

    Raises:
        UnreadableError: it is no sound that is read, is damaged, mislabelled, or too long.
    """
    check_size(len(data), limits)
    if not data.startswith((b"RIFF", b"RF64", b"fLaC")):
        raise UnreadableError(NOT_SOUND, f"begins with {data[:8]!r}, of no sound that is read")
    _check_whole(data)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as sound:
            _check(sound, name, limits)
            return {**_facts(sound), "bytes": len(data), "content_hash": content_hash(data), **_measures(sound)}
    except _DAMAGE as error:
        _broken(error)


def read_audio(data: bytes, name: str, limits: Limits) -> tuple[dict[str, Any], None]:
    """The same; nothing is left to be measured."""
    return measure_audio(data, name, limits), None


def nothing_left(sounds: Sequence[None]) -> list[dict[str, Any]]:
    """Of each sound, no column."""
    return [{} for _ in sounds]


def _broken(error: BaseException) -> NoReturn:
    raise UnreadableError(BROKEN, str(error).replace("<_io.BytesIO object", "file") or type(error).__name__) from error


def _check_whole(data: bytes) -> None:
    """Libsndfile reads a WAV file that is cut off as a shorter one; its header says how long it was."""
    if data[:4] != b"RIFF" or len(data) < 8:
        return
    (told,) = struct.unpack("<I", data[4:8])
    if told not in (0, 0xFFFFFFFF) and told + 8 > len(data) + 1:
        raise UnreadableError(BROKEN, f"is cut off: {len(data):,} bytes of {told + 8:,}")


def _check(sound: soundfile.SoundFile, name: str, limits: Limits) -> None:
    found = _FORMATS.get(sound.format)
    if found is None:
        raise UnreadableError(NOT_SOUND, f"is {sound.format}, expected WAV or FLAC")
    check_ending(found, name, AUDIO_ENDINGS, MISLABELLED, limits)
    if not sound.frames or not sound.samplerate:
        raise UnreadableError(BROKEN, "has no samples")
    if sound.channels > _MOST_CHANNELS:
        raise UnreadableError(TOO_LONG, f"{sound.channels:,} channels, more than {_MOST_CHANNELS}")
    if sound.frames > limits.max_seconds * sound.samplerate:
        told = f"{sound.frames / sound.samplerate:,.0f} seconds, more than max_seconds {limits.max_seconds:,}"
        raise UnreadableError(TOO_LONG, told)


def _facts(sound: soundfile.SoundFile) -> dict[str, Any]:
    return {
        "duration": sound.frames / sound.samplerate,
        "sample_rate": sound.samplerate,
        "channels": sound.channels,
        "format": _FORMATS[sound.format],
        "subtype": sound.subtype,
    }


def _blocks(sound: soundfile.SoundFile, frames: int) -> Iterator[Any]:
    """Samples as int32, frames by channels."""
    fractions = sound.subtype in ("FLOAT", "DOUBLE")  # which are not scaled when they are read as whole numbers
    kind, left = "float64" if fractions else "int32", sound.frames
    while left:
        block = sound.read(min(frames, left), dtype=kind, always_2d=True)
        if not len(block):
            raise UnreadableError(BROKEN, f"is cut off: {left:,} of {sound.frames:,} samples are missing")
        left -= len(block)
        yield _to_whole(block) if fractions else block


def _to_whole(block: Any) -> Any:
    """Fractions of full scale as int32; what is beyond it is clipped, what is no number is silence."""
    known = np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip(np.rint(known * 2.0**31), -(2**31), 2**31 - 1).astype(np.int32)


def _measures(sound: soundfile.SoundFile) -> dict[str, Any]:
    frame = max(1, round(sound.samplerate * _FRAME_SECONDS))
    digest = hashlib.blake2b(f"{sound.samplerate} {sound.channels} ".encode(), digest_size=16)
    squares = peak = clipped = silent = frames = crossings = 0
    last: int | None = None
    for block in _blocks(sound, frame * max(1, 65_536 // frame)):
        digest.update(block.astype("<i4").tobytes())
        clipped += int(((block >= 2**31 - 2**16) | (block == -(2**31))).sum())
        values = (block >> (32 - _BITS)).astype(np.int64)
        square = (values * values).sum(axis=1)
        squares, peak = squares + int(square.sum()), max(peak, int(np.abs(values).max()))
        starts = np.arange(0, len(square), frame)
        lengths = np.minimum(starts + frame, len(square)) - starts
        sums = np.add.reduceat(square, starts)
        silent += int((sums < _SILENT_SQUARE * lengths * sound.channels).sum())
        frames += len(starts)
        signs = values[:, 0] >= 0
        crossings += int((signs[1:] != signs[:-1]).sum()) + (last is not None and last != int(signs[0]))
        last = int(signs[-1])
    samples = sound.frames * sound.channels
    return {
        "level": _decibels(squares / samples),
        "peak": _decibels(float(peak) ** 2),
        "clipped": clipped / samples,
        "silence": silent / frames,
        "zero_crossings": crossings / sound.frames * sound.samplerate,
        "sample_hash": digest.hexdigest(),
    }


def _decibels(square: float) -> float:
    return max(QUIETEST, 10 * math.log10(square / _FULL**2)) if square else QUIETEST
