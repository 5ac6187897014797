"""What the checks are told: thresholds, roles of columns, what to leave out. Defaults that a person rarely touches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Level = tuple[float, float]
"""Where a warning begins, and where a failure begins."""


@dataclass(frozen=True)
class Thresholds:
    """Effect sizes from which a shift counts; below the first number it never does, however sure it is.

    Attributes:
        js_excess: Jensen-Shannon distance (base 2) beyond what chance gives; categories.
        wasserstein_sd: Wasserstein distance over the reference's standard deviation; numbers.
        ks: Kolmogorov-Smirnov distance; numbers.
        source_share: difference of a source's share.
        auc: of the domain classifier.
        leak_auc: of one column alone for the label.
    """

    js_excess: Level = (0.05, 0.10)
    wasserstein_sd: Level = (0.10, 0.20)
    ks: Level = (0.10, 0.20)
    source_share: Level = (0.02, 0.05)
    auc: Level = (0.55, 0.65)
    leak_auc: float = 0.98


@dataclass(frozen=True)
class ColumnRoles:
    """What columns are for.

    Attributes:
        key: name an example.
        group: are never separated.
        label: what a model predicts; None without one.
        source: the column that tells a row's source.
        strata: what the draw was stratified by.
        skip: left out of every comparison and model, by the user's wish.
        times: when an example was made; compared, but no feature of a model.
        leaks: were found to give the label away; no feature of a model that predicts it.
        places: tell where the file lies that a row stands for, and nothing of what is in it.
        hashes: name that file by what is in it. Neither is compared or a feature; equal hashes do mean equal rows.
    """

    key: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    label: str | None = None
    source: str = "source"
    strata: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()

    @property
    def not_compared(self) -> set[str]:
        """The columns whose values are not compared between splits: they name rows, or are left out as asked."""
        return {*self.key, *self.group, *self.skip, *self.places, *self.hashes, self.source}


@dataclass(frozen=True)
class CheckSettings:
    """How a run is judged.

    Attributes:
        thresholds: see there.
        alpha: the share of false alarms that is accepted among comparisons without a shift.
        min_rows: fewer rows than this are too few to compare.
        sample: rows of the keyed sample, by split and source.
        probe: fit the models that tell what the mismatch costs.
        fail_on: from which severity on a failed check fails the run.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    alpha: float = 0.01
    min_rows: int = 100
    sample: int = 10_000
    probe: bool = True
    fail_on: Literal["critical", "warning"] = "critical"
