"""Losses of models on rows, averaged by row: at home by folds, so that no row is judged by a model that saw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from validation.modelling.columns import Feature
from validation.modelling.features import Encoder
from validation.modelling.models import FAMILIES, Family, fit, one_thread
from validation.modelling.raw import Matrix, Places, RawColumns, read_columns
from validation.modelling.rows import SampleRows, Unsigned, keyed_folds
from validation.modelling.target import Target
from validation.seeds import seed_of

FOLDS = 5


@dataclass(frozen=True, eq=False)
class Judged:
    """What models of one family did on some rows.

    Attributes:
        losses: Float64, one a row: the mean over the models that judged it.
        confidence: Float64, one a row: the mean of the greatest probability; 0 for numeric labels.
        groups: UInt64, of the rows.
        by_fit: the mean loss of each fitted model over all the rows it judged.
        folds: parts that the rows trained on were cut into.
    """

    losses: Matrix
    confidence: Matrix
    groups: Unsigned
    by_fit: tuple[float, ...]
    folds: int = FOLDS


@dataclass(eq=False)
class _Sums:
    """Sums by row while models are fitted."""

    truth: npt.NDArray[Any]
    groups: Unsigned
    loss: Matrix = field(init=False)
    confidence: Matrix = field(init=False)
    times: Matrix = field(init=False)
    by_fit: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loss, self.confidence, self.times = (np.zeros(len(self.truth)) for _ in range(3))

    def add(self, at: npt.NDArray[Any], predicted: Matrix, target: Target) -> None:
        losses = target.losses(predicted, self.truth[at])
        self.loss[at] += losses
        self.confidence[at] += 0.0 if target.is_number else predicted.max(axis=1)
        self.times[at] += 1
        if len(losses):
            self.by_fit.append(float(losses.mean()))

    def result(self, folds: int) -> Judged:
        times = np.maximum(self.times, 1)
        return Judged(self.loss / times, self.confidence / times, self.groups, tuple(self.by_fit), folds)


@one_thread()
def judge(
    train: SampleRows,
    others: list[SampleRows],
    features: tuple[Feature, ...],
    target: Target,
    label: str,
    rounds: int,
    folds: int = FOLDS,
) -> dict[Family, list[Judged]]:
    """Fits models on folds of the training rows, and judges them on the rows held out and on other rows.

    Args:
        train: labelled rows to train on.
        others: labelled rows of other splits or sources; every model judges all of them.
        features: columns that models see.
        target: how the label is read; fitted on `train`.
        label: its column.
        rounds: how often all folds are gone through, with other folds.
        folds: parts of the training rows; each is held out once a round.

    Returns:
        By family: the held-out rows of `train`, then each of `others`. The encoder is fitted on the rows that the
        models are trained on, for a model that is shipped knows no other words and categories.
    """
    truth = target.encode(train.rows[label])
    read, read_away = read_columns(train.rows, features), [read_columns(other.rows, features) for other in others]
    sums = {
        family: [
            _Sums(truth, train.group_numbers()),
            *(_Sums(target.encode(other.rows[label]), other.group_numbers()) for other in others),
        ]
        for family in FAMILIES
    }
    strata = target.strata(truth)
    drawn = [
        keyed_folds(train.group_numbers(), strata, folds, train.salt, "probe", str(turn)) for turn in range(rounds)
    ]
    tasks = [_Task(turn, fold, *_parts(drawn[turn], fold)) for turn in range(rounds) for fold in range(folds)]
    tasks = [task for task in tasks if len(task.seen) and len(task.held)]

    for task in tasks:
        predicted = _predictions(task, read, read_away, truth, target.count, train.salt)
        for family, matrices in predicted.items():
            sums[family][0].add(task.held, matrices[0], target)
            for matrix, mine in zip(matrices[1:], sums[family][1:], strict=True):
                mine.add(np.arange(len(matrix)), matrix, target)
    return {family: [mine.result(folds) for mine in listed] for family, listed in sums.items()}


@dataclass(frozen=True, eq=False)
class _Task:
    """One fold of one round: the places of the rows that are learnt from, and of those held out."""

    turn: int
    fold: int
    seen: Places
    held: Places


def _parts(folds: Places, fold: int) -> tuple[Places, Places]:
    return np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)


def _predictions(
    task: _Task,
    read: RawColumns,
    away: list[RawColumns],
    truth: npt.NDArray[Any],
    classes: int,
    salt: str,
) -> dict[Family, list[Matrix]]:
    """By family, what its model predicts for the rows held out and for the other rows."""
    learnt = read.take(task.seen)
    encoder = Encoder.fit(learnt, salt)
    known, asked = encoder.transform(learnt), [encoder.transform(part) for part in (read.take(task.held), *away)]
    predicted = {}
    for family in FAMILIES:
        seed = seed_of(salt, "probe", family, str(task.turn), str(task.fold))
        model = fit(family, known, truth[task.seen], encoder.blocks, classes, seed)
        predicted[family] = [model.predict(matrix) for matrix in asked]
    return predicted
