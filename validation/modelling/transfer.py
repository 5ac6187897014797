"""Which sources resemble each other, for a model: trained on each, judged on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from validation.modelling.columns import columns_of
from validation.modelling.gaps import Gap, error_of, gap_of
from validation.modelling.judged import Judged, judge
from validation.modelling.models import FAMILIES, Family
from validation.modelling.rows import SampleRows
from validation.modelling.target import Target, labelled

MOST_SOURCES = 10
TRAIN_ROWS = 8_000
"""Rows that models learn from, over all sources."""
JUDGED_ROWS = 6_000
"""Rows that each model is judged on, over all sources."""
SOURCE_ROWS = 3_000
"""Rows of one source, of either kind, at most."""
FOLDS = 3
LEAST_GROUPS = 20

_SCHEMA = {
    **dict.fromkeys(("trained", "judged"), pl.String),
    **dict.fromkeys(("error", "low", "high", "gap", "gap_low", "gap_high"), pl.Float64),
    **dict.fromkeys(("train_rows", "judged_rows"), pl.Int64),
}


@dataclass(frozen=True)
class Cell:
    """What models did that were trained on one source and judged on another.

    Attributes:
        trained: the source they learnt from.
        judged: the source they were judged on; the same: on rows held out.
        error: the mean over the kinds of model.
        low: lower end of its interval.
        high: upper end.
        gap: against the held-out rows of the trained source; None on the diagonal.
        train_rows: learnt from.
        judged_rows: judged.
    """

    trained: str
    judged: str
    error: float
    low: float
    high: float
    gap: Gap | None
    train_rows: int
    judged_rows: int


@dataclass(frozen=True)
class TransferTable:
    """The errors between sources.

    Attributes:
        cells: by trained and judged source, in the order of their names.
        column: the label.
        number: whether errors are those of numbers, in standard deviations of the label in the trained source; else
            they are error rates.
        reason: why there are none; empty where there are.
    """

    cells: tuple[Cell, ...]
    column: str | None
    number: bool
    reason: str = ""

    def frame(self) -> pl.DataFrame:
        """One row a cell: trained, judged, error, low, high, gap, gap_low, gap_high, train_rows, judged_rows."""
        rows = [
            (cell.trained, cell.judged, cell.error, cell.low, cell.high)
            + ((cell.gap.gap, cell.gap.low, cell.gap.high) if cell.gap else (None, None, None))
            + (cell.train_rows, cell.judged_rows)
            for cell in self.cells
        ]
        return pl.DataFrame(rows, _SCHEMA, orient="row")


def transfer(sample: SampleRows, *, train: str = "train") -> TransferTable:
    """Trains the probe's models on each source and judges them on each.

    Models learn from rows of train alone. They are judged on the rows of all splits of the other sources, and on the
    held-out train rows and the rows of other splits of their own. Columns are features or not by all rows together.

    Args:
        sample: labelled rows of all splits; those without a label are passed over.
        train: the split that models learn from.

    Returns:
        A cell for every source that has at least 20 groups in train, by every source that has as many groups anywhere.
    """
    label = sample.roles.label
    if label is None or label not in sample.rows.columns:
        return TransferTable((), None, number=False, reason="there is no label")
    sample = sample.take(labelled(sample.rows[label]))
    names = [name for name in sample.source_names() if sample.select(source=name).groups.n_unique() >= LEAST_GROUPS]
    if not 2 <= len(names) <= MOST_SOURCES:
        reason = f"sources with {LEAST_GROUPS} labelled groups: {len(names)}; 2 to {MOST_SOURCES} are compared"
        return TransferTable((), label, number=False, reason=reason)
    learnt = {name: sample.select(train, name) for name in names}
    learnt = {name: rows for name, rows in learnt.items() if _can_learn(rows, label)}
    most = min(SOURCE_ROWS, TRAIN_ROWS // max(len(learnt), 1))
    most_judged = min(SOURCE_ROWS, JUDGED_ROWS // len(names))
    features = columns_of(sample).features
    number = Target.fit(sample.rows[label]).is_number
    cells: list[Cell] = []
    for name, rows in learnt.items():
        own = rows.bounded(most)
        target = Target.fit(own.rows[label], number=number)
        rest = sample.select(source=name)
        near = rest.take((rest.splits != train).to_numpy()).bounded(most_judged)
        others = [other for other in names if other != name]
        far = [sample.select(source=other).bounded(most_judged) for other in others]
        judged = judge(own, [near, *far], features, target, label, rounds=1, folds=FOLDS)
        cells.extend(_cells(name, others, judged, target, own))
    order = sorted(cells, key=lambda cell: (cell.trained, cell.judged))
    reason = "" if cells else f"no source has {LEAST_GROUPS} labelled groups in {train}"
    return TransferTable(tuple(order), label, number, reason)


def _can_learn(rows: SampleRows, label: str) -> bool:
    return rows.groups.n_unique() >= LEAST_GROUPS and rows.rows[label].n_unique() > 1


def _cells(
    name: str, others: list[str], judged: Mapping[Family, list[Judged]], target: Target, own: SampleRows
) -> list[Cell]:
    """The cells of one trained source: itself, then the others."""
    home = [judged[family][:2] for family in FAMILIES]
    known = error_of(home, target, own.salt, "transfer", name)
    cells = [Cell(name, name, *known, None, len(own), sum(len(part.losses) for part in home[0]))]
    for at, other in enumerate(others):
        away = [judged[family][2 + at] for family in FAMILIES]
        gap = gap_of(home, away, target, own.salt, "transfer", name, other)
        known = error_of([[part] for part in away], target, own.salt, "transfer", name, other)
        cells.append(Cell(name, other, *known, gap, len(own), len(away[0].losses)))
    return cells
