"""Compares two samples within strata: whether they differ where something else is held fixed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.comparing.chance import expected_js_square
from validation.comparing.distances import jensen_shannon, shares
from validation.comparing.laws import chi2_tail
from validation.comparing.tables import Table, fold_rare
from validation.comparing.testing import g_law, g_statistic
from validation.profile.values import Numbers

Codes = npt.NDArray[np.int64]

STRATUM_ROWS = 30
"""A stratum with fewer rows in either sample is left out."""
BINS = 20
MOST_CATEGORIES = 50


@dataclass(frozen=True)
class Conditional:
    """How far two samples differ within strata.

    Attributes:
        effect: the root of the strata's mean squared Jensen-Shannon distance beyond chance, weighted by the observed
            sample's rows; 0 where no stratum has enough rows.
        p: of all strata together.
        strata: how many were compared.
        covered: the share of the observed rows that is in them.
    """

    effect: float
    p: float
    strata: int
    covered: float


def codes_of(reference: pl.Series, observed: pl.Series, bins: int = BINS) -> tuple[Codes, Codes]:
    """Both columns as small integers: bins of pooled quantiles, or the commonest categories; null is a value.

    Args:
        reference: values of one sample.
        observed: values of the other, of the same type.
        bins: of numbers and times, where they have more values.

    Returns:
        Codes from 0 on, the same for the same values.
    """
    both = pl.concat([reference.alias("x"), observed.alias("x")])
    if both.dtype.is_float():
        both = both.fill_nan(None)
    ordered = both.dtype.is_numeric() or both.dtype.is_temporal()
    if not ordered:
        both = both.cast(pl.String)
    if ordered and both.n_unique() > bins:
        # Equal values have the same rank, so that ties are never torn apart.
        rank = both.rank("average").to_numpy()
        places = np.where(np.isnan(rank), -1.0, np.floor((np.nan_to_num(rank) - 0.5) * bins / max(1, both.count())))
    else:
        places = both.rank("dense").cast(pl.Float64).fill_null(-1.0).to_numpy()
    _, codes, counts = np.unique(places, return_inverse=True, return_counts=True)
    if len(counts) > MOST_CATEGORIES:
        common = np.argsort(-counts, kind="stable")[: MOST_CATEGORIES - 1]
        code_of = np.full(len(counts), MOST_CATEGORIES - 1)
        code_of[common] = np.arange(MOST_CATEGORIES - 1)
        codes = code_of[codes]
    return codes[: len(reference)].astype(np.int64), codes[len(reference) :].astype(np.int64)


def bins_for(rows: int) -> int:
    """Bins of a column that strata are made of: so few that each has about 60 rows of the smaller sample."""
    return max(2, min(BINS, rows // (2 * STRATUM_ROWS)))


def tables_within(strata: tuple[Codes, Codes], cells: tuple[Codes, Codes]) -> npt.NDArray[np.float64]:
    """Rows by sample, stratum and cell: an array of three dimensions."""
    height = 1 + max(int(part.max(initial=0)) for part in strata)
    width = 1 + max(int(part.max(initial=0)) for part in cells)
    counts = [
        np.bincount(stratum * width + cell, minlength=height * width).reshape(height, width)
        for stratum, cell in zip(strata, cells, strict=True)
    ]
    return np.stack(counts).astype(np.float64)


def within(counts: npt.NDArray[np.float64], designs: tuple[float, float] = (1.0, 1.0)) -> Conditional:
    """Tests whether two samples have the same shares in every stratum.

    G of the strata add up to G of conditional independence (Agresti 2013, Categorical Data Analysis, ch. 9), and so do
    their means and variances.

    Args:
        counts: rows by sample, stratum and cell.
        designs: design effects of both.

    Returns:
        The difference, all strata together.
    """
    rows = counts.sum(axis=2)
    enough = np.flatnonzero(rows.min(axis=0) >= STRATUM_ROWS)
    if not len(enough):
        return Conditional(0.0, 1.0, 0, 0.0)
    weights = shares(rows[1, enough])
    total, mean, variance, square = 0.0, 0.0, 0.0, 0.0
    for weight, stratum in zip(weights, enough, strict=True):
        table = fold_rare(Table(counts[0, stratum] / designs[0], counts[1, stratum] / designs[1])).table
        if len(table.reference) < 2:
            continue
        scale, freedom = g_law(table)
        total += g_statistic(table)
        mean += scale * freedom
        variance += 2 * scale * scale * freedom
        distance = jensen_shannon(shares(table.reference), shares(table.observed))
        square += float(weight) * (distance**2 - expected_js_square(table))
    covered = float(rows[1, enough].sum() / max(1.0, rows[1].sum()))
    if mean <= 0:
        return Conditional(0.0, 1.0, len(enough), covered)
    p = chi2_tail(2 * mean * total / variance, 2 * mean * mean / variance)
    return Conditional(math.sqrt(max(0.0, square)), p, len(enough), covered)


def explained(counts: npt.NDArray[np.float64]) -> float | None:
    """How much of a difference goes away when the reference's strata get the shares that the observed ones have.

    Args:
        counts: rows by sample, stratum and cell.

    Returns:
        The share of the squared Jensen-Shannon distance of the cells that is gone, from 0 to 1; None where there is no
        distance, or where observed strata that the reference has not hold over a tenth of its rows.
    """
    rows = counts.sum(axis=2)
    known = rows[0] > 0
    if rows[1, known].sum() < 0.9 * rows[1].sum():
        return None
    inside = shares(counts[0, known])
    weighted: Numbers = shares(rows[1, known]) @ inside
    reference, observed = shares(counts[0].sum(axis=0)), shares(counts[1].sum(axis=0))
    before = jensen_shannon(reference, observed) ** 2
    if before <= 0:
        return None
    return float(min(1.0, max(0.0, 1 - jensen_shannon(weighted, observed) ** 2 / before)))
