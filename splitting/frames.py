"""Packs named frames into bytes and back: the one wire format of summaries. Arrow IPC, never pickle."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
import polars as pl
import pyarrow as pa

from splitting.columns import from_arrow


def pack_frames(frames: Mapping[str, pl.DataFrame]) -> bytes:
    """Packs frames.

    Args:
        frames: by name; their order is kept.

    Returns:
        Bytes that depend on the frames alone.
    """
    parts: list[bytes | memoryview] = []
    for name, frame in frames.items():
        body, title = _packed(frame), name.encode()
        parts += [struct.pack("<IQ", len(title), len(body)), title, body]
    return b"".join(parts)


def _packed(frame: pl.DataFrame) -> memoryview:
    """The frame as an Arrow stream. By pyarrow: what polars writes depends on how the frame came about, too."""
    table = frame.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    columns = [_canonical(column.combine_chunks()) for column in table.columns]
    table = pa.table(columns, schema=table.schema)
    body = pa.BufferOutputStream()
    with pa.ipc.new_stream(body, table.schema) as stream:
        stream.write_table(table)
    return memoryview(body.getvalue())


def _canonical(values: pa.Array) -> pa.Array:
    """Values whose unused bits are 0: those of a mask after its last row can be anything."""
    return values.take(pa.array(np.arange(len(values)))) if values.null_count else values


def unpack_frames(data: bytes) -> dict[str, pl.DataFrame]:
    """The frames that `pack_frames` packed.

    Args:
        data: from `pack_frames`.

    Returns:
        The frames by name, in their order.
    """
    frames = {}
    position, buffer = 0, pa.py_buffer(data)
    while position < len(data):
        title_size, body_size = struct.unpack_from("<IQ", data, position)
        position += struct.calcsize("<IQ")
        name = data[position : position + title_size].decode()
        position += title_size
        frames[name] = from_arrow(pa.ipc.open_stream(buffer.slice(position, body_size)).read_all())
        position += body_size
    return frames
