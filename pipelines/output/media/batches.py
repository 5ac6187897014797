"""Cuts tables so that the files of a batch fit in little memory, however large or many they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

BATCH_BYTES = 4 * 2**20
BATCH_ROWS = 1_024


def bounded(rows: pa.Table, sizes: pa.ChunkedArray, most: int = BATCH_BYTES) -> Iterator[pa.Table]:
    """Runs of consecutive rows whose files are small together.

    Args:
        rows: a table.
        sizes: int64, without nulls: the bytes of each row's file.
        most: bytes of a run; a larger file is a run of its own.

    Yields:
        They, in order, none empty; at most 1,024 rows each.
    """
    ends = np.cumsum(sizes.to_numpy().astype(np.int64))
    start = 0
    while start < len(rows):
        before = int(ends[start - 1]) if start else 0
        fitting = int(np.searchsorted(ends, before + most, side="right"))
        end = min(max(fitting, start + 1), start + BATCH_ROWS, len(rows))
        yield rows.slice(start, end - start)
        start = end
