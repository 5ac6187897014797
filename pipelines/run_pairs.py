"""Compares finished runs. The files of a run are read once, however many runs it is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import polars as pl

from pipelines.measured import group_sizes, read_profile
from pipelines.placements import find_places, row_columns
from pipelines.report.moves import Moves, evaluation_keys, incomparable, moves_in_files, moves_in_ledgers
from pipelines.report.run_facts import FinishedRun, RunPair
from pipelines.reporting import read_verdict
from pipelines.run_directory import RunDirectory
from pipelines.stored import check_spec, read_plan, read_spec
from pipelines.validating import column_roles
from splitting.errors import DataError, RunDirectoryError, SpecError
from splitting.plan import Plan
from validation.run_shifts import MeasuredSplits, RunShifts, compare_runs

_NOT_SCANNED = "The files were not read (--no-scan)."


class OpenRun:
    """A finished run that is compared with others.

    Attributes:
        told: what is known of it without its files.
    """

    def __init__(self, name: str, run: RunDirectory) -> None:
        """Reads plan, spec and verdict.

        Args:
            name: of its folder, or as it was named on the command line.
            run: where it lies.

        Raises:
            TargetsplitError: one of them cannot be read.
        """
        self._run, self._spec = run, read_spec(run)
        plan, document = read_plan(run), read_verdict(run)
        check_spec(run, plan, self._spec)
        self.told = FinishedRun(name, plan, document, self._spec.to_document(), self._spec.source_column)
        self._wanted: list[pl.Series] = []

    @property
    def uri(self) -> str:
        """Where it lies."""
        return self._run.uri

    @property
    def plan(self) -> Plan:
        """What was decided."""
        return self.told.plan

    @cached_property
    def row_columns(self) -> tuple[str, ...]:
        """The columns that name an example where the whole row does; empty where key columns do."""
        return row_columns(self._run, self._spec)

    def look_for(self, keys: pl.Series) -> None:
        """Says which keys `places` will have to tell of; before it is asked for."""
        self._wanted.append(keys)

    @cached_property
    def places(self) -> pl.DataFrame:
        """Where the files have every key that was looked for.

        Raises:
            DataError: see `find_places`.
        """
        return find_places(self._run, self.plan, self._spec, pl.concat(self._wanted).unique().sort())

    def measured(self) -> MeasuredSplits | str:
        """What was measured of its splits, read anew, for it is large; or why nothing is known."""
        if not self._spec.checks.profile:
            return f"The data was not compared: {self.told.name} was not measured (`profile: false`)."
        try:
            profile = read_profile(self._run)
        except RunDirectoryError as error:
            return f"The data was not compared: {placeless(str(error), {self.uri: self.told.name})}."
        splits = tuple(split.name for split in self.plan.splits)
        return MeasuredSplits(profile, splits, column_roles(self._spec), group_sizes(self.plan))

    def shifts_from(self, old: OpenRun) -> RunShifts | str:
        """How the splits differ from those of an earlier run, with this run's thresholds; or why that is not told."""
        before = old.measured()
        now = before if isinstance(before, str) else self.measured()
        if isinstance(before, str) or isinstance(now, str):
            return str(now)
        return compare_runs(before, now, self._spec.checks.settings(), str(self.plan.identity.get("salt", "")))


def placeless(message: str, names: Mapping[str, str]) -> str:
    """A message in which runs are named as a page names them, not by where they lie.

    Args:
        message: of an error.
        names: by address.
    """
    for uri, name in names.items():
        message = message.replace(uri, name)
    return message


def compare_pairs(pairs: Sequence[tuple[OpenRun, OpenRun]], *, scan: bool) -> tuple[RunPair, ...]:
    """Compares runs, the files of each being read once.

    Args:
        pairs: the reference first.
        scan: count moved examples in the written files, where both runs hold what names them; else in the ledgers.

    Returns:
        What became of examples and data, in the order of the pairs.
    """
    if scan:
        for old, new in pairs:
            for run in (old, new):
                run.look_for(evaluation_keys(old.plan, new.plan))
    return tuple(_compared(old, new, scan=scan) for old, new in pairs)


def compare(old: str, new: str, *, scan: bool = True) -> RunPair:
    """Compares two finished runs.

    Args:
        old: the directory of the reference.
        new: of the other.
        scan: as for `compare_pairs`.

    Returns:
        Both, and what became of the examples and the data.

    Raises:
        RunDirectoryError: one is not a finished run, or cannot be read.
    """
    found = [RunDirectory.at(path) for path in (old, new)]
    if found[0] == found[1]:
        raise RunDirectoryError(f"{found[0].uri} was given twice; give two runs: targetsplit diff OLD NEW")
    for run in found:
        run.require_finished()
    before, after = (OpenRun(name, run) for name, run in zip((old, new), found, strict=True))
    return compare_pairs([(before, after)], scan=scan)[0]


def _compared(old: OpenRun, new: OpenRun, *, scan: bool) -> RunPair:
    shifts = new.shifts_from(old)
    moves = _moves(old, new, scan=scan)
    if isinstance(shifts, str):
        return RunPair(old.told, new.told, moves, None, shifts)
    return RunPair(old.told, new.told, moves, shifts)


def _moves(old: OpenRun, new: OpenRun, *, scan: bool) -> Moves:
    """Where examples went: in the files of both where they can be read, else by the ledgers."""
    why = incomparable(old.plan, new.plan)
    if why:
        return Moves("none", why)
    try:
        if old.row_columns != new.row_columns:
            return Moves(
                "none", "Whole rows name the examples, and the two runs have other columns: no name is the same."
            )
        if not scan:
            return moves_in_ledgers(old.plan, new.plan, _NOT_SCANNED)
        return moves_in_files(old.plan, old.places, new.plan, new.places)
    except (DataError, RunDirectoryError, SpecError) as error:
        told = placeless(str(error), {old.uri: old.told.name, new.uri: new.told.name})
        return moves_in_ledgers(old.plan, new.plan, f"The files could not be counted: {told}.")
