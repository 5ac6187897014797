"""Rows that say the same: copies, or the chance of a table that has few things to say?

Where a table has two columns of a few values each, most rows say what many others say, and nothing was copied. By
chance a row seldom agrees with another one in every column without others agreeing in every column but one: if `λ` is
the share of pairs of rows that agree in some column, there are `(1 - λ) / λ` near twins, which differ in that column
alone, for every twin. Copies bring twins without near twins. This holds however the other columns hang together, as
long as one that repeats often is not a function of them; where every column is, the columns are taken for independent,
at a distance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.evidence import Evidence
from validation.repeats import ROWS, RowRepeats, row_digests

_EXPLAINED = 0.5
"""Chance is taken for the cause where it gives at least this share of the pairs."""
_OFTEN = 0.05
"""A column repeats often where this share of pairs of rows agrees in it."""
_FEW = 10
_MANY_TWINS = 9.0
_AT_A_DISTANCE = 0.01
_MOST_ROWS = 20_000


def repeats_by_chance(evidence: Evidence) -> bool:
    """Whether rows of a run that say the same do so by chance.

    Args:
        evidence: of the run.

    Returns:
        False where nothing was measured, or where it cannot be told.
    """
    if evidence.measures is None:
        return False
    roles, rows = evidence.roles, evidence.measures.sample.rows
    aside = {*roles.key, *roles.skip, *roles.places, roles.source}
    measured = evidence.measures.profile.columns.select("place", "column").unique().sort("place", "column")
    names: dict[int, list[str]] = {}
    for place, name in measured.iter_rows():
        if name not in aside:
            names.setdefault(place, []).extend([name] if name in rows.columns else [])
    if not all(names.values()):  # what the sample leaves out may be what tells rows apart
        return False
    return by_chance(rows, [name for found in names.values() for name in found], evidence.measures.repeats)


def by_chance(sample: pl.DataFrame, columns: Sequence[str], repeats: RowRepeats) -> bool:
    """Whether chance gives most pairs of rows that say the same.

    Args:
        sample: rows, at most 20,000 of which are looked at.
        columns: what they say.
        repeats: of all rows.

    Returns:
        False where there are no such rows, or where it cannot be told.
    """
    sample = sample.gather_every(max(1, -(-len(sample) // _MOST_ROWS)))
    kept = int(repeats.smallest[ROWS].sum())
    if len(sample) < 2 or not columns or kept == len(repeats.smallest):
        return False
    counts = repeats.smallest[ROWS].to_numpy().astype(np.float64)
    twins = float((counts * (counts - 1)).sum()) / kept  # of a row, in the mean
    odd = iter(range(1, 2 * len(columns), 2))  # equal values of different columns are different things to say
    digests = [found * np.uint64(next(odd)) for name in columns if (found := _digests(sample, name)) is not None]
    size = float(len(sample))
    pairs = size * (size - 1) / 2
    agreeing = [_pairs(digest) / pairs for digest in digests]
    whole = np.asarray(np.sum(digests, axis=0, dtype=np.uint64))
    same = _pairs(whole)
    told = same if same >= _FEW else max(same, pairs * twins / max(1.0, repeats.rows - 1.0))
    for digest, share in zip(digests, agreeing, strict=True):
        if not _OFTEN <= share < 1:
            continue
        near = _pairs(whole - digest) - same
        if near >= _FEW and near * share / (1 - share) >= _EXPLAINED * told:
            return True
    independent = float(np.prod(agreeing)) * (repeats.rows - 1)
    return twins >= _MANY_TWINS and independent >= _AT_A_DISTANCE * twins


def _digests(sample: pl.DataFrame, name: str) -> npt.NDArray[np.uint64] | None:
    found = row_digests(sample, [name])
    return None if found is None else found.to_numpy()


def _pairs(digests: npt.NDArray[np.uint64]) -> float:
    """Pairs of rows with the same digest."""
    counts = np.unique(digests, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum() / 2)
