"""Reads written files back: what the checks count stands in the files, whatever the writers believed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.run_directory import RunDirectory
from pipelines.sources.filesystems import first_line
from splitting.assign import Assignment
from splitting.checksum import check_sums
from splitting.columns import column, from_arrow
from splitting.errors import DataError
from splitting.plan import SPLIT
from splitting.rules import GROUP, KEY, POOLS, Rules
from validation.tally import Tally


@dataclass(frozen=True)
class Reader:
    """Reads files of a run's data back.

    Attributes:
        run: the run directory.
        rules: that placed the rows.
        label: the label column, if there is one.
    """

    run: RunDirectory
    rules: Rules
    label: str | None

    def counts(self, path: str, split: str) -> Tally:
        """Counts the rows of a file by source and label; in pieces where the file is local.

        Args:
            path: relative to the run directory.
            split: that the file belongs to.

        Returns:
            Their tally, without those outside of a pool.
        """
        source = self.rules.source_column
        names = [source, *([self.label] if self.label is not None and self.label != source else [])]
        found = self.run.scan_frame(path, names).select(column(name).alias(f"{i}") for i, name in enumerate(names))
        counted = found.group_by(pl.all()).agg(pl.len().alias("rows")).collect(engine="streaming")
        counted = counted.with_columns(pl.col("0").cast(pl.String))
        labels: dict[str, dict[str | None, int]] = {}
        at = None if self.label is None else counted.columns.index("1" if len(names) == 2 else "0")
        texts = counted.to_series(at).cast(pl.String, strict=False) if at is not None else [None] * len(counted)
        for name, label, rows in zip(counted["0"], texts, counted["rows"], strict=True):
            kept = labels.setdefault(name, {})
            kept[label] = kept.get(label, 0) + rows
        return Tally.merge([Tally.empty(), *(Tally.of_counts(split, name, of) for name, of in labels.items())])

    def evaluation(self, path: str, split: str, assignment: Assignment, drawn: pl.DataFrame) -> Tally:
        """Counts the rows of an evaluation file, and those that the plan does not put there.

        Args:
            path: relative to the run directory.
            split: that the file belongs to.
            assignment: of the plan.
            drawn: `_key` and `_group` of the rows that it should hold.

        Returns:
            Their tally; `outside` are rows that are not in the split's pool.

        Raises:
            DataError: it holds other rows.
        """
        found, names = [Tally.empty()], [drawn.select(KEY, GROUP).clear()]
        for source, rows in self._by_source(path):
            parts = self._parts(rows, source)
            outside = (parts[POOLS] & assignment.pool_bit(split)) == 0
            names.append(parts.select(KEY, GROUP))
            label = rows.get_column(self.label) if self.label is not None else None
            found.append(Tally.of_split(split, rows.get_column(self.rules.source_column), label, outside))
        if pl.concat(names).select(check_sums()).row(0) != drawn.select(check_sums()).row(0):
            raise DataError(
                f"{self.run.uri}/{path} does not hold the rows that were drawn: this run is not to be used. Apply the "
                "plan again; if it happens again, report it"
            )
        return Tally.merge(found)

    def misplaced(self, rows: pl.DataFrame, source: str, split: str, assignment: Assignment) -> Tally:
        """Counts rows of a split that the plan puts elsewhere.

        Args:
            rows: the columns that the rules read.
            source: of the rows.
            split: where they were found.
            assignment: of the plan.

        Returns:
            A tally with `leaks` of what `place`: `other` is where they belong.
        """
        placed = assignment.place(self._parts(rows, source))[SPLIT]
        counted = placed.filter(placed != split).value_counts(name="rows").cast({"rows": pl.Int64})
        named = counted.select(
            pl.lit("place").alias("what"), pl.lit(split).alias("split"), pl.col(SPLIT).alias("other"), "rows"
        )
        return Tally.of_frames(leaks=named)

    def _parts(self, rows: pl.DataFrame, source: str) -> pl.DataFrame:
        frame = rows.select(column(name) for name in self.rules.columns_read()) if self.rules.columns_read() else rows
        return self.rules.examine(frame, source)

    def _by_source(self, path: str) -> list[tuple[str, pl.DataFrame]]:
        names = {*self.rules.columns_read(), self.rules.source_column, *([self.label] if self.label else [])}
        with open_written(self.run, path) as file:
            rows = from_arrow(file.read(columns=sorted(names & set(file.schema_arrow.names))))
        parts = rows.group_by(column(self.rules.source_column), maintain_order=True)
        return [(str(source), part) for (source,), part in parts]


def open_written(run: RunDirectory, path: str) -> pq.ParquetFile:
    """Opens a data file of a run.

    Args:
        run: the run directory.
        path: relative to it.

    Returns:
        The file, to be closed.

    Raises:
        DataError: it is not there, or is no whole Parquet file.
    """
    location = run.path(path)
    try:
        return pq.ParquetFile(location.filesystem.open_input_file(location.path))
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{location.uri} cannot be read: {first_line(error)}; write the run again: "
            f"targetsplit apply {run.uri} --overwrite"
        ) from error
