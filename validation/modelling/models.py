"""Three cheap models of unlike kinds behind one face: boosted trees, a linear model, and many random trees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from validation.modelling.features import GAP_SHARE, Block, Dense
from validation.modelling.raw import Matrix

Family = Literal["boosting", "linear", "forest"]
FAMILIES: tuple[Family, ...] = ("boosting", "linear", "forest")


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for what runs inside.

    Sums in linear algebra differ with the number of threads; and on a shared machine the threads of boosting wait for
    each other: 4 s for a fit that takes 0.1 s alone. Nor are fits run side by side in threads: scikit-learn sets the
    warning filters of the whole process in each.
    """
    with threadpool_limits(1):
        yield


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted model.

    Attributes:
        classes: how many classes there are; 0 for numbers.
    """

    classes: int
    _model: Any
    _dense: Dense | None
    _fill: Matrix
    _constant: float

    def predict(self, matrix: Matrix) -> Matrix:
        """Of classes: Float64, rows by classes, the probability of each. Of numbers: Float64, rows by 1."""
        if not len(matrix):
            return np.zeros((0, max(self.classes, 1)))
        if self._model is None:
            return self._without_model(len(matrix))
        seen = self._dense.transform(matrix) if self._dense else np.where(np.isnan(matrix), self._fill, matrix)
        if not self.classes:
            return np.asarray(self._model.predict(seen), dtype=np.float64).reshape(-1, 1)
        chances = np.zeros((len(matrix), self.classes))
        chances[:, self._model.classes_] = self._model.predict_proba(seen)
        return chances

    def _without_model(self, rows: int) -> Matrix:
        """The one class, or the mean, of all rows it was fitted on."""
        if not self.classes:
            return np.full((rows, 1), self._constant)
        chances = np.zeros((rows, self.classes))
        chances[:, int(self._constant)] = 1.0
        return chances


def fit(
    family: Family,
    matrix: Matrix,
    target: npt.NDArray[Any],
    blocks: tuple[Block, ...],
    classes: int,
    seed: int,
) -> Fitted:
    """Fits one model; to be called inside `one_thread`, which is slow to enter.

    Args:
        family: its kind.
        matrix: of an encoder, rows by columns.
        target: of the rows: Int64 codes of classes, or Float64.
        blocks: of the encoder.
        classes: how many classes there are, in the target or not; 0 for numbers.
        seed: of what is random in it.

    Returns:
        The model. Where the target is the same in all rows, or there is no column, it predicts just that.
    """
    if matrix.shape[1] == 0 or len(np.unique(target)) < 2:
        middle = float(np.bincount(target).argmax()) if classes else float(np.mean(target))
        return Fitted(classes, None, None, np.zeros(0), middle)
    if family == "boosting":
        model, fill = _boosting(matrix, target, blocks, classes, seed % 2**32), _fill_rare_gaps(matrix)
        return Fitted(classes, model.fit(np.where(np.isnan(matrix), fill, matrix), target), None, fill, 0.0)
    dense = Dense.fit(matrix, blocks)
    model = _linear(classes) if family == "linear" else _forest(len(target), classes, seed % 2**32)
    return Fitted(classes, model.fit(dense.transform(matrix), target), dense, np.zeros(0), 0.0)


def _fill_rare_gaps(matrix: Matrix) -> Matrix:
    """What stands for a gap, by column: the median where gaps are rare, NaN where they are common, 0 in empty columns.

    Boosting sends a gap to the side of a cut that gaps went to where it learnt; from a few gaps, or none, it cannot
    know the side, and a column that is full at home and empty away would be read at random.
    """
    known = ~np.isnan(matrix)
    share = known.mean(axis=0)
    median = np.nanmedian(np.where(known.any(axis=0), matrix, 0.0), axis=0)
    return np.where((share > 0) & (share < 1 - GAP_SHARE), np.nan, median)


def _boosting(
    matrix: Matrix, target: npt.NDArray[Any], blocks: tuple[Block, ...], classes: int, seed: int
) -> HistGradientBoostingClassifier | HistGradientBoostingRegressor:
    """Few trees where there are many classes, for every class has trees of its own."""
    seen = len(np.unique(target)) if classes else 1
    settings = {
        "max_iter": 80 if seen <= 2 else max(20, min(80, 200 // seen)),
        "learning_rate": 0.1 if seen <= 4 else 0.2,
        "max_leaf_nodes": 15,
        "min_samples_leaf": 5 if len(matrix) < 2_000 else 20,
        "early_stopping": False,
        "categorical_features": [block.start for block in blocks if block.levels] or None,
        "random_state": seed,
    }
    return HistGradientBoostingClassifier(**settings) if classes else HistGradientBoostingRegressor(**settings)


def _linear(classes: int) -> LogisticRegression | Ridge:
    """Logistic regression with a ridge, or a ridge alone."""
    return LogisticRegression(C=0.3, max_iter=300) if classes else Ridge(alpha=3.0)


def _forest(rows: int, classes: int, seed: int) -> ExtraTreesClassifier | ExtraTreesRegressor:
    """One job: threads would cost more than they save on so few rows, and pickling differs by platform."""
    settings = {
        "n_estimators": 80,
        "min_samples_leaf": 2 if rows < 2_000 else 5,
        "n_jobs": 1,
        "random_state": seed,
    }
    if classes:
        return ExtraTreesClassifier(**settings)
    return ExtraTreesRegressor(max_features=1 / 3, **settings)
