"""What the probe predicts: classes or numbers, from a column of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.modelling.raw import Matrix, bounded

CLASSES = 30
"""Classes that are told apart; rarer ones are one class together."""
FEW_NUMBERS = 20
"""A numeric label of at most so many values is one of classes."""
LEAST_SPREAD = 1e-12


@dataclass(frozen=True, eq=False)
class Target:
    """How a label is read; learnt from the rows that models are trained on.

    Attributes:
        classes: the classes told apart, as texts; empty for numbers.
        folded: whether rarer classes share a code of their own.
        mean: of a numeric label.
        scale: its standard deviation.
        origin: taken off whole numbers before they become floats, which near 2^62 would all be the same.
    """

    classes: tuple[str, ...]
    folded: bool = False
    mean: float = 0.0
    scale: float = 1.0
    origin: int = 0

    @classmethod
    def fit(cls, labels: pl.Series, *, number: bool | None = None) -> Target:
        """Reads labels, nulls left out.

        Args:
            labels: of the rows that models are trained on.
            number: whether they are numbers or classes; None to decide it.

        Returns:
            Classes, or numbers where the label is numeric and has more than 20 values.
        """
        known = _known(labels)
        if number is None:
            number = known.dtype.is_numeric() and known.n_unique() > FEW_NUMBERS
        if number:
            origin = int(known.sort()[len(known) // 2]) if known.dtype.is_integer() else 0
            numbers = _numbers(known, origin)
            scale = float(numbers.std())
            return cls((), mean=float(numbers.mean()), scale=scale if scale > LEAST_SPREAD else 1.0, origin=origin)
        counted = known.cast(pl.String).alias("value").to_frame().group_by("value").len()
        values = counted.sort(["len", "value"], descending=[True, False])["value"].to_list()
        return cls(tuple(values[:CLASSES]), folded=len(values) > CLASSES)

    @property
    def is_number(self) -> bool:
        """Whether numbers are predicted, by their squared error."""
        return not self.classes

    @property
    def count(self) -> int:
        """Classes a model may be asked for, the rare and the unknown included; 0 for numbers."""
        return len(self.classes) + 2 if self.classes else 0

    def encode(self, labels: pl.Series) -> npt.NDArray[Any]:
        """Codes of classes (Int64), or standardised numbers (Float64).

        Args:
            labels: without nulls and NaN.

        Returns:
            One a row. A class that no training row has gets a code that no model predicts, unless rare ones were
            folded: then it counts as one of them.
        """
        if self.is_number:
            return (_numbers(labels, self.origin) - self.mean) / self.scale
        codes = {value: code for code, value in enumerate(self.classes)}
        unknown = len(codes) if self.folded else len(codes) + 1
        texts = labels.cast(pl.String).to_list()
        return np.array([codes.get(text, unknown) for text in texts], dtype=np.int64)

    def strata(self, truth: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """What folds are balanced by: the class, or the fifth that a number lies in."""
        if not self.is_number:
            return truth.astype(np.int64)
        return np.searchsorted(np.quantile(truth, [0.2, 0.4, 0.6, 0.8]), truth).astype(np.int64)

    def losses(self, predicted: Matrix, truth: npt.NDArray[Any]) -> Matrix:
        """Of every row: 1 for a wrong class and 0 for the right one; or the squared error, standardised."""
        if self.is_number:
            return np.asarray((predicted[:, 0] - truth) ** 2, dtype=np.float64)
        return np.asarray(predicted.argmax(axis=1) != truth, dtype=np.float64)

    def constant_losses(self, learnt: npt.NDArray[Any], truth: npt.NDArray[Any]) -> Matrix:
        """Of every row, the loss of always answering with the commonest class, or the mean, of the rows learnt from.

        Args:
            learnt: encoded labels that there were to learn from.
            truth: encoded labels of the rows that are judged.

        Returns:
            As `losses`.
        """
        if self.is_number:
            return np.asarray((truth - learnt.mean()) ** 2, dtype=np.float64)
        return np.asarray(truth != np.bincount(learnt).argmax(), dtype=np.float64)

    def error(self, mean_loss: float) -> float:
        """The error rate; or the root of the mean squared error, in standard deviations of the label."""
        return float(np.sqrt(mean_loss)) if self.is_number else float(mean_loss)


def labelled(labels: pl.Series) -> npt.NDArray[np.bool_]:
    """Which rows have a label: neither null nor NaN nor infinite."""
    known = labels.is_not_null()
    if labels.dtype.is_float():
        known &= labels.is_finite().fill_null(value=False)
    return known.to_numpy()


def _numbers(labels: pl.Series, origin: int) -> Matrix:
    if origin:
        labels = labels.cast(pl.Int128) - pl.Series([origin], dtype=pl.Int128)
    return bounded(labels.cast(pl.Float64).to_numpy())


def _known(labels: pl.Series) -> pl.Series:
    return labels.filter(pl.Series(labelled(labels)))
