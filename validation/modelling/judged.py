"""Losses of models on rows, averaged by row: at home by folds, so that no row is judged by a model that saw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from validation.modelling.columns import Feature
from validation.modelling.features import Encoder
from validation.modelling.models import FAMILIES, Family, fit, one_thread
from validation.modelling.raw import Matrix, read_columns
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
    """

    losses: Matrix
    confidence: Matrix
    groups: Unsigned
    by_fit: tuple[float, ...]


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

    def result(self) -> Judged:
        times = np.maximum(self.times, 1)
        return Judged(self.loss / times, self.confidence / times, self.groups, tuple(self.by_fit))


@one_thread()
def judge(
    train: SampleRows,
    others: list[SampleRows],
    features: tuple[Feature, ...],
    target: Target,
    label: str,
    rounds: int,
) -> dict[Family, list[Judged]]:
    """Fits models on folds of the training rows, and judges them on the rows held out and on other rows.

    Args:
        train: labelled rows to train on.
        others: labelled rows of other splits or sources; every model judges all of them.
        features: columns that models see.
        target: how the label is read; fitted on `train`.
        label: its column.
        rounds: how often all folds are gone through, with other folds.

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
    for turn in range(rounds):
        folds = keyed_folds(train.group_numbers(), target.strata(truth), FOLDS, train.salt, "probe", str(turn))
        for fold in range(FOLDS):
            seen, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            if not len(seen) or not len(held):
                continue
            encoder = Encoder.fit(read.take(seen), train.salt)
            learnt, home = encoder.transform(read.take(seen)), encoder.transform(read.take(held))
            away = [encoder.transform(columns) for columns in read_away]
            for family in FAMILIES:
                seed = seed_of(train.salt, "probe", family, str(turn), str(fold))
                model = fit(family, learnt, truth[seen], encoder.blocks, target.count, seed)
                sums[family][0].add(held, model.predict(home), target)
                for matrix, mine in zip(away, sums[family][1:], strict=True):
                    mine.add(np.arange(len(matrix)), model.predict(matrix), target)
    return {family: [mine.result() for mine in listed] for family, listed in sums.items()}
