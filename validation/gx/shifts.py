"""Expectations of comparisons: splits that must match, a mismatch that is measured, and what that costs."""

from __future__ import annotations

from typing import Any

from pydantic.v1 import Field

from validation.gx.observed import ObservedExpectation, Outcome

_SHIFTS = ("slight shift", "shift")


class ComparedExpectation(ObservedExpectation):
    """Base: a comparison of two splits.

    Observed: `verdict`, `effect` (beyond chance; None where nothing was compared), `q`, `n_reference`, `n_observed`,
    `smallest` (the smallest effect that could have been seen).

    Attributes:
        reference: the split that the other is measured by.
        observed: the other.
        statistic: the name of the effect; None where nothing was compared.
        alpha: a shift is sure where its q-value is under it.
        min_rows: fewer rows are not compared.
    """

    reference: str
    observed: str
    statistic: str | None = Field(...)
    alpha: float
    min_rows: int

    def shifted(self, row: dict[str, Any], limit: float) -> bool:
        """Whether a comparison is sure, and over a limit.

        Args:
            row: the comparison.
            limit: of the effect.

        Returns:
            False where nothing was compared.
        """
        if row["effect"] is None or row["q"] is None or min(row["n_reference"], row["n_observed"]) < self.min_rows:
            return False
        return bool(row["q"] < self.alpha and row["effect"] > limit)

    def told(self, row: dict[str, Any]) -> str:
        """A comparison in a few words."""
        if row["effect"] is None:
            return str(row["verdict"])
        seen = row.get("smallest")
        return (
            f"{row['verdict']}: {self.statistic} {row['effect']:.3f} (q {row['q']:.2g}; {row['n_observed']:,} against "
            f"{row['n_reference']:,} rows{'' if seen is None else f'; smallest that would be seen {seen:.3f}'})"
        )


class ExpectSplitsToMatch(ComparedExpectation):
    """Two splits that were drawn from the same rows look the same: no shift that is sure and over `max_shift`."""

    max_shift: float

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class.

        Raises:
            ValueError: the verdict that came with the numbers is another one.
        """
        shifted = self.shifted(observed, self.max_shift)
        if shifted != (observed["verdict"] in _SHIFTS):
            raise ValueError(f"the numbers say {'a shift' if shifted else 'no shift'}, and {observed['verdict']!r}")
        return Outcome(not shifted, observed["effect"], self.told(observed))


class ExpectSourceShare(ExpectSplitsToMatch):
    """Two splits that were drawn from the same rows have the same share of each source; as `expect_splits_to_match`."""


class ExpectMismatchMeasured(ComparedExpectation):
    """How a split differs from another is known: a measurement, never a failure but where there was nothing to compare.

    Attributes:
        warn_shift: a sure effect over it is `slight`.
        large_shift: a sure effect over it is `large`.
    """

    warn_shift: float
    large_shift: float

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        grade = "none"
        if observed["effect"] is None:
            grade = "not measured"
        elif self.shifted(observed, self.large_shift):
            grade = "large"
        elif self.shifted(observed, self.warn_shift):
            grade = "slight"
        return Outcome(grade != "not measured", observed["effect"], self.told(observed), grade)


class ExpectMismatchHarmless(ObservedExpectation):
    """What the mismatch costs a model has an allowed grade; observed: `grade`, and `cost` with its `interval`.

    Attributes:
        reference: the split that models learn from.
        observed: the split that they are judged on.
        allowed: grades that are fine.
    """

    reference: str
    observed: str
    allowed: list[str]

    def judged(self, observed: dict[str, Any]) -> Outcome:
        """See the class."""
        grade, cost, interval = observed["grade"], observed.get("cost"), observed.get("interval")
        told = str(grade)
        if cost is not None:
            told += f": {cost:+.3f}" + (f" ({interval[0]:+.3f} to {interval[1]:+.3f})" if interval else "")
        return Outcome(grade in self.allowed, cost, told, grade)
