"""How much larger an error is in one place than in another, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from validation.modelling.features import Matrix
from validation.modelling.judged import FOLDS, Judged
from validation.modelling.rows import Unsigned, generator
from validation.modelling.target import Target

DRAWS = 400
LEVEL = 0.95
POWER = 0.8
OTHER_MODELS = 3
"""The interval is for the mean loss of so many models of other kinds than the probe's."""


@dataclass(frozen=True)
class Gap:
    """An error away less an error at home.

    Attributes:
        home: the error at home: the mean over the models.
        away: the error away.
        gap: the difference; above 0 where it is worse away.
        low: lower end of the interval.
        high: upper end.
        level: of the interval.
        sampling: standard error from the rows that were judged, by a bootstrap over groups.
        fits: standard error from the rows that were trained on, by the spread over the folds.
        kinds: standard error from the kind of model, by the spread over the kinds.
        detectable: the gap that would have been seen in 8 of 10 such samples.
    """

    home: float
    away: float
    gap: float
    low: float
    high: float
    level: float
    sampling: float
    fits: float
    kinds: float
    detectable: float


def gap_of(
    home: Sequence[Sequence[Judged]], away: Sequence[Judged], target: Target, salt: str, *purpose: str
) -> Gap:
    """The gap between two places.

    Args:
        home: by kind of model, the judged rows at home, in parts.
        away: by kind of model, the judged rows away.
        target: what was predicted.
        salt: of the spec; seeds the bootstrap.
        purpose: what is compared.

    Returns:
        The gap. Its variance is the sum of three: of the rows judged (bootstrap over groups); of the rows trained on
        (spread over the folds' models, with the correction of Nadeau and Bengio 2003 for folds that share rows); and
        of the kind of model (spread over the kinds, once for the mean of those that were fitted and once for the mean
        of three others).
    """
    at_home = np.column_stack([np.concatenate([part.losses for part in parts]) for parts in home])
    home_groups = np.concatenate([part.groups for part in home[0]])
    at_away = np.column_stack([judged.losses for judged in away])
    home_errors = np.array([target.error(loss) for loss in at_home.mean(axis=0)])
    away_errors = np.array([target.error(loss) for loss in at_away.mean(axis=0)])
    gaps = away_errors - home_errors
    draws = generator(salt, "bootstrap", *purpose)
    drawn = _resampled(at_away, away[0].groups, target, draws) - _resampled(at_home, home_groups, target, draws)
    fewest = min(len(np.unique(home_groups)), len(np.unique(away[0].groups)))
    # No error among n groups does not say that there is none: the rule of three.
    sampling = max(float(drawn.std()), 1 / (fewest + 2))
    fits = _fits(away, target)
    kinds = float(gaps.std(ddof=1) * np.sqrt(1 / len(gaps) + 1 / OTHER_MODELS)) if len(gaps) > 1 else 0.0
    error = float(np.sqrt(sampling**2 + fits**2 + kinds**2))
    middle, reach = float(gaps.mean()), float(norm.ppf((1 + LEVEL) / 2)) * error
    return Gap(
        float(home_errors.mean()),
        float(away_errors.mean()),
        middle,
        middle - reach,
        middle + reach,
        LEVEL,
        sampling,
        fits,
        kinds,
        reach + float(norm.ppf(POWER)) * error,
    )


def _resampled(losses: Matrix, groups: Unsigned, target: Target, draws: np.random.Generator) -> Matrix:
    """The mean error over the kinds of model, in samples of groups drawn with replacement (Poisson weights)."""
    number = np.unique(groups, return_inverse=True)[1]
    sums = np.column_stack([np.bincount(number, weights=column) for column in losses.T])
    rows = np.bincount(number).astype(np.float64)
    weights = draws.poisson(1.0, size=(DRAWS, len(rows))).astype(np.float64)
    means = (weights @ sums) / np.maximum(weights @ rows, 1.0)[:, None]
    return np.asarray((np.sqrt(means) if target.is_number else means).mean(axis=1))


def _fits(away: Sequence[Judged], target: Target) -> float:
    """The standard error of the mean error away, for other rows of the same number to train on."""
    total = 0.0
    for judged in away:
        errors = np.array([target.error(loss) for loss in judged.by_fit])
        if len(errors) > 1:
            total += float(errors.var(ddof=1)) * (1 / len(errors) + 1 / (FOLDS - 1))
    return float(np.sqrt(total)) / len(away)
