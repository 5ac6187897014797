"""Mean and covariance of vectors, exact under merging: integers by the size of each vector's largest number.

The largest absolute value of a vector has an exponent; vectors of the same eight exponents are a band. All numbers of
a band are taken in 40 binary digits below its bound: a rule for each vector alone, so that integers add up to the same
sums in any order, whatever the size of the numbers. What is lost of a number is less than 2^-32 of the largest of its
vector.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.profile.values import VectorSummary

BAND, CELL, UPPER, LOWER = "band", "cell", "upper", "lower"
KEYS = (BAND, CELL)
LENGTH, MOST_DIMENSIONS, MOST_LENGTH = "length", 128, 4_096
COUNTED = -1
_EXPONENTS = 8
_DIGITS = 20
_ROWS = 2**12
_WORD = 48
_LARGEST = float(np.finfo(np.float64).max)
Halves = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def sum_vectors(vectors: npt.NDArray[np.float64]) -> pl.DataFrame:
    """Sums vectors and their products.

    Args:
        vectors: finite, [rows, dimensions]; at most 4 million rows.

    Returns:
        By `band`: `cell` (-1: rows; then sums by dimension; then the upper triangle of products, up to 128
        dimensions), `upper` and `lower` (Int64, the sum is `upper · 2^48 + lower`). In units of 2^-40 of the band's
        bound, and of the square of that.
    """
    sizes = np.abs(vectors).max(axis=1, initial=0.0)
    bands = np.floor_divide(np.frexp(sizes)[1], _EXPONENTS)
    found = np.unique(bands)
    parts = [_band(vectors if len(found) == 1 else vectors[bands == band], int(band)) for band in found]
    schema = {BAND: pl.Int64(), CELL: pl.Int64(), UPPER: pl.Int64(), LOWER: pl.Int64()}
    return pl.concat([pl.DataFrame(schema=schema), *parts]).with_columns(carried())


def _band(vectors: npt.NDArray[np.float64], band: int) -> pl.DataFrame:
    size = vectors.shape[1]
    sums = [np.zeros(size, np.int64), np.zeros(size, np.int64)]
    products = [np.zeros((size, size), np.int64), np.zeros((size, size), np.int64)]
    squared = size <= MOST_DIMENSIONS
    for start in range(0, len(vectors), _ROWS):
        scaled = _shifted(vectors[start : start + _ROWS], _DIGITS - _bound(band))
        first = np.rint(scaled)
        scaled -= first
        scaled *= 2.0**_DIGITS
        second = np.rint(scaled, out=scaled)
        _add(sums, [first.sum(axis=0), second.sum(axis=0)])
        if squared:
            crossed = first.T @ second if second.any() else np.zeros((size, size))
            _add(products, [first.T @ first, crossed + crossed.T, second.T @ second])
    triangle = np.triu_indices(size) if squared else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    halves = [
        np.concatenate([count, total, product[triangle]])
        for count, total, product in zip(([0], [len(vectors)]), sums, products, strict=True)
    ]
    return pl.DataFrame(
        {
            BAND: np.full(len(halves[0]), band, np.int64),
            CELL: np.arange(len(halves[0]), dtype=np.int64) + COUNTED,
            UPPER: halves[0].astype(np.int64),
            LOWER: halves[1].astype(np.int64),
        }
    )


def _shifted(values: npt.NDArray[np.float64], exponent: int) -> npt.NDArray[np.float64]:
    """Times a power of two; in two steps, as that may be no float."""
    half = exponent // 2
    return np.asarray(values * 2.0**half * 2.0 ** (exponent - half))


def _bound(band: int) -> int:
    """The exponent that no number of a band reaches."""
    return _EXPONENTS * (band + 1)


def _add(halves: list[npt.NDArray[np.int64]], digits: list[npt.NDArray[np.float64]]) -> None:
    """Adds a number of some digits, the first the most: whole numbers below 2^53, exact in any order."""
    for place, digit in enumerate(reversed(digits)):
        whole, shift = digit.astype(np.int64), _DIGITS * place
        halves[0] += whole >> (_WORD - shift)
        halves[1] += (whole & ((1 << (_WORD - shift)) - 1)) << shift


def carried() -> list[pl.Expr]:
    """Brings summed halves into the one form that equal sums share."""
    return [pl.col(UPPER) + pl.col(LOWER) // 2**_WORD, pl.col(LOWER) % 2**_WORD]


def summary(cells: pl.DataFrame, length: int) -> VectorSummary | None:
    """Mean and covariance.

    Args:
        cells: of `sum_vectors`, merged.
        length: of each vector.

    Returns:
        None of no rows; without covariance over 128 dimensions or below two rows.
    """
    bands = {}
    for (band,), part in cells.sort(BAND, CELL).group_by(BAND, maintain_order=True):
        bands[int(str(band))] = [(upper << _WORD) + lower for upper, lower in part.select(UPPER, LOWER).iter_rows()]
    count = sum(values[0] for values in bands.values())
    if not count:
        return None
    lowest = min(bands)

    def added(start: int, stop: int | None, powers: int) -> list[int]:
        """Sums of all bands, in units of the lowest one."""
        columns = [
            [value << powers * (_bound(band) - _bound(lowest)) for value in values[start:stop]]
            for band, values in bands.items()
        ]
        return [sum(column) for column in zip(*columns, strict=True)]

    sums, products = added(1, length + 1, 1), added(length + 1, None, 2)
    unit = _bound(lowest) - 2 * _DIGITS
    mean = np.clip([_scaled(Fraction(total, count), unit) for total in sums], -_LARGEST, _LARGEST)
    covariance = None
    if products and count > 1:
        covariance = np.zeros((length, length))
        for value, i, j in zip(products, *(axis.tolist() for axis in np.triu_indices(length)), strict=True):
            spread = value * count - sums[i] * sums[j]
            covariance[i, j] = covariance[j, i] = _scaled(Fraction(spread, count * (count - 1)), 2 * unit)
    return VectorSummary(count, length, mean, covariance)


def _scaled(value: Fraction, exponent: int) -> float:
    """A fraction times a power of two, correctly rounded; infinite where it is too large."""
    scaled = value * Fraction(2) ** exponent
    try:
        return float(scaled)
    except OverflowError:
        return math.inf if scaled > 0 else -math.inf
