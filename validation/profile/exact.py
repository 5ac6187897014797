"""Integers and decimals that floats cannot hold: told apart, and summed, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.profile.distinct import mixed
from validation.profile.scalars import bound_text
from validation.profile.texts import text_hashes

_SURE = 2**53
_DIGITS = 10**15
"""Decimals of fewer digits are each the only one with their float."""
_SALT = np.uint64(0x9E3779B97F4A7C15)
_LIMB, _ROWS = 21, 2**20


def number_hashes(numbers: npt.NDArray[np.float64], exact: pl.Series | None) -> npt.NDArray[np.uint64]:
    """Hashes of numbers: equal ones have the same, whatever their type; others of the floats they are rounded to.

    Args:
        numbers: finite.
        exact: the same as integers or decimals, no null; None where they are floats.
    """
    hashes = mixed((numbers + 0.0).view(np.uint64))
    if exact is None or not len(exact):
        return hashes
    if isinstance(exact.dtype, pl.Decimal):
        many = exact.to_physical().abs() >= _DIGITS
        if many.any():
            texts = exact.filter(many).cast(pl.String)
            if exact.dtype.scale:
                texts = texts.str.strip_chars_end("0").str.strip_chars_end(".")
            hashes[many.to_numpy()] = _of_texts(texts, numbers[many.to_numpy()])
    elif float(np.abs(numbers).max()) >= _SURE:
        if exact.dtype.is_integer() and exact.dtype not in (pl.Int128,):
            whole = exact.to_numpy()
            top = 2.0**64 if whole.dtype == np.uint64 else 2.0**63
            safe = np.where(numbers < top, numbers, 0.0)
            odd = (numbers >= top) | (safe.astype(whole.dtype) != whole)
            hashes[odd] = mixed(whole[odd].astype(np.uint64) ^ _SALT)
        else:
            hashes = _of_texts(exact.cast(pl.String), numbers)
    return hashes


def _of_texts(texts: pl.Series, numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.uint64]:
    """Of the digits; of those that are few, of the float."""
    few = (
        texts.str.len_chars() - texts.str.contains(r"^-").cast(pl.UInt32) - texts.str.contains(r"\.").cast(pl.UInt32)
    ) <= 15
    return np.where(few.to_numpy(), mixed((numbers + 0.0).view(np.uint64)), text_hashes(texts).to_numpy())


def exact_bound(value: object) -> str | None:
    """The least or greatest of integers and decimals, to the last digit."""
    if value is None:
        return None
    if isinstance(value, int | Decimal):
        return bound_text(value, "")
    return bound_text(float(str(value)), "")


def decimal_sums(values: pl.Series) -> tuple[str, str]:
    """The sum of decimals and of their squares, as fractions.

    Args:
        values: of a decimal type, no null.
    """
    whole = values.to_physical()
    total = squares = 0
    if not (whole.abs() >= 2 ** (3 * _LIMB - 1)).any():
        integers = whole.cast(pl.Int64).to_numpy()
        for start in range(0, len(integers), _ROWS):
            part = integers[start : start + _ROWS]
            mask = np.int64(2**_LIMB - 1)
            limbs = [part & mask, (part >> _LIMB) & mask, part >> 2 * _LIMB]
            total += sum(int(limb.sum()) << place * _LIMB for place, limb in enumerate(limbs))
            squares += sum(
                int((a * b).sum()) << (i + j) * _LIMB for i, a in enumerate(limbs) for j, b in enumerate(limbs)
            )
    else:
        for value in whole.to_list():
            total, squares = total + value, squares + value * value
    assert isinstance(values.dtype, pl.Decimal)  # noqa: S101
    one = 10 ** (values.dtype.scale or 0)
    return str(Fraction(total, one)), str(Fraction(squares, one * one))
