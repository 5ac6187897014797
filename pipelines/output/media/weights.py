"""Cuts what is to be read by the bytes of the files that rows stand for: a table of rows alone is small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.output.media.files import SIZE
from pipelines.sources.filesystems import locate
from pipelines.sources.fragments import Fragment


def weighed(fragments: Sequence[Fragment]) -> tuple[Fragment, ...]:
    """Fragments of ingested tables, one a row group, as heavy as the files of their rows.

    Args:
        fragments: of Parquet files by row groups, and of others, which stay as they are.

    Returns:
        Together they are the fragments, in order; `bytes` counts those of files.
    """
    return tuple(part for one in fragments for part in ([one] if one.row_groups is None else _row_groups(one)))


def _row_groups(fragment: Fragment) -> Iterator[Fragment]:
    location = locate(fragment.uri)
    first, last = fragment.row_groups or (0, 0)
    start = fragment.first_row
    with pq.ParquetFile(location.path, filesystem=location.filesystem) as file:
        for group in range(first, last):
            sizes = file.read_row_group(group, columns=[SIZE]).column(SIZE)
            weight = pc.sum(sizes).as_py() or 0
            yield replace(fragment, row_groups=(group, group + 1), first_row=start, rows=len(sizes), bytes=int(weight))
            start += len(sizes)


def joined(fragments: Sequence[Fragment]) -> tuple[Fragment, ...]:
    """The fragments of one unit, neighbours as one: a read for each row group would cost more than the rows.

    Args:
        fragments: in order.

    Returns:
        Together they are the fragments, in order.
    """
    found: list[Fragment] = []
    for fragment in fragments:
        last = found[-1] if found else None
        if last is not None and last.uri == fragment.uri and _follows(last, fragment):
            groups = (last.row_groups or (0, 0))[0], (fragment.row_groups or (0, 0))[1]
            rows = (last.rows or 0) + (fragment.rows or 0)
            found[-1] = replace(last, row_groups=groups, rows=rows, bytes=last.bytes + fragment.bytes)
        else:
            found.append(fragment)
    return tuple(found)


def _follows(one: Fragment, next_one: Fragment) -> bool:
    return bool(one.row_groups and next_one.row_groups and one.row_groups[1] == next_one.row_groups[0])
