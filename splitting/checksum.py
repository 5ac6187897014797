"""An order-free checksum of rows' keys and groups: the same whatever the files, their format and the order of rows."""

from __future__ import annotations

import polars as pl

from splitting.rules import GROUP, KEY

HIGH, LOW = "_check_high", "_check_low"
_HALF = 2**32


def check_sums() -> tuple[pl.Expr, pl.Expr]:
    """Sums over rows with `_key` and `_group`, UInt64; sums of parts add up to the sum of the whole.

    Returns:
        `_check_high` and `_check_low`; rows with a null key add nothing.
    """
    mixed = pl.col(KEY).xor(pl.col(GROUP))
    return (mixed // _HALF).sum().alias(HIGH), (mixed % _HALF).sum().alias(LOW)


def checksum_text(high: int, low: int) -> str:
    """Two sums as 32 hexadecimal digits.

    Examples:
        >>> checksum_text(10, 255)
        '000000000000000a00000000000000ff'
    """
    return f"{high:016x}{low:016x}"
