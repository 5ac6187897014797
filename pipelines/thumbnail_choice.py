"""Which images a report shows of each split: typical ones, and the extremes of what differs; none is opened here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from splitting.columns import pick
from validation.measures import IN_TARGET
from validation.profile.sample import GROUP, KEY, SOURCE, Sample

LOOKS = (
    "brightness",
    "contrast",
    "saturation",
    "colourfulness",
    "sharpness",
    "noise",
    "entropy",
    "blockiness",
    "aspect",
)
"""Measured columns whose values can be seen in a picture."""

TYPICAL, LOWEST, HIGHEST = "typical", "lowest", "highest"
MOST_TYPICAL, MOST_EXTREME, MOST_COLUMNS = 6, 3, 3
_MIDDLE = 4
"""One in so many images is near enough to the middle to stand for its split."""
_AT = "at"


@dataclass(frozen=True)
class Choice:
    """One image to show.

    Attributes:
        split: of the image.
        place: `typical`, `lowest` or `highest`.
        column: of which it is an extreme; empty for a typical one.
        row: its number in the sample.
    """

    split: str
    place: str
    column: str
    row: int


def choose(
    sample: Sample, splits: Sequence[str], compared: Sequence[str], columns: Sequence[str], label: str | None = None
) -> tuple[Choice, ...]:
    """Chooses images.

    Args:
        sample: the keyed sample of a run.
        splits: all, in the order in which they are shown.
        compared: those whose extremes are shown.
        columns: that carry the mismatch, the heaviest first; those that cannot be seen are passed over.
        label: the column of the label; None without one.

    Returns:
        By split up to six typical images: of the quarter that is nearest to the medians of all looks on average, each
        in units of its quartile range so that no unit weighs more than another, those of as many labels and groups
        as there are; missing values do not count. By column, of three at most, and compared split the three lowest and
        the three highest. Equal ones in the order of the keys' hash.
    """
    looks = [name for name in LOOKS if name in sample.rows.columns]
    if not looks:
        return ()
    numbers = pick(sample.rows, looks).cast(pl.Float64)
    kinds = _kinds(sample, label)
    chosen = [choice for split in splits for choice in _typical(sample, numbers, kinds, split)]
    for column in [name for name in dict.fromkeys(columns) if name in looks][:MOST_COLUMNS]:
        for split in compared:
            chosen += _extreme(sample, numbers, split, column)
    return tuple(chosen)


def _rows_of(sample: Sample, split: str) -> pl.Series:
    """The numbers of a split's rows, in the order of their keys."""
    inside = pl.col("split").is_in([split, f"{split}{IN_TARGET}"])
    return sample.about.with_row_index(_AT).filter(inside).sort(KEY, SOURCE, _AT)[_AT]


def _kinds(sample: Sample, label: str | None) -> list[tuple[Hashable, Hashable]]:
    """Label and group of each row: of two of a kind one is enough."""
    groups = sample.about[GROUP].to_list()
    if label is None or label not in sample.rows.columns or sample.rows.get_column(label).dtype.is_nested():
        return [(None, group) for group in groups]
    return list(zip(sample.rows.get_column(label).to_list(), groups, strict=True))


def _typical(
    sample: Sample, numbers: pl.DataFrame, kinds: Sequence[tuple[Hashable, Hashable]], split: str
) -> Iterator[Choice]:
    rows = _rows_of(sample, split)
    if not len(rows):
        return
    values = numbers[rows].to_numpy()
    with np.errstate(invalid="ignore"):
        far = _distance(values)
    known = int(np.isfinite(far).sum())
    middle = min(known, max(MOST_TYPICAL, known // _MIDDLE))
    near = [int(rows[int(at)]) for at in np.argsort(far, kind="stable")[:middle]]
    for row in _varied(near, kinds):
        yield Choice(split, TYPICAL, "", row)


def _varied(rows: list[int], kinds: Sequence[tuple[Hashable, Hashable]]) -> Iterator[int]:
    """Rows in their order, those of a label, then of a group, that was taken less often first."""
    taken: Counter[tuple[int, Hashable]] = Counter()
    left = list(rows)
    for _ in range(min(MOST_TYPICAL, len(left))):
        chosen = min(left, key=lambda row: [taken[part] for part in enumerate(kinds[row])])
        left.remove(chosen)
        taken.update(enumerate(kinds[chosen]))
        yield chosen


def _distance(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each row is from the medians, in quartile ranges, on average over its columns; infinite without any."""
    known = np.isfinite(values)
    found = np.zeros_like(values)
    for i in range(values.shape[1]):
        column = values[known[:, i], i]
        if not len(column):
            continue
        low, middle, high = np.quantile(column, (0.25, 0.5, 0.75))
        found[:, i] = np.abs(values[:, i] - middle) / ((high - low) or 1.0)
    total = np.where(known, found, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(1, known.sum(axis=1)), np.inf)


def _extreme(sample: Sample, numbers: pl.DataFrame, split: str, column: str) -> Iterator[Choice]:
    rows = _rows_of(sample, split)
    values = numbers.get_column(column).gather(rows).to_numpy()
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    each = min(MOST_EXTREME, len(order) // 2)
    for place, chosen in ((LOWEST, order[:each]), (HIGHEST, order[len(order) - each :])):
        for at in chosen:
            yield Choice(split, place, column, rows[int(at)])
