"""Sends rows that are to be compared to one place: partitions of a shuffle, and the packed rows that travel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl

from splitting.frames import pack_frames, unpack_frames
from splitting.linking.values import VALUE

MASK = "mask"
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_TOP = np.uint64(33)


def by_number(rows: pl.DataFrame, name: str, partitions: int) -> Iterator[tuple[str, bytes]]:
    """Rows by a number of theirs.

    Args:
        rows: with that column.
        name: of the column, UInt64.
        partitions: how many.

    Yields:
        The name of a partition and its rows, packed; rows of one number are in one partition.
    """
    return _parts(rows, rows[name].to_numpy(), partitions)


def by_mask(hashes: pl.DataFrame, masks: Sequence[int], partitions: int) -> Iterator[tuple[str, bytes]]:
    """Rows by their hash under each of some masks.

    Args:
        hashes: with `value`.
        masks: in their order.
        partitions: how many, for each mask.

    Yields:
        The name of a partition and its rows, packed, with `mask` (UInt8, its number); rows that agree under a mask are
        in one partition of it.
    """
    for number, mask in enumerate(masks):
        rows = hashes.with_columns(pl.lit(number, dtype=pl.UInt8).alias(MASK))
        for name, packed in _parts(rows, hashes[VALUE].to_numpy() & np.uint64(mask), partitions):
            yield f"{number}/{name}", packed


def _parts(rows: pl.DataFrame, keys: np.ndarray, partitions: int) -> Iterator[tuple[str, bytes]]:
    if not len(rows):
        return
    # Multiplied by an odd number, all bits of a key decide the upper ones.
    place = ((keys * _SPREAD) >> _TOP) % np.uint64(partitions)
    for number in np.unique(place):
        yield str(number), pack_frames({"rows": rows.filter(pl.Series(place == number))})


def gathered(parts: Iterable[bytes]) -> pl.DataFrame:
    """The rows of a partition, in no order that means anything."""
    return pl.concat([unpack_frames(part)["rows"] for part in parts])
