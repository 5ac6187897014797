"""The smallest shift that samples of these sizes could have shown, and how exactly they tell the size of one.

The smallest shift that could have been seen is the size from which on a shift is called one in at least 8 of 10
draws: its p-value is under alpha, and its effect over the threshold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from validation.comparing.chance import Chance
from validation.comparing.laws import (
    chi2_quantile,
    kolmogorov_quantile,
    noncentrality_of,
    normal_quantile,
)

POWER = 0.8
CONFIDENCE = 0.95

Interval = tuple[float, float]


@dataclass(frozen=True)
class ByCategories:
    """Of the Jensen-Shannon distance, and of other effects whose square is chi-squared.

    With a true distance d the test statistic is close to noncentral chi-squared with noncentrality `scale · d²`.

    Attributes:
        freedom: degrees of freedom.
        scale: of the Jensen-Shannon distance `8 ln 2 · n m / (n + m)`.
        mean_square: of the distance without a shift.
        tests: how many share the p-value (Bonferroni).
    """

    freedom: float
    scale: float
    mean_square: float
    tests: int = 1

    def smallest(self, alpha: float, threshold: float) -> float:
        """The smallest effect that is called a shift in 8 of 10 draws."""
        needed = max(chi2_quantile(alpha / self.tests, self.freedom), self.scale * (threshold**2 + self.mean_square))
        return math.sqrt(noncentrality_of(needed, self.freedom, POWER) / self.scale)

    def interval(self, distance: float) -> Interval:
        """The effects under which the distance is neither surprisingly small nor large: a 95 % interval."""
        found = self.scale * distance**2
        tail = (1 - CONFIDENCE) / 2
        bounds = (noncentrality_of(found, self.freedom, share) for share in (tail, 1 - tail))
        low, high = (math.sqrt(bound / self.scale) for bound in bounds)
        return low, high


@dataclass(frozen=True)
class ByOrder:
    """Of the Kolmogorov-Smirnov distance.

    Where the two distributions are farthest apart, d, the difference of the samples' shares is close to normal around
    d, with a deviation of at most `½ / √(n m / (n + m))`; the distance is at least that difference.

    Attributes:
        effective: `n m / (n + m)`.
        mean_square: of the distance without a shift.
        hidden: by how much the true distance may be larger than the one that was measured.
        tests: how many share the p-value (Bonferroni).
    """

    effective: float
    mean_square: float
    hidden: float = 0.0
    tests: int = 2

    def smallest(self, alpha: float, threshold: float) -> float:
        """The smallest effect that is called a shift in 8 of 10 draws, whatever shift it is."""
        needed = max(
            kolmogorov_quantile(alpha / self.tests, self.effective), math.sqrt(threshold**2 + self.mean_square)
        )
        return needed + normal_quantile(POWER) / (2 * math.sqrt(self.effective)) + self.hidden

    def interval(self, distance: float) -> Interval:
        """The distance, by as much more and less as chance moves it in 95 % of draws (triangle inequality)."""
        margin = kolmogorov_quantile(1 - CONFIDENCE, self.effective)
        return max(0.0, distance - margin), min(1.0, distance + margin + self.hidden)


@dataclass(frozen=True)
class ByMoving:
    """Of the Wasserstein distance over the standard deviation.

    Where one sample's values are moved up, the distance is the difference of the means, and that of the samples is at
    least the difference of their means, which is close to normal.

    Attributes:
        effective: `n m / (n + m)`.
        chance: of the distance without a shift.
        spread: the pooled standard deviation over the reference's.
        hidden: by how much the true distance may be larger than the one that was measured.
        tests: how many share the p-value (Bonferroni).
    """

    effective: float
    chance: Chance
    spread: float
    hidden: float = 0.0
    tests: int = 2

    def smallest(self, alpha: float, threshold: float) -> float:
        """The smallest effect that is called a shift in 8 of 10 draws, where all values that move go one way."""
        needed = max(self.chance.quantile(alpha / self.tests), math.sqrt(threshold**2 + self.chance.mean_square))
        return needed + normal_quantile(POWER) * self.spread / math.sqrt(self.effective) + self.hidden

    def interval(self, distance: float) -> Interval:
        """The distance, by as much more and less as chance moves it in 95 % of draws (triangle inequality)."""
        margin = self.chance.quantile(1 - CONFIDENCE)
        return max(0.0, distance - margin), distance + margin + self.hidden


Detection = ByCategories | ByOrder | ByMoving
