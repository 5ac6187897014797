"""Mean and covariance of vectors, exact under merging: values on a fixed grid, sums in integers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.profile.values import VectorSummary

CELL, UPPER, LOWER = "cell", "upper", "lower"
LENGTH, MOST_DIMENSIONS, MOST_LENGTH = "length", 128, 4_096
_GRID, _BOUND = 2.0**12, 2.0**20
_ROWS = 2**12
_WORD = 2**32
COUNTED = -1


def sum_vectors(vectors: npt.NDArray[np.float64]) -> pl.DataFrame:
    """Sums vectors and their products.

    Args:
        vectors: finite, [rows, dimensions]; put on a grid of 1/4096, and cut at 256 either way.

    Returns:
        `cell` (-1: rows; then sums by dimension; then the upper triangle of products, up to 128 dimensions), `upper`
        and `lower` (Int64 halves of the sum).
    """
    rows, size = vectors.shape
    grid = np.clip(np.rint(vectors * _GRID), -_BOUND, _BOUND)
    sums = grid.sum(axis=0)  # whole numbers below 2^53: exact in any order
    parts = [np.array([float(rows)]), sums]
    if size <= MOST_DIMENSIONS:
        upper, lower = np.zeros((size, size), np.int64), np.zeros((size, size), np.int64)
        for start in range(0, rows, _ROWS):
            part = grid[start : start + _ROWS]
            product = (part.T @ part).astype(np.int64)
            upper += product >> 32
            lower += product & (_WORD - 1)
        triangle = np.triu_indices(size)
        return _frame(parts, upper[triangle], lower[triangle])
    return _frame(parts, np.zeros(0, np.int64), np.zeros(0, np.int64))


def _frame(
    parts: list[npt.NDArray[np.float64]], upper: npt.NDArray[np.int64], lower: npt.NDArray[np.int64]
) -> pl.DataFrame:
    whole = np.concatenate(parts).astype(np.int64)
    frame = pl.DataFrame(
        {
            CELL: np.arange(len(whole) + len(upper), dtype=np.int64) + COUNTED,
            UPPER: np.concatenate([whole >> 32, upper]),
            LOWER: np.concatenate([whole & (_WORD - 1), lower]),
        }
    )
    return frame.with_columns(carried())


def carried() -> list[pl.Expr]:
    """Brings summed halves into the one form that equal sums share."""
    return [pl.col(UPPER) + pl.col(LOWER) // _WORD, pl.col(LOWER) % _WORD]


def summary(cells: pl.DataFrame, length: int) -> VectorSummary | None:
    """Mean and covariance.

    Args:
        cells: of `sum_vectors`, merged.
        length: of each vector.

    Returns:
        None of no rows; without covariance over 128 dimensions or below two rows.
    """
    values = [upper * _WORD + lower for upper, lower in cells.sort(CELL).select(UPPER, LOWER).iter_rows()]
    if not values or not values[0]:
        return None
    count, sums, products = values[0], values[1 : length + 1], values[length + 1 :]
    mean = np.array([total / count / _GRID for total in sums])
    covariance = None
    if products and count > 1:
        covariance = np.zeros((length, length))
        scale = _GRID * _GRID * (count - 1)
        for value, i, j in zip(products, *(axis.tolist() for axis in np.triu_indices(length)), strict=True):
            covariance[i, j] = covariance[j, i] = (value - sums[i] * sums[j] / count) / scale
    return VectorSummary(count, length, mean, covariance)
