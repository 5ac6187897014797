"""One comparison of one column of two splits: a row of the comparisons table, and its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from validation.comparing.detecting import Detection, Interval
from validation.comparing.distances import PsiBand, psi_band
from validation.comparing.pairs import Role
from validation.comparing.testing import corrected
from validation.comparing.words import EffectName
from validation.profile.values import ColumnKind
from validation.settings import CheckSettings, Level

Verdict = Literal["match", "slight shift", "shift", "too few rows", "no values", "not compared"]
About = Literal["values", "missing", "NaN", "infinite"]


_LEAST_LEVEL = 1e-9


@dataclass(frozen=True)
class Effect:
    """How large a shift is, freed of chance: what the verdict goes by.

    Attributes:
        name: which distance it is.
        value: beyond chance, at least 0.
        distance: as measured, chance included.
        null: what the distance is without a shift, as the root of its mean square.
        interval: 95 %, of the true distance.
        levels: where a slight shift begins, and where a shift.
        detection: tells the smallest shift that could have been seen.
    """

    name: EffectName
    value: float
    distance: float
    null: float
    interval: Interval
    levels: Level
    detection: Detection

    def over(self, level: int) -> float:
        """The value as a multiple of a level; of a level of 0, which anything exceeds, of next to nothing.

        Args:
            level: 0 for where a slight shift begins, 1 for where a shift does.
        """
        return self.value / max(self.levels[level], _LEAST_LEVEL)


@dataclass(frozen=True)
class Listed:
    """Categories that one sample has and the other has not.

    Attributes:
        count: how many; None where the other's categories are not all known.
        rows: of all of them.
        largest: the largest of them with their rows, at most 20.
    """

    count: int | None = 0
    rows: int = 0
    largest: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Comparison:
    """One column of two splits.

    Attributes:
        reference: the split that the other is measured by.
        observed: the other.
        role: see `Pair`.
        column: its name.
        kind: of the column; what decides the distances.
        about: the values, or the share of rows without one, with NaN, or with an infinite number.
        n_reference: rows that were compared.
        n_observed: likewise.
        verdict: `shift` and `slight shift` are sure (q under alpha) and large enough (over the second, the first
            level). `match`: they are not both. The others say why nothing was compared.
        effect: what the verdict goes by; None where nothing was compared.
        p: how often chance gives such a difference.
        q: the same, corrected for all comparisons of the run.
        smallest: the smallest effect that would have been called a slight shift in 8 of 10 draws.
        js: Jensen-Shannon distance, base 2; of numbers in at most 20 bins.
        js_excess: the same of folded cells, freed of chance.
        ks: Kolmogorov-Smirnov distance; of numbers and times.
        wasserstein_sd: Wasserstein-1 distance over the reference's standard deviation; likewise.
        frechet: Fréchet distance of mean and covariance over the reference's total deviation; of vectors.
        psi: population stability index; of numbers in at most 10 bins of the reference.
        l_infinity: the largest difference of a share; of categories.
        js_null: what `js` of folded cells is without a shift.
        ks_null: what `ks` is without a shift.
        wasserstein_null: what `wasserstein_sd` is without a shift.
        new: categories that only the observed split has.
        missing: categories that only the reference has.
        note: what a reader has to know, in sentences.
    """

    reference: str
    observed: str
    role: Role
    column: str
    kind: ColumnKind
    about: About
    n_reference: int
    n_observed: int
    verdict: Verdict
    effect: Effect | None = None
    p: float | None = None
    q: float | None = None
    smallest: float | None = None
    js: float | None = None
    js_excess: float | None = None
    ks: float | None = None
    wasserstein_sd: float | None = None
    frechet: float | None = None
    psi: float | None = None
    l_infinity: float | None = None
    js_null: float | None = None
    ks_null: float | None = None
    wasserstein_null: float | None = None
    new: Listed = Listed()
    missing: Listed = Listed()
    note: str = ""

    @property
    def shifted(self) -> bool:
        """A shift of either size was found."""
        return self.verdict in ("slight shift", "shift")

    @property
    def psi_band(self) -> PsiBand | None:
        """The customary word for the population stability index; gates nothing."""
        return None if self.psi is None else psi_band(self.psi)

    def row(self) -> dict[str, Any]:
        """All of it in plain values that JSON has; the effect's parts as `effect_name`, `effect`, ...; q of a match."""
        flat = {field.name: getattr(self, field.name) for field in fields(self)}
        effect = self.effect
        flat |= {
            "effect": effect and effect.value,
            "effect_name": effect and effect.name,
            "distance": effect and effect.distance,
            "null": effect and effect.null,
            "interval": effect and list(effect.interval),
            "warn": effect and effect.levels[0],
            "fail": effect and effect.levels[1],
            "psi_band": self.psi_band,
        }
        for name in ("new", "missing"):
            listed: Listed = flat.pop(name)
            flat |= {
                f"{name}_categories": listed.count,
                f"{name}_rows": listed.rows,
                f"{name}_largest": [list(pair) for pair in listed.largest],
            }
        return flat


def judged(comparisons: Sequence[Comparison], settings: CheckSettings) -> tuple[Comparison, ...]:
    """All comparisons of a run with their q-values and verdicts.

    A q-value is the larger of two: corrected over the run, and over the comparisons of the same role. So neither many
    sure differences between train and target, nor many columns, make a chance difference of two draws count.

    Args:
        comparisons: of the whole run.
        settings: with alpha.

    Returns:
        The same, in the same order. `smallest` is now what this many comparisons could have seen.
    """
    tested = [index for index, comparison in enumerate(comparisons) if comparison.p is not None]
    roles = {role: [i for i in tested if comparisons[i].role == role] for role in ("match", "mismatch")}
    q = np.zeros(len(comparisons))
    for family in (tested, *roles.values()):
        q[family] = np.maximum(q[family], corrected([comparisons[i].p or 0.0 for i in family]))
    alpha = settings.alpha / max(1, len(tested))
    whole = list(comparisons)
    for index in tested:
        whole[index] = _with_verdict(comparisons[index], float(q[index]), settings.alpha, alpha)
    return tuple(whole)


def _with_verdict(comparison: Comparison, q: float, alpha: float, sure: float) -> Comparison:
    """Judges one comparison; whatever else was compared, a p-value under `sure` has a q-value under alpha."""
    effect = comparison.effect
    if effect is None:
        return comparison
    slight, large = effect.levels
    verdict: Verdict = "match"
    if q < alpha and effect.value > slight:
        verdict = "shift" if effect.value > large else "slight shift"
    return replace(comparison, q=q, verdict=verdict, smallest=effect.detection.smallest(sure, slight))
