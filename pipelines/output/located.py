"""Input rows on their way to a file, with where each of them was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.fragments import Fragment
from pipelines.sources.reading import Chunk
from splitting.columns import from_arrow


@dataclass(frozen=True, eq=False)
class Located:
    """Rows, and where each was read.

    Attributes:
        table: the rows, in the unified schema.
        numbers: int64, the number of each in its file.
        fragments: what they were read from.
        origins: int32, the place of each row's fragment in `fragments`.
    """

    table: pa.Table
    numbers: pa.Array
    fragments: tuple[Fragment, ...]
    origins: pa.Array

    @classmethod
    def of(cls, chunk: Chunk, chosen: pl.Series | None) -> Located:
        """Rows of one chunk.

        Args:
            chunk: input rows.
            chosen: Boolean, which of them; None for all.
        """
        table = chunk.table_of(chosen)
        origins = pa.repeat(pa.scalar(0, pa.int32()), len(table))
        return cls(table, chunk.row_numbers(chosen), (chunk.fragment,), origins)

    @classmethod
    def concat(cls, parts: Sequence[Located]) -> Located:
        """The rows of parts, at least one, one after the other."""
        starts = accumulate((len(part.fragments) for part in parts), initial=0)
        return cls(
            pa.concat_tables([part.table for part in parts]),
            pa.concat_arrays([part.numbers for part in parts]),
            tuple(fragment for part in parts for fragment in part.fragments),
            pa.concat_arrays(
                [pc.add(part.origins, pa.scalar(at, pa.int32())) for part, at in zip(parts, starts, strict=False)]
            ),
        )

    def __len__(self) -> int:
        return len(self.table)

    def frame(self, columns: Sequence[str]) -> pl.DataFrame:
        """Some columns, as polars has them."""
        frame = from_arrow(self.table.select(list(columns)))
        return frame if columns else pl.DataFrame(height=len(self))

    def filter(self, chosen: pa.Array) -> Located:
        """The rows where `chosen`, Boolean, is true."""
        return Located(
            self.table.filter(chosen), self.numbers.filter(chosen), self.fragments, self.origins.filter(chosen)
        )

    def sources(self) -> pa.Array:
        """The source of each row, as string."""
        return self._told([fragment.source for fragment in self.fragments])

    def files(self) -> pa.Array:
        """The file of each row, as string."""
        return self._told([fragment.file for fragment in self.fragments])

    def _told(self, names: list[str]) -> pa.Array:
        return pa.array(names, pa.string()).take(self.origins)
