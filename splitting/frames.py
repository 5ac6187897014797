"""Packs named frames into bytes and back: the one wire format of summaries. Arrow IPC, never pickle."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping

import polars as pl


def pack_frames(frames: Mapping[str, pl.DataFrame]) -> bytes:
    """Packs frames.

    Args:
        frames: by name; their order is kept.

    Returns:
        Bytes that depend on the frames alone.
    """
    parts = []
    for name, frame in frames.items():
        body = io.BytesIO()
        frame.rechunk().write_ipc(body)
        title = name.encode()
        parts += [struct.pack("<IQ", len(title), body.tell()), title, body.getvalue()]
    return b"".join(parts)


def unpack_frames(data: bytes) -> dict[str, pl.DataFrame]:
    """The frames that `pack_frames` packed.

    Args:
        data: from `pack_frames`.

    Returns:
        The frames by name, in their order.
    """
    frames = {}
    position = 0
    while position < len(data):
        title_size, body_size = struct.unpack_from("<IQ", data, position)
        position += struct.calcsize("<IQ")
        name = data[position : position + title_size].decode()
        position += title_size
        frames[name] = pl.read_ipc(io.BytesIO(data[position : position + body_size]))
        position += body_size
    return frames
