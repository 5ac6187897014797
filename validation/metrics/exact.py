"""Sums of numbers and of their squares without rounding, so that any split and order of the rows gives the same bits.

A float is a whole number times a power of two. Sums are kept as whole numbers in units of 2^-1126, squares in units of
2^-2252: the smallest that a float of 64 bits and its square can need.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from validation.metrics.columns import MetricError

_UNIT = 1126
_MANTISSA = 53
_HALF = 32


@dataclass(frozen=True)
class ExactSums:
    """Sums over the numbers of a column; nulls and NaN are left out.

    Attributes:
        count: finite numbers.
        total: their sum, in units of 2^-1126.
        squares: the sum of their squares, in units of 2^-2252.
        infinite: rows with plus infinity.
        minus_infinite: rows with minus infinity.
        whole: all were of integer types.
    """

    count: int = 0
    total: int = 0
    squares: int = 0
    infinite: int = 0
    minus_infinite: int = 0
    whole: bool = True

    @classmethod
    def of(cls, values: pl.Series) -> ExactSums:
        """Sums numbers.

        Args:
            values: numbers or truth values, without nulls. Decimals are taken as floats of 64 bits.

        Returns:
            Their sums.

        Raises:
            MetricError: values of another type.
        """
        if values.dtype == pl.Boolean:
            values = values.cast(pl.Int64)
        if values.dtype.is_integer() and values.dtype not in (pl.Int128, pl.UInt128):
            return cls(len(values), *_sums(values.to_numpy(), None))
        if not values.dtype.is_float() and not values.dtype.is_decimal():
            raise MetricError(f"values of type {values.dtype} have no sum")
        numbers = values.cast(pl.Float64).to_numpy()
        finite = numbers[np.isfinite(numbers)]
        mantissas, exponents = np.frexp(finite)
        total, squares = _sums((mantissas * 2.0**_MANTISSA).astype(np.int64), exponents - _MANTISSA)
        plus, minus = int(np.isposinf(numbers).sum()), int(np.isneginf(numbers).sum())
        return cls(len(finite), total, squares, plus, minus, whole=False)

    def __add__(self, other: ExactSums) -> ExactSums:
        return ExactSums(
            self.count + other.count,
            self.total + other.total,
            self.squares + other.squares,
            self.infinite + other.infinite,
            self.minus_infinite + other.minus_infinite,
            self.whole and other.whole,
        )

    @property
    def sum(self) -> float | int:
        """The sum, correctly rounded; exact for integers."""
        if self._not_finite is not None:
            return self._not_finite
        exact = Fraction(self.total, 1 << _UNIT)
        return int(exact) if self.whole else _float(exact)

    @property
    def mean(self) -> float | None:
        """The mean; None of nothing."""
        if self._not_finite is not None:
            return self._not_finite
        return _float(Fraction(self.total, self.count << _UNIT)) if self.count else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation with n - 1; None below two numbers, or where one is infinite."""
        if self.count < 2 or self._not_finite is not None:
            return None
        about_mean = Fraction(self.squares * self.count - self.total**2, self.count * (self.count - 1))
        return math.sqrt(_float(about_mean / (1 << 2 * _UNIT)))

    @property
    def _not_finite(self) -> float | None:
        if self.infinite and self.minus_infinite:
            return math.nan
        return math.inf if self.infinite else -math.inf if self.minus_infinite else None

    def to_plain(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "total": hex(self.total), "squares": hex(self.squares)}

    @classmethod
    def from_plain(cls, told: dict[str, Any]) -> ExactSums:
        """What `to_plain` told."""
        return cls(**{**told, "total": int(told["total"], 16), "squares": int(told["squares"], 16)})


def _float(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def _sums(numbers: Any, exponents: Any) -> tuple[int, int]:
    """Sums of whole numbers times powers of two: of halves of 32 bits, whose products fit in 64 bits."""
    wide = numbers.astype(np.uint64 if numbers.dtype == np.uint64 else np.int64)
    high, low = wide >> _HALF, (wide & (2**_HALF - 1)).astype(np.uint64)
    parts = {
        "h": high,
        "l": low,
        "hh": high * high,
        "hl": high * low.astype(high.dtype),
        "ll": low * low,
    }
    by = np.zeros(len(wide), dtype=np.int64) if exponents is None else exponents.astype(np.int64)
    sums = pl.DataFrame({"by": by, **parts}).group_by("by").agg(pl.col(*parts).cast(pl.Int128).sum())
    total = squares = 0
    for exponent, h, l, hh, hl, ll in sums.iter_rows():  # noqa: E741
        total += ((h << _HALF) + l) << (exponent + _UNIT)
        squares += ((hh << 2 * _HALF) + (hl << _HALF + 1) + ll) << 2 * (exponent + _UNIT)
    return total, squares
