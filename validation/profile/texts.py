"""Counts of categories: every one while they are few, then a count-min sketch. Both are functions of the rows alone.

Count-min (Cormode and Muthukrishnan 2005, J. Algorithms 55) is linear: the sketch of two parts is the sum of their
sketches, so whoever overflows first, and when, does not matter.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_hash as plh

VALUE, COUNT, CELL = "value", "count", "cell"
CAP = 10_000
DEPTH, WIDTH = 4, 1024
_BITS = 10
_SEED = 0x7461726765747370
_LONGEST, _KEPT = 200, 160


def shown_texts(texts: pl.Series) -> pl.Series:
    """Texts as they are kept: long ones are cut, with their hash at the end.

    Args:
        texts: String, no null.

    Returns:
        String; those of at most 200 bytes are as they were.
    """
    if not len(texts):
        return texts
    sizes = texts.str.len_bytes()
    if int(sizes.max()) <= _LONGEST:  # type: ignore[arg-type]
        return texts
    long = sizes > _LONGEST
    return (
        pl.DataFrame({VALUE: texts, "long": long, "hash": text_hashes(texts)})
        .select(
            pl.when("long")
            .then(pl.format("{}… #{}", pl.col(VALUE).str.slice(0, _KEPT), "hash"))
            .otherwise(VALUE)
            .alias(VALUE)
        )
        .to_series()
    )


def text_hashes(texts: pl.Series) -> pl.Series:
    """UInt64: xxh3 of each text's UTF-8 bytes."""
    if not len(texts):
        return pl.Series(VALUE, [], dtype=pl.UInt64)
    return texts.alias(VALUE).to_frame().select(plh.col(VALUE).nchash.xxh3_64(seed=_SEED)).to_series()


def count_texts(texts: pl.Series) -> pl.DataFrame:
    """Rows by text: `value` and `count`."""
    counted = texts.alias(VALUE).to_frame().group_by(VALUE).agg(pl.len().cast(pl.Int64).alias(COUNT))
    return counted.select(VALUE, COUNT)


def sketch_cells(hashes: npt.NDArray[np.uint64], depth: int) -> npt.NDArray[np.int64]:
    """The cell of each hash in one of the rows of the sketch, from 0 to 1,023."""
    cells = hashes >> np.uint64(depth * _BITS)
    cells &= np.uint64(WIDTH - 1)
    return cells.view(np.int64)


def sketch_rows(hashes: pl.Series, counts: pl.Series | None = None) -> pl.DataFrame:
    """The sketch of rows.

    Args:
        hashes: UInt64, of each row's text.
        counts: Int64, how many rows each stands for; None for one.

    Returns:
        `cell` and `count`, those above 0, by cell.
    """
    numbers = hashes.to_numpy()
    sums = np.zeros((DEPTH, WIDTH), dtype=np.int64)
    for depth in range(DEPTH):
        cells = sketch_cells(numbers, depth)
        if counts is None:
            sums[depth] = np.bincount(cells, minlength=WIDTH)
        else:
            np.add.at(sums[depth], cells, counts.to_numpy())
    used = np.flatnonzero(sums)
    return pl.DataFrame({CELL: used.astype(np.int64), COUNT: sums.ravel()[used]})


def sketched_counts(sketch: pl.DataFrame, texts: pl.Series) -> npt.NDArray[np.int64]:
    """Upper bounds of the rows of some texts.

    Args:
        sketch: `cell` and `count`.
        texts: String, as `shown_texts` gives them.

    Returns:
        Int64, never too small.
    """
    sums = np.zeros(DEPTH * WIDTH, dtype=np.int64)
    sums[sketch[CELL].to_numpy()] = sketch[COUNT].to_numpy()
    hashes = text_hashes(texts).to_numpy()
    rows = [row[sketch_cells(hashes, depth)] for depth, row in enumerate(sums.reshape(DEPTH, WIDTH))]
    found: npt.NDArray[np.int64] = np.minimum.reduce(rows)
    return found


def sketch_error(rows: int) -> int:
    """By how much a sketched count is too large at most, in 98 of 100 cases: `e / width` of all rows."""
    return math.ceil(rows * math.e / WIDTH)
