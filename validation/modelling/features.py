"""Numbers for models, from columns of any kind: fitted on some rows, applied to others, the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from validation.modelling.columns import Feature
from validation.seeds import seed_of

Matrix = npt.NDArray[np.float64]

CATEGORIES = 200
"""Categories of a column that are told apart; HistGradientBoosting takes up to 255."""
ONE_HOT = 30
"""Of these, the commonest that get a column of their own where a model needs columns."""
VECTOR_DIMENSIONS = 128
"""Longer vectors are projected on their first principal axes, this many halved."""
TEXT_DIMENSIONS = 64
TEXT_CHARACTERS = 2_000
TEXT_BUCKETS = 2**16
FARTHEST = 10.0
"""Standardised numbers are cut here, so that one wild value does not rule a linear model."""


class _Part(Protocol):
    """What turns one column into numbers."""

    def transform(self, column: pl.Series) -> Matrix:
        """One row a value, one column a dimension; NaN where nothing is known."""


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
    """Turns frames into matrices; fitted once.

    Attributes:
        features: the columns that are read.
        blocks: where each of them lies in the matrix.
    """

    features: tuple[Feature, ...]
    blocks: tuple[Block, ...]
    _parts: tuple[_Part, ...]

    @classmethod
    def fit(cls, rows: pl.DataFrame, features: Sequence[Feature], salt: str) -> Encoder:
        """Learns categories, words and axes.

        Args:
            rows: what is learnt from: the rows that models are trained on, in a fixed order.
            features: which columns, and as what.
            salt: seeds the projection of texts and vectors.

        Returns:
            The encoder.
        """
        kept, blocks, parts, at = [], [], [], 0
        for feature in features:
            part = _fit_part(rows[feature.name], feature, salt)
            width = part.transform(rows[feature.name].head(1)).shape[1]
            if width:
                levels = part.levels if isinstance(part, _Categories) else 0
                blocks.append(Block(feature.name, at, at + width, levels))
                kept.append(feature)
                parts.append(part)
                at += width
        return cls(tuple(kept), tuple(blocks), tuple(parts))

    def transform(self, rows: pl.DataFrame) -> Matrix:
        """Float64, one row a row; numbers as they are, categories as codes, NaN where nothing is known."""
        encoded = [part.transform(rows[feature.name]) for feature, part in zip(self.features, self._parts, strict=True)]
        return np.hstack(encoded) if encoded else np.zeros((len(rows), 0))

    @property
    def categorical(self) -> list[int]:
        """The columns of the matrix that hold codes of categories."""
        return [block.start for block in self.blocks if block.levels]


@dataclass(frozen=True, eq=False)
class Dense:
    """Turns an encoder's matrix into one without gaps and codes, for models that need that.

    Medians fill gaps, a column more says where a gap was, categories become columns of 0 and 1, and all of it is
    brought to mean 0 and standard deviation 1 on the rows it was fitted on.
    """

    _blocks: tuple[Block, ...]
    _median: Matrix
    _gaps: npt.NDArray[np.int64]
    _mean: Matrix
    _scale: Matrix

    @classmethod
    def fit(cls, matrix: Matrix, blocks: tuple[Block, ...]) -> Dense:
        """Learns medians, means and scales from the rows that a model is trained on."""
        known = ~np.isnan(matrix)
        filled = np.where(known.any(axis=0), matrix, 0.0)
        median = np.nanmedian(filled, axis=0) if len(matrix) else np.zeros(matrix.shape[1])
        share = known.mean(axis=0) if len(matrix) else np.ones(matrix.shape[1])
        gaps = np.flatnonzero((share < 1) & (share > 0))
        raw = cls(blocks, median, gaps, np.zeros(0), np.ones(0))._spread(matrix)
        scale = raw.std(axis=0)
        return cls(blocks, median, gaps, raw.mean(axis=0), np.where(scale > 1e-12, scale, np.inf))

    def transform(self, matrix: Matrix) -> Matrix:
        """Float64 without NaN, one row a row."""
        standard: Matrix = (self._spread(matrix) - self._mean) / self._scale
        return np.clip(standard, -FARTHEST, FARTHEST)

    def _spread(self, matrix: Matrix) -> Matrix:
        """The columns before they are standardised."""
        known = ~np.isnan(matrix)
        filled = np.where(known, matrix, self._median)
        columns = []
        for block in self._blocks:
            if block.levels:
                codes = np.arange(min(block.levels, ONE_HOT))
                columns.append((matrix[:, [block.start]] == codes).astype(np.float64))
            else:
                columns.append(filled[:, block.start : block.stop])
        return np.hstack([*columns, (~known[:, self._gaps]).astype(np.float64)])


def _fit_part(column: pl.Series, feature: Feature, salt: str) -> _Part:
    """What turns this column into numbers."""
    if feature.kind == "number":
        return _Numbers()
    if feature.kind == "category":
        return _Categories.fit(column)
    if feature.kind == "vector":
        return _Vectors.fit(column, seed_of(salt, "axes", feature.name))
    return _Texts.fit(column, seed_of(salt, "words", feature.name))


@dataclass(frozen=True)
class _Numbers:
    """Numbers and booleans as they are; infinite ones are gaps."""

    def transform(self, column: pl.Series) -> Matrix:
        numbers = column.cast(pl.Float64).to_numpy().reshape(-1, 1)
        return np.where(np.isfinite(numbers), numbers, np.nan)


@dataclass(frozen=True, eq=False)
class _Categories:
    """Codes by falling frequency; rare and unknown categories share the last code."""

    known: pl.DataFrame
    levels: int

    @classmethod
    def fit(cls, column: pl.Series) -> _Categories:
        values = column.cast(pl.String).drop_nulls().alias("value").to_frame()
        counted = values.group_by("value").len().sort(["len", "value"], descending=[True, False])
        known = counted.head(CATEGORIES).select("value").with_row_index("code")
        return cls(known, len(known) + 1)

    def transform(self, column: pl.Series) -> Matrix:
        values = column.cast(pl.String).alias("value").to_frame()
        joined = values.join(self.known, on="value", how="left", maintain_order="left")
        other = self.levels - 1
        codes = joined.select(
            pl.when(pl.col("value").is_not_null()).then(pl.col("code").cast(pl.Float64).fill_null(other))
        )
        return codes.to_series().fill_null(float("nan")).to_numpy().reshape(-1, 1)


@dataclass(frozen=True, eq=False)
class _Vectors:
    """The dimensions of vectors of the commonest length; others are gaps. Long ones are projected."""

    length: int
    axes: Any

    @classmethod
    def fit(cls, column: pl.Series, seed: int) -> _Vectors:
        lengths = column.drop_nulls().cast(pl.List(pl.Float64)).list.len()
        commonest = lengths.value_counts().sort(["count", lengths.name], descending=True)[lengths.name]
        length = int(commonest[0]) if len(commonest) else 0
        plain = cls(length, None)
        if length <= VECTOR_DIMENSIONS:
            return plain
        known = plain.transform(column)
        known = known[~np.isnan(known).any(axis=1)]
        axes = TruncatedSVD(VECTOR_DIMENSIONS // 2, random_state=seed % 2**32)
        return cls(length, axes.fit(known)) if len(known) > 1 else plain

    def transform(self, column: pl.Series) -> Matrix:
        lists = column.cast(pl.List(pl.Float64))
        fits = (lists.list.len() == self.length).fill_null(value=False).to_numpy()
        values = lists.filter(pl.Series(fits)).explode().to_numpy()
        matrix = np.full((len(column), self.length), np.nan)
        matrix[fits] = values.reshape(-1, self.length) if self.length else 0.0
        matrix = np.where(np.isfinite(matrix), matrix, np.nan)
        if self.axes is None:
            return matrix
        whole = ~np.isnan(matrix).any(axis=1)
        projected = np.full((len(column), VECTOR_DIMENSIONS // 2), np.nan)
        if whole.any():
            projected[whole] = self.axes.transform(matrix[whole])
        return projected


@dataclass(frozen=True, eq=False)
class _Texts:
    """Hashed words and pairs of words, weighted by how rare they are, on their first axes; and the length."""

    words: HashingVectorizer
    weights: TfidfTransformer
    axes: Any

    @classmethod
    def fit(cls, column: pl.Series, seed: int) -> _Texts:
        # Characters of words join in, so that texts without spaces between words, and rare forms, say something too.
        words = HashingVectorizer(n_features=TEXT_BUCKETS, ngram_range=(1, 2), alternate_sign=False, norm=None)
        weights = TfidfTransformer(sublinear_tf=True)
        counts = weights.fit_transform(words.transform(_plain(column)))
        dimensions = min(TEXT_DIMENSIONS, len(column) - 1)
        if dimensions < 1 or not counts.nnz:
            return cls(words, weights, None)
        axes = TruncatedSVD(dimensions, n_iter=3, random_state=seed % 2**32)
        return cls(words, weights, axes.fit(counts))

    def transform(self, column: pl.Series) -> Matrix:
        plain = _plain(column)
        length = np.log1p([[len(text)] for text in plain]) if plain else np.zeros((0, 1))
        if self.axes is None or not plain:
            width = 0 if self.axes is None else self.axes.components_.shape[0]
            return np.hstack([length, np.zeros((len(plain), width))])
        return np.hstack([length, self.axes.transform(self.weights.transform(self.words.transform(plain)))])


def _plain(column: pl.Series) -> list[str]:
    """The beginning of every text; of a gap, nothing."""
    return column.cast(pl.String).fill_null("").str.slice(0, TEXT_CHARACTERS).to_list()
