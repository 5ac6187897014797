"""What is one value a column: rows, nulls, the least and the greatest value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from fractions import Fraction

import polars as pl

_INT = pl.Int64()
COUNTS = ("rows", "nulls", "nans", "infinite")
SCALARS: dict[str, pl.DataType] = {
    "family": pl.String(),
    "place": _INT,
    **dict.fromkeys(COUNTS, _INT),
    "least": pl.String(),
    "greatest": pl.String(),
    "total": pl.String(),
    "squares": pl.String(),
    "shortest": _INT,
    "longest": _INT,
}
_SUMS = ("total", "squares")
_PLACE = ("split", "source", "column")
_MARK, _DECIMAL = "|", "d"
_ALL = Context(prec=80)


def bound_text(value: int | float | Decimal, shown: str) -> str:
    """A least or greatest value as it is kept: the number that orders it, and the text that shows it."""
    number = f"{_DECIMAL}{value.normalize(_ALL):f}" if isinstance(value, Decimal) else repr(value)
    return f"{number}{_MARK}{shown}"


def _number(text: str) -> int | float | Decimal:
    number = text.split(_MARK, 1)[0]
    if number.startswith(_DECIMAL):
        return Decimal(number[len(_DECIMAL) :])
    return int(number) if number.lstrip("-").isdigit() else float(number)


def bound_shown(text: str | None) -> int | float | str | None:
    """A least or greatest value: a number, or the text of a time, or of a decimal that no float shows."""
    if text is None:
        return None
    bound, _, shown = text.partition(_MARK)
    number = _number(bound)
    if shown or not isinstance(number, Decimal):
        return shown or number  # type: ignore[return-value]
    if number == number.to_integral_value():
        return int(number)
    return float(number) if Decimal(repr(float(number))) == number else f"{number:f}"


def least_of(texts: Iterable[str | None]) -> str | None:
    """The least of several, as they are kept; None of none."""
    return min((text for text in texts if text is not None), key=lambda text: (_number(text), text), default=None)


def greatest_of(texts: Iterable[str | None]) -> str | None:
    """The greatest of several, as they are kept; None of none."""
    return max((text for text in texts if text is not None), key=lambda text: (_number(text), text), default=None)


def sum_of(texts: Sequence[str]) -> str | None:
    """The sum of fractions, as they are kept; None of none."""
    return str(sum(map(Fraction, texts), Fraction(0))) if texts else None


def merge_scalars(columns: pl.DataFrame) -> pl.DataFrame:
    """Merges rows of the same split, source and column.

    Args:
        columns: the place and `SCALARS`.

    Returns:
        One row each, in no order.
    """
    merged = columns.group_by(_PLACE).agg(
        pl.col("family").filter(pl.col("family") != "").min().fill_null(""),
        pl.col("place").min(),
        *(pl.col(name).sum() for name in COUNTS),
        pl.col("least", "greatest").drop_nulls().unique(),
        pl.col("total", "squares").drop_nulls(),
        pl.col("shortest").min(),
        pl.col("longest").max(),
    )
    least = [least_of(texts) for texts in merged["least"].to_list()]
    greatest = [greatest_of(texts) for texts in merged["greatest"].to_list()]
    return merged.with_columns(
        pl.Series("least", least, dtype=pl.String),
        pl.Series("greatest", greatest, dtype=pl.String),
        *(pl.Series(name, [sum_of(texts) for texts in merged[name].to_list()], dtype=pl.String) for name in _SUMS),
    ).select(*_PLACE, *SCALARS)
