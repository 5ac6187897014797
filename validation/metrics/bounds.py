"""Values against bounds: exactly, where the values are integers or decimals of any size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from validation.metrics.columns import MetricError, comparable, moment

_LARGEST = 2**127 - 1
"""That an Int128 holds."""


def between(
    values: pl.Series,
    min_value: Any = None,
    max_value: Any = None,
    *,
    strict_min: bool | None = False,
    strict_max: bool | None = False,
) -> pl.Series:
    """Which values lie between bounds.

    Args:
        values: numbers, truth values, texts or times, without nulls.
        min_value: the lower bound: a number, a text or a time; None for none. Against decimals a float is the decimal
            that it is written as.
        max_value: the upper bound; None for none.
        strict_min: the lower bound itself is out.
        strict_max: the upper bound itself is out.

    Returns:
        Boolean.

    Raises:
        MetricError: no bound, bounds the wrong way round, or of another type than the values.
    """
    if min_value is None and max_value is None:
        raise MetricError("min_value and max_value cannot both be None")
    low, high = (None if bound is None else _bound(bound, values.dtype) for bound in (min_value, max_value))
    if low is not None and high is not None and low > high:
        raise MetricError(f"min_value {min_value} is greater than max_value {max_value}")
    if is_counted(values.dtype):
        return _within(in_units(values), scale_of(values.dtype), (low, bool(strict_min)), (high, bool(strict_max)))
    values = comparable(values)
    inside = pl.repeat(True, len(values), dtype=pl.Boolean, eager=True)
    if low is not None:
        inside &= values > low if strict_min else values >= low
    if high is not None:
        inside &= values < high if strict_max else values <= high
    return inside


def summed(columns: Sequence[pl.Series]) -> tuple[pl.Series, int]:
    """The sums of rows: exact where all columns hold integers, decimals or truth values.

    Args:
        columns: at least one, of one length.

    Returns:
        The sums, in units of ten to the minus the second value; null where a value is.

    Raises:
        MetricError: values that have no sum, or whose sums do not fit in 128 bits.
    """
    for values in columns:
        if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
            raise MetricError(f"values of type {values.dtype} have no sum")
    if not all(is_counted(values.dtype) for values in columns):
        total = pl.zeros(len(columns[0]), eager=True)
        for values in columns:
            total = total + values.cast(pl.Float64)
        return total, 0
    scale = max(scale_of(values.dtype) for values in columns)
    units = [(in_units(values), 10 ** (scale - scale_of(values.dtype))) for values in columns]
    if sum(_magnitude(values) * factor for values, factor in units) > _LARGEST:
        raise MetricError("the sums are too large for 128 bits")
    return sum((values * pl.Series([factor], dtype=pl.Int128) for values, factor in units), start=_zeros(units)), scale


def is_counted(dtype: pl.DataType) -> bool:
    """Whether values of a type are whole numbers of some power of ten: integers, decimals, truth values."""
    return dtype.is_integer() or dtype.is_decimal() or dtype == pl.Boolean


def scale_of(dtype: pl.DataType) -> int:
    """Decimal places of a type that `is_counted`."""
    return dtype.scale if isinstance(dtype, pl.Decimal) else 0


def in_units(values: pl.Series) -> pl.Series:
    """Values of a type that `is_counted` as whole numbers of 128 bits: a price of 1.25 with two places is 125."""
    return values.to_physical().cast(pl.Int128)


def exact(number: float | Fraction) -> Fraction:
    """A finite number as people write it: 0.1 is one tenth.

    Examples:
        >>> exact(0.1)
        Fraction(1, 10)
    """
    return Fraction(number) if isinstance(number, int | Fraction) else Fraction(Decimal(str(number)))


def _zeros(units: Sequence[tuple[pl.Series, int]]) -> pl.Series:
    return pl.zeros(len(units[0][0]), dtype=pl.Int128, eager=True)


def _magnitude(values: pl.Series) -> int:
    ends = [end for end in (values.min(), values.max()) if isinstance(end, int)]
    return max(map(abs, ends), default=0)


def _within(units: pl.Series, scale: int, lower: tuple[Any, bool], upper: tuple[Any, bool]) -> pl.Series:
    """Which whole numbers lie between bounds, which need not be whole: between the whole numbers next to them."""
    inside = pl.repeat(True, len(units), dtype=pl.Boolean, eager=True)
    (low, above), (high, below) = lower, upper
    if low is not None:
        least = _whole(low, scale, math.floor) + 1 if above else _whole(low, scale, math.ceil)
        inside &= units >= _as_units(least) if least <= _LARGEST else False
    if high is not None:
        most = _whole(high, scale, math.ceil) - 1 if below else _whole(high, scale, math.floor)
        inside &= units <= _as_units(most) if most >= -_LARGEST else False
    return inside


def _whole(bound: Any, scale: int, rounded: Any) -> int:
    if isinstance(bound, float) and math.isinf(bound):
        return 2**128 if bound > 0 else -(2**128)
    return int(rounded(exact(bound) * 10**scale))


def _as_units(number: int) -> pl.Series:
    return pl.Series([max(-_LARGEST, min(number, _LARGEST))], dtype=pl.Int128)


def _bound(bound: Any, dtype: pl.DataType) -> Any:
    if dtype in (pl.Date, pl.Datetime):
        if isinstance(bound, int | float):
            raise MetricError(f"the bound {bound} is a number, and the values are of type {dtype}")
        return moment(bound, dtype)
    if dtype == pl.String and isinstance(bound, str):
        return bound
    numbers = dtype.is_numeric() or dtype == pl.Boolean
    if not numbers or not isinstance(bound, int | float | Fraction) or bound != bound:  # noqa: PLR0124, NaN has no order
        raise MetricError(f"the bound {bound!r} cannot be compared with values of type {dtype}")
    return bound
