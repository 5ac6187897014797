"""A first suite of expectations from what was measured of a finished run."""

from __future__ import annotations

import difflib
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from pipelines.job import make_tables
from pipelines.measured import read_measured
from pipelines.run_directory import RunDirectory
from pipelines.stored import read_inventory, read_plan, read_spec
from splitting.errors import RunDirectoryError, SpecError
from splitting.request import TRAIN
from validation.starter import ColumnType, starter_suite
from validation.tables import ALL, ON_SOURCES, ON_SPLITS


def make_starter_suite(run: RunDirectory, table: str) -> dict[str, Any]:
    """A suite that holds on a table of a run.

    Args:
        run: finished.
        table: `all`, `splits.NAME` or `sources.NAME`.

    Returns:
        The suite, in the JSON of Great Expectations.

    Raises:
        RunDirectoryError: the run is not finished, or nothing was measured.
        SpecError: there is no such table.
    """
    run.require_finished()
    plan, spec, schema = read_plan(run), read_spec(run), read_inventory(run).schema
    known = [ALL, f"{ON_SPLITS}{TRAIN}", *(f"{ON_SPLITS}{split.name}" for split in plan.splits)]
    known += [f"{ON_SOURCES}{source.name}" for source in plan.sources]
    if table not in known:
        near = difflib.get_close_matches(table, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known[:20])}"
        raise SpecError(f"there is no {table[:100]}; {hint}", "--on")
    _, measures = read_measured(run, profiled=spec.checks.profile)
    if measures is None:
        raise RunDirectoryError(f"{run.uri} was written with `profile: false`; a suite is made from the profile")
    tables = make_tables(spec, schema)
    columns = {name: _kind(schema.field(name).type) for name in tables.measured_columns() if name != spec.source_column}
    return starter_suite(measures.profile, table, columns, spec.source_column)


def _kind(kind: pa.DataType) -> ColumnType:
    if pt.is_string(kind) or pt.is_large_string(kind):
        return "text"
    return "number" if pt.is_integer(kind) or pt.is_float32(kind) or pt.is_float64(kind) else "other"
