"""Columns in the form that models are made from, before anything is learnt: read once, whatever is fitted on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.feature_extraction.text import HashingVectorizer

from validation.modelling.columns import Feature

Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

TEXT_CHARACTERS = 2_000
"""The beginning of a text that is read."""
TEXT_BUCKETS = 2**18
LARGEST = 1e30
"""Trees hold numbers in 32 bits, and models square them."""

# Signs of scripts that set no space between words are words; of paths and ids, every run of letters or of digits is.
_WORD = r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|\b\w\w+\b"
_NAME = r"[^\W\d_]+|\d+"


@dataclass(frozen=True, eq=False)
class RawColumn:
    """One column, read.

    Attributes:
        feature: what it is.
        values: Float64 rows by dimensions, of numbers, vectors, and the length of texts; NaN for gaps.
        labels: categories, None for gaps; None for other kinds.
        words: counts of hashed words and pairs of words, sparse rows by buckets; None for other kinds.
    """

    feature: Feature
    values: Matrix
    labels: pl.Series | None = None
    words: Any = None

    def take(self, at: Places) -> RawColumn:
        """The rows at these places."""
        return RawColumn(
            self.feature,
            self.values[at],
            None if self.labels is None else self.labels[pl.Series(at, dtype=pl.UInt32)],
            None if self.words is None else self.words[at],
        )


@dataclass(frozen=True, eq=False)
class RawColumns:
    """All features of some rows, read."""

    columns: tuple[RawColumn, ...]
    rows: int

    def __len__(self) -> int:
        """How many rows there are."""
        return self.rows

    def take(self, at: Places) -> RawColumns:
        """The rows at these places."""
        return RawColumns(tuple(column.take(at) for column in self.columns), len(at))


def read_columns(rows: pl.DataFrame, features: Sequence[Feature]) -> RawColumns:
    """Reads the features of a frame.

    Args:
        rows: with all these columns.
        features: which columns, and as what.

    Returns:
        The columns read; nothing is learnt from them yet.
    """
    return RawColumns(tuple(_read(rows[feature.name], feature) for feature in features), len(rows))


def vector_matrix(column: pl.Series, length: int) -> Matrix:
    """Vectors as a matrix.

    Args:
        column: lists of numbers.
        length: of the vectors wanted.

    Returns:
        Float64, rows by dimensions; rows that are null or of another length are NaN.
    """
    lists = column.cast(pl.List(pl.Float64))
    fits = (lists.list.len() == length).fill_null(value=False)
    matrix = np.full((len(column), length), np.nan)
    if length and fits.any():
        matrix[fits.to_numpy()] = lists.filter(fits).explode().to_numpy().reshape(-1, length)
    return bounded(matrix)


def bounded(numbers: Matrix) -> Matrix:
    """Numbers that models can square and add: those beyond `LARGEST` are cut there, infinite ones are gaps."""
    return np.where(np.isfinite(numbers), np.clip(numbers, -LARGEST, LARGEST), np.nan)


def _read(column: pl.Series, feature: Feature) -> RawColumn:
    if feature.kind == "number":
        numbers = column.cast(pl.Float64).to_numpy().reshape(-1, 1)
        return RawColumn(feature, bounded(numbers))
    if feature.kind == "vector":
        return RawColumn(feature, vector_matrix(column, feature.length))
    strings = column.cast(pl.String)
    if feature.kind == "category":
        return RawColumn(feature, np.zeros((len(column), 0)), labels=strings)
    plain = strings.fill_null("").str.slice(0, TEXT_CHARACTERS)
    words = HashingVectorizer(
        n_features=TEXT_BUCKETS,
        ngram_range=(1, 2),
        alternate_sign=False,
        norm=None,
        token_pattern=_NAME if feature.kind == "name" else _WORD,
    )
    lengths = np.log1p(plain.str.len_chars().cast(pl.Float64).to_numpy()).reshape(-1, 1)
    return RawColumn(feature, lengths, words=words.transform(plain.to_list()))
