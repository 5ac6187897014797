"""Made-up samples for the models, and the real ones where they are at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from validation.modelling.rows import SampleRows
from validation.settings import ColumnRoles

DATA = Path(__file__).parents[3] / "shared" / "data"


def sample_of(
    frame: pl.DataFrame,
    splits: list[str],
    sources: list[str] | None = None,
    groups: np.ndarray | None = None,
    roles: ColumnRoles | None = None,
    salt: str = "salt",
) -> SampleRows:
    """A sample in the order of the frame; every row a group of its own unless told."""
    numbers = np.arange(len(frame)) if groups is None else groups
    return SampleRows(
        frame,
        pl.Series(numbers, dtype=pl.UInt64),
        pl.Series(sources or ["web"] * len(frame), dtype=pl.String),
        pl.Series(splits, dtype=pl.String),
        roles or ColumnRoles(label="label" if "label" in frame.columns else None),
        salt,
    )


def shuffled(sample: SampleRows, seed: int) -> SampleRows:
    """The same rows, given in another order and brought into order by `SampleRows.of`."""
    order = np.random.default_rng(seed).permutation(len(sample))
    moved = sample.take(order)
    about = pl.DataFrame(
        {
            "split": moved.splits,
            "source": moved.sources,
            "key": pl.Series(order, dtype=pl.UInt64),
            "group": moved.groups,
        }
    )
    return SampleRows.of(moved.rows, about, moved.roles, moved.salt, moved.source_rows)
