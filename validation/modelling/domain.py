"""Can two splits be told apart? A classifier that tries, how well it does, and the columns it does it by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata
from sklearn.ensemble import HistGradientBoostingClassifier

from validation.modelling.columns import LeftOut, columns_of
from validation.modelling.features import Block, Encoder
from validation.modelling.models import one_thread
from validation.modelling.raw import Matrix, read_columns
from validation.modelling.rows import Integers, SampleRows, Unsigned, generator, keyed_folds, together
from validation.seeds import seed_of

FOLDS = 5
ROWS = 10_000
LEAST_ROWS = 20
LEVEL = 0.95
SHARED_FOLDS = 1.5
"""Measured: the AUC of five folds spreads 1.2 to 1.5 times as far as DeLong's formula says, for the folds' models learn
from the rows that the other folds are judged on."""
IMPORTANCE_ROWS = 2_000
"""Held-out rows of a fold that columns are shuffled in."""
STACKED_VALUES = 4_000_000
"""Asked of a model at once: every question of one with many columns costs a while, whatever its rows."""


@dataclass(frozen=True)
class Importance:
    """How much a column carries.

    Attributes:
        column: its name.
        fall: by how much the AUC falls where the column's values are shuffled among the rows; about 0 for none.
    """

    column: str
    fall: float


@dataclass(frozen=True)
class DomainResult:
    """How well two parts are told apart.

    Attributes:
        auc: chance that a row of the second part gets a higher score than one of the first; .5 is not at all. None
            where there are too few rows or no columns.
        low: lower end of its interval.
        high: upper end.
        level: of the interval.
        rows: used of the first and of the second part.
        groups: of these rows.
        importances: of every column, the largest first.
        left_out: columns that the classifier did not see, and why.
        reason: why there is no AUC; empty where there is one.
    """

    auc: float | None
    low: float | None
    high: float | None
    level: float
    rows: tuple[int, int]
    groups: tuple[int, int]
    importances: tuple[Importance, ...]
    left_out: tuple[LeftOut, ...]
    reason: str = ""


@one_thread()
def domain_classifier(
    first: SampleRows, second: SampleRows, *, purpose: str = "domain", rows: int = ROWS, importances: bool = True
) -> DomainResult:
    """Trains a classifier to tell rows of two parts apart, on some groups, and judges it on the others.

    Gradient boosting on up to 10,000 rows a part, five folds of whole groups. The AUC is the mean over the folds, each
    of its own held-out rows: scores of unlike models are never ranked together. Its variance is that of the placements
    (DeLong, DeLong and Clarke-Pearson 1988) summed by group, and its root half as much again, for the folds share their
    rows; see `docs/harm.md` for how often the interval was seen to hold .5 where nothing shifts. An AUC over .5 says
    that the parts can be told apart, not that it costs anything.

    Args:
        first: rows of one part, as of train_dev.
        second: rows of the other, as of dev.
        purpose: what is compared; another purpose gives other folds.
        rows: used of a part at most.
        importances: measure what each column carries.

    Returns:
        The AUC with its interval, and the columns that carry the difference.
    """
    first, second = first.bounded(rows), second.bounded(rows)
    both = together([first, second])
    side = np.repeat([0, 1], [len(first), len(second)])
    sizes = (len(first), len(second))
    counted = (first.groups.n_unique(), second.groups.n_unique())
    columns = columns_of(both)
    read = read_columns(both.rows, columns.features)
    encoder = Encoder.fit(read, both.salt)
    if min(counted) < LEAST_ROWS or not encoder.blocks:
        reason = "no columns to tell by" if min(counted) >= LEAST_ROWS else f"fewer than {LEAST_ROWS} groups on a side"
        return DomainResult(None, None, None, LEVEL, sizes, counted, (), columns.left_out, reason)
    matrix = encoder.transform(read)
    groups = both.group_numbers()
    folds = keyed_folds(groups, side, FOLDS, both.salt, purpose)
    aucs, variances, falls = [], [], []
    for fold in range(FOLDS):
        seen, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if min(np.bincount(side[held], minlength=2).min(), np.bincount(side[seen], minlength=2).min()) == 0:
            continue
        model = _classifier(encoder, both.salt, purpose, fold)
        empty = np.isnan(matrix[seen]).all(axis=0)  # boosting finds no cuts in a column that it never saw
        learnt, asked = np.where(empty, 0.0, matrix[seen]), np.where(empty, 0.0, matrix[held])
        model.fit(learnt, side[seen])
        auc, variance = auc_and_variance(model.predict_proba(asked)[:, 1], side[held], groups[held])
        aucs.append(auc)
        variances.append(variance)
        if importances:
            draws = generator(both.salt, purpose, "shuffle", str(fold))
            falls.append(_falls(model, asked, side[held], encoder.blocks, draws))
    auc = float(np.mean(aucs))
    spread = max(SHARED_FOLDS * float(np.sqrt(np.mean(variances) / len(variances))), 1 / (2 * min(counted)))
    reach = float(norm.ppf((1 + LEVEL) / 2)) * spread
    found = _ranked(encoder, falls)
    return DomainResult(
        auc, max(0.0, auc - reach), min(1.0, auc + reach), LEVEL, sizes, counted, found, columns.left_out
    )


def auc_and_variance(scores: Matrix, side: Integers, groups: Unsigned) -> tuple[float, float]:
    """The area under the ROC curve and its variance, rows of a group taken together.

    Args:
        scores: one a row, higher for side 1.
        side: 0 or 1, one a row; both occur.
        groups: one a row.

    Returns:
        The AUC, ties counted half; and the variance of DeLong's placements, summed by group (Obuchowski 1997).
    """
    ranks = rankdata(scores)
    placement = np.zeros(len(scores))
    for own, other in ((0, 1), (1, 0)):
        mine = side == own
        among_own = rankdata(scores[mine])
        below = (ranks[mine] - among_own) / max(int((side == other).sum()), 1)
        placement[mine] = below if own == 1 else 1 - below
    auc = float(placement[side == 1].mean())
    # What every row adds to the deviation of the AUC; a group that is on both sides adds both together.
    share = (placement - auc) / np.where(side == 1, (side == 1).sum(), (side == 0).sum())
    by_group = np.bincount(np.unique(groups, return_inverse=True)[1], weights=share)
    few = len(by_group) / max(len(by_group) - 2, 1)
    return auc, float((by_group**2).sum()) * few


def _classifier(encoder: Encoder, salt: str, purpose: str, fold: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=60,
        max_depth=4,
        min_samples_leaf=20,
        early_stopping=False,
        categorical_features=encoder.categorical or None,
        random_state=seed_of(salt, purpose, str(fold)) % 2**32,
    )


def _falls(
    model: HistGradientBoostingClassifier,
    matrix: Matrix,
    side: Integers,
    blocks: tuple[Block, ...],
    draws: np.random.Generator,
) -> Matrix:
    """By how much the AUC falls for every block whose rows are shuffled."""
    at = np.sort(draws.permutation(len(side))[:IMPORTANCE_ROWS])
    matrix, side = matrix[at], side[at]
    own = np.arange(len(side), dtype=np.uint64)
    if np.bincount(side, minlength=2).min() == 0:
        return np.zeros(len(blocks))
    whole = auc_and_variance(model.predict_proba(matrix)[:, 1], side, own)[0]
    falls = np.zeros(len(blocks))
    at_once = max(1, STACKED_VALUES // matrix.size)
    for first in range(0, len(blocks), at_once):
        some = blocks[first : first + at_once]
        stacked = np.tile(matrix, (len(some), 1)).reshape(len(some), *matrix.shape)
        for shuffled, block in zip(stacked, some, strict=True):
            order = draws.permutation(len(side))
            shuffled[:, block.start : block.stop] = matrix[order, block.start : block.stop]
        scores = model.predict_proba(stacked.reshape(-1, matrix.shape[1]))[:, 1].reshape(len(some), len(side))
        falls[first : first + at_once] = [whole - auc_and_variance(one, side, own)[0] for one in scores]
    return falls


def _ranked(encoder: Encoder, falls: list[Matrix]) -> tuple[Importance, ...]:
    """The mean fall of every feature over the folds, the largest first."""
    if not falls:
        return ()
    mean = np.mean(falls, axis=0)
    found = [Importance(block.name, float(fall)) for block, fall in zip(encoder.blocks, mean, strict=True)]
    return tuple(sorted(found, key=lambda importance: (-importance.fall, importance.column)))
