"""What is one value a column: rows, nulls, the least and the greatest value."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

_INT = pl.Int64()
COUNTS = ("rows", "nulls", "nans", "infinite")
SCALARS: dict[str, pl.DataType] = {
    "family": pl.String(),
    "place": _INT,
    **dict.fromkeys(COUNTS, _INT),
    "least": pl.String(),
    "greatest": pl.String(),
    "shortest": _INT,
    "longest": _INT,
}
_PLACE = ("split", "source", "column")
_MARK = "|"


def bound_text(value: int | float, shown: str) -> str:
    """A least or greatest value as it is kept: the number that orders it, and the text that shows it."""
    return f"{value!r}{_MARK}{shown}"


def _number(text: str) -> int | float:
    number = text.split(_MARK, 1)[0]
    return int(number) if number.lstrip("-").isdigit() else float(number)


def bound_shown(text: str | None) -> int | float | str | None:
    """A least or greatest value: a number, or the text of a time."""
    if text is None:
        return None
    number, _, shown = text.partition(_MARK)
    return shown or _number(number)


def least_of(texts: Iterable[str | None]) -> str | None:
    """The least of several, as they are kept; None of none."""
    return min((text for text in texts if text is not None), key=lambda text: (_number(text), text), default=None)


def greatest_of(texts: Iterable[str | None]) -> str | None:
    """The greatest of several, as they are kept; None of none."""
    return max((text for text in texts if text is not None), key=lambda text: (_number(text), text), default=None)


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
        pl.col("shortest").min(),
        pl.col("longest").max(),
    )
    least = [least_of(texts) for texts in merged["least"].to_list()]
    greatest = [greatest_of(texts) for texts in merged["greatest"].to_list()]
    return merged.with_columns(
        pl.Series("least", least, dtype=pl.String), pl.Series("greatest", greatest, dtype=pl.String)
    ).select(*_PLACE, *SCALARS)
