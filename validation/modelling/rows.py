"""The rows that models see: a keyed sample with the split, source and group of every row, in one fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.seeds import seed_of
from validation.settings import ColumnRoles

MOST_VALUES = 1_000_000
"""Rows times columns that models see of a part at most, as long as that leaves them `LEAST_ROWS` rows."""
LEAST_ROWS = 1_000

Integers = npt.NDArray[np.int64]
Unsigned = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SampleRows:
    """Sampled rows and what is known of each; sorted by split, source and key, so that the order given is no matter.

    Attributes:
        rows: the user's columns.
        groups: UInt64, one a row; rows of one group share a number. A row without a group has a number of its own.
        sources: String, one a row.
        splits: String, one a row.
        roles: what the columns are for.
        salt: of the spec; seeds everything that draws.
        source_rows: all rows by (split, source), sampled or not; where it is told, fewer rows of a source are used
            rather than more than its share. Empty: the sample is taken to be in proportion.
    """

    rows: pl.DataFrame
    groups: pl.Series
    sources: pl.Series
    splits: pl.Series
    roles: ColumnRoles
    salt: str
    source_rows: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {len(self.rows), len(self.groups), len(self.sources), len(self.splits)}
        if len(lengths) != 1:
            raise ValueError(f"rows, groups, sources and splits must be of one length, not {sorted(lengths)}")

    @classmethod
    def of(
        cls,
        rows: pl.DataFrame,
        about: pl.DataFrame,
        roles: ColumnRoles,
        salt: str,
        source_rows: Mapping[tuple[str, str], int] | None = None,
    ) -> SampleRows:
        """The rows in the order of split, source and key.

        Args:
            rows: the user's columns.
            about: the columns `split`, `source`, `key` (UInt64, unlike in all rows of a split and source) and
                `group` (UInt64), one row for each of `rows`.
            roles: what the columns are for.
            salt: of the spec.
            source_rows: all rows by (split, source).

        Returns:
            The same for the same rows, whatever their order.
        """
        order = about.with_row_index("_at").sort("split", "source", "key")["_at"]
        about = about[order]
        return cls(rows[order], about["group"], about["source"], about["split"], roles, salt, dict(source_rows or {}))

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def take(self, at: npt.ArrayLike) -> SampleRows:
        """The rows at these places (integers, or a mask of booleans), in the order of the places."""
        places = np.asarray(at)
        places = np.flatnonzero(places) if places.dtype == bool else places.astype(np.int64)
        index = pl.Series(places, dtype=pl.UInt32)
        return SampleRows(
            self.rows[index],
            self.groups[index],
            self.sources[index],
            self.splits[index],
            self.roles,
            self.salt,
            self.source_rows,
        )

    def select(self, split: str | None = None, source: str | None = None) -> SampleRows:
        """The rows of a split, of a source, or of both; None stands for all."""
        mask = np.ones(len(self), dtype=bool)
        if split is not None:
            mask &= (self.splits == split).to_numpy()
        if source is not None:
            mask &= (self.sources == source).to_numpy()
        return self.take(mask)

    def source_names(self) -> list[str]:
        """The sources that have rows, sorted."""
        return sorted(self.sources.unique().to_list())

    def split_names(self) -> list[str]:
        """The splits that have rows, sorted."""
        return sorted(self.splits.unique().to_list())

    def group_numbers(self) -> Unsigned:
        """The groups as an array."""
        return self.groups.to_numpy().astype(np.uint64)

    def bounded(self, most: int) -> SampleRows:
        """At most this many rows, the sources of each split in proportion to all their rows.

        The sample holds up to so many rows of every split and source, so a source of few rows is over-represented in
        it. Of each source the first rows, those of least key, are kept: as many as its share asks for. Where a source
        has too few sampled rows for its share, all shares shrink with it. Of more than a hundred columns fewer rows are
        kept, so that the time that models take does not grow with the columns without end.

        Args:
            most: rows to keep at most, over all splits and sources; of many columns a million values, and 1,000 rows
                at least.

        Returns:
            The rows kept, in their order; every source that had a row keeps one, even if they are then more.
        """
        most = min(most, max(LEAST_ROWS, MOST_VALUES // max(self.rows.width, 1)))
        sampled = self._sampled()
        totals = {part: max(self.source_rows.get(part, count), count) for part, count in sampled.items()}
        share = min([1.0, most / max(sum(totals.values()), 1), *(sampled[part] / totals[part] for part in sampled)])
        quota = {part: min(sampled[part], max(1, int(total * share + 1e-9))) for part, total in totals.items()}
        rank = np.zeros(len(self), dtype=np.int64)
        limit = np.zeros(len(self), dtype=np.int64)
        splits, sources = self.splits.to_numpy(), self.sources.to_numpy()
        for (split, source), rows in quota.items():
            mine = np.flatnonzero((splits == split) & (sources == source))
            rank[mine], limit[mine] = np.arange(len(mine)), rows
        return self.take(rank < limit)

    def _sampled(self) -> dict[tuple[str, str], int]:
        """Sampled rows by split and source, sorted."""
        pairs = pl.DataFrame({"split": self.splits, "source": self.sources})
        counted = pairs.group_by("split", "source").len().sort("split", "source")
        return {(split, source): rows for split, source, rows in counted.iter_rows()}


def together(parts: Iterable[SampleRows]) -> SampleRows:
    """The rows of several parts, one after the other; the roles and the salt are those of the first."""
    listed = list(parts)
    first = listed[0]
    known: dict[tuple[str, str], int] = {}
    for part in listed:
        known.update(part.source_rows)
    return SampleRows(
        pl.concat([part.rows for part in listed], how="vertical_relaxed"),
        pl.concat([part.groups for part in listed]),
        pl.concat([part.sources for part in listed]),
        pl.concat([part.splits for part in listed]),
        first.roles,
        first.salt,
        known,
    )


def mixed(groups: Unsigned, seed: int) -> Unsigned:
    """Numbers that look random, one a group and seed: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        state = groups ^ np.uint64(seed)
        state = (state + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return state ^ (state >> np.uint64(31))


def keyed_folds(groups: Unsigned, strata: Integers, folds: int, salt: str, *purpose: str) -> Integers:
    """A fold for every row; the rows of a group share it, and every stratum is spread over all folds.

    Args:
        groups: of the rows.
        strata: of the rows, from 0; a group counts for the stratum of most of its rows.
        folds: how many there are.
        salt: of the spec.
        purpose: what the folds are for; another purpose gives other folds.

    Returns:
        Int64 from 0 to `folds - 1`, one a row; a function of the groups and strata, not of their order.
    """
    unique, inverse = np.unique(groups, return_inverse=True)
    kinds = int(strata.max(initial=0)) + 1
    counts = np.bincount(inverse * kinds + strata, minlength=len(unique) * kinds).reshape(len(unique), kinds)
    order = np.lexsort((mixed(unique, seed_of(salt, "folds", *purpose)), counts.argmax(axis=1)))
    fold = np.empty(len(unique), dtype=np.int64)
    fold[order] = np.arange(len(unique)) % folds
    return fold[inverse]


def generator(salt: str, *purpose: str) -> np.random.Generator:
    """A generator of random numbers that depends on the salt and the purpose alone."""
    return np.random.Generator(np.random.PCG64(seed_of(salt, *purpose)))
