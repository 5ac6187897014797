"""How much larger an error is in one place than in another, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from validation.modelling.judged import Judged
from validation.modelling.raw import Matrix
from validation.modelling.rows import Unsigned, generator
from validation.modelling.target import Target

DRAWS = 400
LEVEL = 0.95
POWER = 0.8
OTHER_MODELS = 3
"""The wider interval is for the mean gap of so many models of other kinds than the probe's."""


@dataclass(frozen=True)
class Gap:
    """An error away less an error at home.

    Attributes:
        home: the error at home: the mean over the models.
        away: the error away.
        gap: the difference; above 0 where it is worse away.
        low: lower end of the interval of the probe's own gap: other rows to judge and to train on, the same models.
        high: upper end.
        others_low: lower end of the interval of the mean gap of three models of other kinds; wider.
        others_high: upper end.
        level: of both intervals.
        sampling: standard error from the rows that were judged, by a bootstrap over groups; of the rows away at least
            what as many groups from home would have.
        fits: standard error from the rows that were trained on, by the spread over the folds.
        kinds: standard error from the kind of model, by the spread over the kinds.
        detectable: the gap that would have been seen in 8 of 10 such samples.
    """

    home: float
    away: float
    gap: float
    low: float
    high: float
    others_low: float
    others_high: float
    level: float
    sampling: float
    fits: float
    kinds: float
    detectable: float


def gap_of(home: Sequence[Sequence[Judged]], away: Sequence[Judged], target: Target, salt: str, *purpose: str) -> Gap:
    """The gap between two places.

    Args:
        home: by kind of model, the judged rows at home, in parts.
        away: by kind of model, the judged rows away.
        target: what was predicted.
        salt: of the spec; seeds the bootstrap.
        purpose: what is compared.

    Returns:
        The gap. Its variance is that of the rows judged (bootstrap over groups) and of the rows trained on (spread over
        the folds' models, with the correction of Nadeau and Bengio 2003 for folds that share rows). For models of other
        kinds there is the spread over the kinds too, once for the mean of those that were fitted and once for the mean
        of three others.
    """
    draws = generator(salt, "bootstrap", *purpose)
    home_errors, home_drawn, home_groups = _errors(home, target, draws)
    away_errors, away_drawn, away_groups = _errors([[judged] for judged in away], target, draws)
    gaps = away_errors - home_errors
    near, far = _spread(home_drawn, home_groups), _spread(away_drawn, away_groups)
    # Few rows can show few errors by chance; without a cost they would spread as those at home do.
    far = max(far, near * float(np.sqrt(home_groups / away_groups)))
    sampling = float(np.hypot(near, far))
    fits = _fits(away, target)
    kinds = float(gaps.std(ddof=1) * np.sqrt(1 / len(gaps) + 1 / OTHER_MODELS)) if len(gaps) > 1 else 0.0
    middle, error = float(gaps.mean()), float(np.hypot(sampling, fits))
    reach = float(norm.ppf((1 + LEVEL) / 2))
    own, others = reach * error, reach * float(np.hypot(error, kinds))
    return Gap(
        float(home_errors.mean()),
        float(away_errors.mean()),
        middle,
        middle - own,
        middle + own,
        middle - others,
        middle + others,
        LEVEL,
        sampling,
        fits,
        kinds,
        own + float(norm.ppf(POWER)) * error,
    )


@dataclass(frozen=True)
class Skill:
    """Whether models know anything at home.

    Attributes:
        baseline: the error at home of always answering the same: the commonest label of train, or the mean.
        better: by how much the models' mean error at home is smaller.
        low: lower end of the interval of that, for other rows to judge.
    """

    baseline: float
    better: float
    low: float

    @property
    def sure(self) -> bool:
        """The models are surely better."""
        return self.low > 0


def skill_of(home: Sequence[Sequence[Judged]], baseline: Matrix, target: Target, salt: str, *purpose: str) -> Skill:
    """By how much models are better at home than an answer that is always the same.

    Args:
        home: by kind of model, the judged rows at home, in parts.
        baseline: the loss of that answer, one a row, in the order of the parts.
        target: what was predicted.
        salt: of the spec; seeds the bootstrap.
        purpose: what is judged.

    Returns:
        The difference, with the same bootstrap over groups for both sides: they are judged on the same rows.
    """
    losses, groups = _stacked(home)
    both = np.column_stack([losses, baseline])
    errors = _errors_of(both.mean(axis=0), target)
    drawn = _errors_of(_drawn_means(both, groups, generator(salt, "skill", *purpose)), target)
    better = float(errors[-1] - errors[:-1].mean())
    spread = _spread(drawn[:, -1] - drawn[:, :-1].mean(axis=1), len(np.unique(groups)))
    return Skill(float(errors[-1]), better, better - float(norm.ppf((1 + LEVEL) / 2)) * spread)


def error_of(parts: Sequence[Sequence[Judged]], target: Target, salt: str, *purpose: str) -> tuple[float, float, float]:
    """The mean error over the kinds of model.

    Args:
        parts: by kind of model, the judged rows, in parts.
        target: what was predicted.
        salt: of the spec; seeds the bootstrap.
        purpose: what is judged.

    Returns:
        The error and the ends of its interval; for other rows to judge, and for other rows to train on where one part
        was judged by all models.
    """
    errors, drawn, groups = _errors(parts, target, generator(salt, "bootstrap", *purpose))
    fits = _fits([listed[0] for listed in parts], target) if len(parts[0]) == 1 else 0.0
    middle = float(errors.mean())
    reach = float(norm.ppf((1 + LEVEL) / 2)) * float(np.hypot(_spread(drawn, groups), fits))
    return middle, max(0.0, middle - reach), middle + reach


def _errors(
    parts: Sequence[Sequence[Judged]], target: Target, draws: np.random.Generator
) -> tuple[Matrix, Matrix, int]:
    """The error of each kind of model, the mean error in samples of the groups, and how many groups there are."""
    losses, groups = _stacked(parts)
    drawn = _errors_of(_drawn_means(losses, groups, draws), target).mean(axis=1)
    return _errors_of(losses.mean(axis=0), target), drawn, len(np.unique(groups))


def _stacked(parts: Sequence[Sequence[Judged]]) -> tuple[Matrix, Unsigned]:
    """The losses, rows by kinds of model, and the group of each row."""
    losses = np.column_stack([np.concatenate([part.losses for part in listed]) for listed in parts])
    return losses, np.concatenate([part.groups for part in parts[0]])


def _errors_of(means: Matrix, target: Target) -> Matrix:
    """Mean losses as errors; see `Target.error`."""
    return np.asarray(np.sqrt(means) if target.is_number else means)


def _spread(drawn: Matrix, groups: int) -> float:
    """The standard error; no error among n groups does not say that there is none (the rule of three)."""
    return max(float(drawn.std()), 1 / (groups + 2))


def _drawn_means(losses: Matrix, groups: Unsigned, draws: np.random.Generator) -> Matrix:
    """Draws by columns: the mean losses in samples of groups drawn with replacement (Poisson weights)."""
    number = np.unique(groups, return_inverse=True)[1]
    sums = np.column_stack([np.bincount(number, weights=column) for column in losses.T])
    rows = np.bincount(number).astype(np.float64)
    weights = draws.poisson(1.0, size=(DRAWS, len(rows))).astype(np.float64)
    return np.asarray((weights @ sums) / np.maximum(weights @ rows, 1.0)[:, None])


def _fits(away: Sequence[Judged], target: Target) -> float:
    """The standard error of the mean error away, for other rows of the same number to train on."""
    total = 0.0
    for judged in away:
        errors = np.array([target.error(loss) for loss in judged.by_fit])
        if len(errors) > 1:
            total += float(errors.var(ddof=1)) * (1 / len(errors) + 1 / (judged.folds - 1))
    return float(np.sqrt(total)) / len(away)
