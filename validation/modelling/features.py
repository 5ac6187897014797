"""Numbers for models, from columns of any kind: fitted on some rows, applied to others, the same every time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from validation.modelling.raw import Matrix, Places, RawColumn, RawColumns
from validation.seeds import seed_of

CATEGORIES = 200
"""Categories of a column that are told apart; HistGradientBoosting takes up to 255."""
ONE_HOT = 30
"""Of these, the commonest that get a column of their own where a model needs columns."""
VECTOR_DIMENSIONS = 128
"""Longer vectors are projected on their first principal axes, half as many as this."""
TEXT_DIMENSIONS = 64
FREQUENT_WORDS = 20_000
"""Words in most texts that are weighed; a word must be in two."""
GAP_SHARE = 0.1
"""Whether a value is there is told apart where gaps are neither rarer nor commoner than this."""
FARTHEST = 10.0
"""Standardised numbers are cut here, so that one wild value does not rule a linear model."""


class _Part(Protocol):
    """What turns one column into numbers."""

    def transform(self, column: RawColumn) -> Matrix:
        """One row a row, one column a dimension; NaN where nothing is known."""


@dataclass(frozen=True)
class Block:
    """The columns of a matrix that stand for one feature.

    Attributes:
        name: of the feature.
        start: its first column.
        stop: the column after its last.
        levels: of categories, how many codes there are (0 to `levels - 1`); 0 for numbers.
    """

    name: str
    start: int
    stop: int
    levels: int = 0


@dataclass(frozen=True, eq=False)
class Encoder:
    """Turns columns into matrices; fitted once.

    Attributes:
        blocks: where each feature lies in the matrix.
    """

    blocks: tuple[Block, ...]
    _parts: tuple[_Part, ...]

    @classmethod
    def fit(cls, columns: RawColumns, salt: str) -> Encoder:
        """Learns categories, words and axes.

        Args:
            columns: of the rows that models are trained on, in a fixed order.
            salt: seeds the projection of texts and vectors.

        Returns:
            The encoder.
        """
        blocks, parts, at = [], [], 0
        for column in columns.columns:
            part = _fit_part(column, salt)
            width = part.transform(column.take(np.arange(min(1, len(columns))))).shape[1]
            blocks.append(
                Block(column.feature.name, at, at + width, part.levels if isinstance(part, _Categories) else 0)
            )
            parts.append(part)
            at += width
        return cls(tuple(blocks), tuple(parts))

    def transform(self, columns: RawColumns) -> Matrix:
        """Float64, one row a row; numbers as they are, categories as codes, NaN where nothing is known."""
        encoded = [part.transform(column) for column, part in zip(columns.columns, self._parts, strict=True)]
        return np.hstack(encoded) if encoded else np.zeros((len(columns), 0))

    @property
    def categorical(self) -> list[int]:
        """The columns of the matrix that hold codes of categories."""
        return [block.start for block in self.blocks if block.levels]


@dataclass(frozen=True, eq=False)
class Dense:
    """Turns an encoder's matrix into one without gaps and codes, for models that need that.

    Medians fill gaps and numbers are brought to mean 0 and standard deviation 1, both as on the rows it was fitted on.
    Categories become columns of -1 and 1 around their mean, never stretched: a category that is rare where a model
    learns must not weigh tens of standard deviations where it is common.
    """

    _blocks: tuple[Block, ...]
    _median: Matrix
    _gaps: Places
    _mean: Matrix
    _scale: Matrix

    @classmethod
    def fit(cls, matrix: Matrix, blocks: tuple[Block, ...]) -> Dense:
        """Learns medians, means and scales from the rows that a model is trained on."""
        known = ~np.isnan(matrix)
        median = np.nanmedian(np.where(known.any(axis=0), matrix, 0.0), axis=0)
        share = known.mean(axis=0)
        gaps = np.flatnonzero((share <= 1 - GAP_SHARE) & (share >= GAP_SHARE))
        raw, flags = cls(blocks, median, gaps, np.zeros(0), np.ones(0))._spread(matrix)
        scale = raw.std(axis=0)
        scale = np.where(scale > 1e-12, scale, np.inf)
        scale[flags] = 0.5
        return cls(blocks, median, gaps, raw.mean(axis=0), scale)

    def transform(self, matrix: Matrix) -> Matrix:
        """Float64 without NaN, one row a row."""
        standard: Matrix = (self._spread(matrix)[0] - self._mean) / self._scale
        return np.clip(standard, -FARTHEST, FARTHEST)

    def _spread(self, matrix: Matrix) -> tuple[Matrix, list[int]]:
        """The columns before they are standardised, and which of them are 0 or 1."""
        known = ~np.isnan(matrix)
        filled = np.where(known, matrix, self._median)
        columns: list[Matrix] = []
        flags: list[int] = []
        width = 0
        for block in self._blocks:
            if block.levels:
                codes = np.arange(min(block.levels, ONE_HOT))
                columns.append((matrix[:, [block.start]] == codes).astype(np.float64))
                flags.extend(range(width, width + len(codes)))
            else:
                columns.append(filled[:, block.start : block.stop])
            width += columns[-1].shape[1]
        columns.append((~known[:, self._gaps]).astype(np.float64))
        flags.extend(range(width, width + len(self._gaps)))
        return np.hstack(columns), flags


def _fit_part(column: RawColumn, salt: str) -> _Part:
    """What turns this column into numbers."""
    name = column.feature.name
    if column.labels is not None:
        return _Categories.fit(column.labels)
    if column.words is not None:
        return _Texts.fit(column, seed_of(salt, "words", name))
    if column.values.shape[1] > VECTOR_DIMENSIONS:
        return _LongVectors.fit(column, seed_of(salt, "axes", name))
    return _AsTheyAre()


@dataclass(frozen=True)
class _AsTheyAre:
    """Numbers, booleans and short vectors."""

    def transform(self, column: RawColumn) -> Matrix:
        return column.values


@dataclass(frozen=True, eq=False)
class _Categories:
    """Codes by falling frequency; rare and unknown categories share the last code."""

    known: pl.DataFrame
    levels: int

    @classmethod
    def fit(cls, labels: pl.Series) -> _Categories:
        counted = labels.drop_nulls().alias("value").to_frame().group_by("value").len()
        known = counted.sort(["len", "value"], descending=[True, False]).head(CATEGORIES)
        return cls(known.select("value").with_row_index("code"), len(known) + 1)

    def transform(self, column: RawColumn) -> Matrix:
        labels = column.labels if column.labels is not None else pl.Series([None] * len(column.values), dtype=pl.String)
        joined = labels.alias("value").to_frame().join(self.known, on="value", how="left", maintain_order="left")
        code = pl.col("code").cast(pl.Float64).fill_null(self.levels - 1)
        codes = joined.select(pl.when(pl.col("value").is_not_null()).then(code).otherwise(float("nan")))
        return codes.to_series().to_numpy().reshape(-1, 1)


@dataclass(frozen=True, eq=False)
class _LongVectors:
    """Their place on the first axes; a vector with a gap is a gap."""

    axes: Any
    dimensions: int

    @classmethod
    def fit(cls, column: RawColumn, seed: int) -> _LongVectors:
        known = column.values[~np.isnan(column.values).any(axis=1)]
        dimensions = min(VECTOR_DIMENSIONS // 2, max(len(known) - 1, 1))
        axes = TruncatedSVD(dimensions, n_iter=3, random_state=seed % 2**32)
        return cls(axes.fit(known) if len(known) > 1 else None, dimensions)

    def transform(self, column: RawColumn) -> Matrix:
        whole = ~np.isnan(column.values).any(axis=1)
        projected = np.full((len(column.values), self.dimensions), np.nan)
        if self.axes is not None and whole.any():
            projected[whole] = self.axes.transform(column.values[whole])
        return projected


@dataclass(frozen=True, eq=False)
class _Texts:
    """Words and pairs of words, weighted by how rare they are, on their first axes; and the length."""

    buckets: Places
    weights: TfidfTransformer
    axes: Any

    @classmethod
    def fit(cls, column: RawColumn, seed: int) -> _Texts:
        texts = np.bincount(column.words.indices, minlength=column.words.shape[1])
        frequent = np.argsort(-texts, kind="stable")[:FREQUENT_WORDS]
        buckets = np.sort(frequent[texts[frequent] >= 2])
        weights = TfidfTransformer(sublinear_tf=True)
        dimensions = min(TEXT_DIMENSIONS, len(buckets) - 1, column.words.shape[0] - 1)
        if dimensions < 1:
            return cls(buckets, weights, None)
        counts = weights.fit_transform(column.words[:, buckets])
        axes = TruncatedSVD(dimensions, n_iter=3, random_state=seed % 2**32)
        return cls(buckets, weights, axes.fit(counts))

    def transform(self, column: RawColumn) -> Matrix:
        if self.axes is None:
            return column.values
        if not column.words.shape[0]:
            return np.zeros((0, 1 + self.axes.n_components))
        return np.hstack([column.values, self.axes.transform(self.weights.transform(column.words[:, self.buckets]))])
