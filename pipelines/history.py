"""Reads runs side by side: the history page of a folder of runs, `RUNS/index.html`, and the comparison of two runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from pipelines.measured import group_sizes, read_profile
from pipelines.placements import find_places, row_columns
from pipelines.report.moves import Moves, evaluation_keys, incomparable, moves_in_files, moves_in_ledgers
from pipelines.report.run_facts import FinishedRun, HistoryFacts, ListedRun, RunPair
from pipelines.reporting import read_verdict
from pipelines.run_directory import CLAIM, OWN, PLAN, REPORT, SUCCESS, RunDirectory
from pipelines.sources.filesystems import kind, locate
from pipelines.sources.uris import join, shown
from pipelines.spec.models import Spec
from pipelines.stored import read_plan, read_spec
from pipelines.validating import column_roles
from splitting.errors import DataError, RunDirectoryError, SpecError, TargetsplitError
from validation.run_shifts import MeasuredSplits, RunShifts, compare_runs

INDEX = "index.html"
_NOT_SCANNED = "The files were not read; they are with: targetsplit diff OLD NEW, or targetsplit history RUNS --scan"


def write_history(runs: str, *, scan: bool = False) -> str:
    """Writes the history page of a folder of runs.

    Args:
        runs: the folder, local or on object storage.
        scan: count moved examples in the written files, not in the ledgers alone.

    Returns:
        Where the page is.

    Raises:
        RunDirectoryError: the folder holds no run, or is one.
    """
    from pipelines.report.history_view import history_view  # noqa: PLC0415, loads templates' parts
    from pipelines.report.page import history_page  # noqa: PLC0415

    folder = RunDirectory.at(runs)
    folder.write(INDEX, history_page(history_view(read_history(folder, scan=scan))))
    return folder.path(INDEX).uri


def read_history(folder: RunDirectory, *, scan: bool = False) -> HistoryFacts:
    """What a folder of runs holds.

    Args:
        folder: see `write_history`.
        scan: likewise.

    Returns:
        The facts. Runs are in the order of their names, numbers in them counted as numbers.

    Raises:
        RunDirectoryError: it holds no run, or is one.
    """
    names = folder.names()
    if SUCCESS in names or folder.has(PLAN):
        raise RunDirectoryError(f"{folder.uri} is a run itself; give the folder that holds it beside other runs")
    found = {name: RunDirectory.at(join(folder.uri, name)) for name in sorted(names, key=_by_number)}
    found = {name: run for name, run in found.items() if kind(locate(run.uri)) == "folder"}
    title = shown(folder.uri).rstrip("/").rpartition("/")[2]
    is_run = {name: _is_run(run) for name, run in found.items()}
    listed = tuple(_listed(name, run, title) for name, run in found.items() if is_run[name])
    if not listed:
        raise RunDirectoryError(
            f"{folder.uri} holds no run; runs lie in it side by side, as {join(folder.uri, '2026-11-22')}: write one "
            f"with: targetsplit run SPEC -o {join(folder.uri, 'NAME')}"
        )
    finished = [one.run for one in listed if one.run is not None]
    pairs = tuple(
        _pair(finished[old], found[finished[old].name], run, found[run.name], scan=scan)
        for new, run in enumerate(finished)
        if (old := _base(finished, new)) is not None
    )
    return HistoryFacts(
        name=title,
        listed=listed,
        pairs=pairs,
        others=tuple(name for name in found if not is_run[name]),
    )


def compare(old: str, new: str, *, scan: bool = True) -> RunPair:
    """Compares two finished runs.

    Args:
        old: the directory of the reference.
        new: of the other.
        scan: count moved examples in the written files, where both runs hold what names them.

    Returns:
        Both, and what became of the examples and the data.

    Raises:
        RunDirectoryError: one is not a finished run, or cannot be read.
    """
    found = [RunDirectory.at(path) for path in (old, new)]
    if found[0] == found[1]:
        raise RunDirectoryError(f"{found[0].uri} was given twice; give two runs: targetsplit diff OLD NEW")
    for run in found:
        if not run.finished:
            raise RunDirectoryError(f"{run.uri} is not a finished run; finish it with: targetsplit apply {run.uri}")
    before, after = (_finished(name, run) for name, run in zip((old, new), found, strict=True))
    return _pair(before, found[0], after, found[1], scan=scan)


def _by_number(name: str) -> tuple[list[tuple[int, str]], str]:
    """A key that sorts `RUN2` before `RUN10`; names that differ in leading zeros alone in a fixed order."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts], name


def _is_run(run: RunDirectory) -> bool:
    """Finished, planned, or begun: it holds something, and nothing but what runs hold."""
    names = run.names()
    begun = bool(names) and all(name in OWN or name.startswith(CLAIM) for name in names)
    return SUCCESS in names or begun or run.has(PLAN)


def _listed(name: str, run: RunDirectory, folder: str) -> ListedRun:
    """One run of a folder; what is wrong with it is told, and stops nothing. Its place is told from the folder on."""
    try:
        report = f"./{quote(name, safe='')}/{REPORT}" if run.has(REPORT) else None
        if not run.finished:
            verb = "apply" if run.has(PLAN) else "run SPEC -o"
            return ListedRun(name, "not finished", f"Finish it with: targetsplit {verb} {folder}/{name}", report)
        return ListedRun(name, "finished", "", report, _finished(name, run))
    except TargetsplitError as error:
        return ListedRun(name, "cannot be read", _placeless(str(error), {run.uri: f"{folder}/{name}"}))


def _placeless(message: str, names: Mapping[str, str]) -> str:
    """A message that names runs as the page does: it is the same wherever they lie."""
    for uri, name in names.items():
        message = message.replace(uri, name)
    return message


def _finished(name: str, run: RunDirectory) -> FinishedRun:
    plan, spec, document = read_plan(run), read_spec(run), read_verdict(run)
    lacking = [part for part in ("status", "results") if part not in document]
    if lacking:
        raise RunDirectoryError(f"{run.uri}/validation.json lacks {lacking[0]!r}; bring it back, or run again")
    return FinishedRun(name, plan, document, spec.to_document(), spec.source_column)


def _base(runs: Sequence[FinishedRun], new: int) -> int | None:
    """The run that another is compared with: the one that it continues, the nearest before first; or the one before."""
    wanted = runs[new].plan.previous
    order = [*range(new - 1, -1, -1), *range(new + 1, len(runs))]
    continued = [old for old in order if wanted is not None and runs[old].plan.fingerprint == wanted]
    return continued[0] if continued else new - 1 if new else None


def _pair(old: FinishedRun, old_run: RunDirectory, new: FinishedRun, new_run: RunDirectory, *, scan: bool) -> RunPair:
    specs = read_spec(old_run), read_spec(new_run)
    shifts, why = _shifts((old, old_run, specs[0]), (new, new_run, specs[1]))
    return RunPair(old, new, _moves((old, old_run, specs[0]), (new, new_run, specs[1]), scan=scan), shifts, why)


_Run = tuple[FinishedRun, RunDirectory, Spec]


def _moves(old: _Run, new: _Run, *, scan: bool) -> Moves:
    """Where examples went: in the files of both where they can be read, else by the ledgers."""
    plans = old[0].plan, new[0].plan
    why = incomparable(*plans)
    if why:
        return Moves("none", why)
    try:
        columns = [row_columns(run, spec) for _, run, spec in (old, new)]
        if columns[0] != columns[1]:
            return Moves(
                "none", "Whole rows name the examples, and the two runs have other columns: no name is the same."
            )
        if not scan:
            return moves_in_ledgers(*plans, _NOT_SCANNED + ".")
        wanted = evaluation_keys(*plans)
        found = [find_places(run, one.plan, spec, wanted) for one, run, spec in (old, new)]
    except (DataError, RunDirectoryError, SpecError) as error:
        told = _placeless(str(error), {run.uri: one.name for one, run, _ in (old, new)})
        return moves_in_ledgers(*plans, f"The files could not be counted: {told}.")
    return moves_in_files(plans[0], found[0], plans[1], found[1])


def _shifts(old: _Run, new: _Run) -> tuple[RunShifts | None, str]:
    """How the splits differ, where both runs were measured; else why that is not told."""
    measured = []
    for one, run, spec in (old, new):
        if not spec.checks.profile:
            return None, f"The data was not compared: {one.name} was not measured (`profile: false`)."
        try:
            profile = read_profile(run)
        except RunDirectoryError as error:
            return None, f"The data was not compared: {_placeless(str(error), {run.uri: one.name})}."
        evaluation = tuple(split.name for split in one.plan.splits)
        measured.append(MeasuredSplits(profile, evaluation, column_roles(spec), group_sizes(one.plan)))
    salt = str(new[0].plan.identity.get("salt", ""))
    return compare_runs(measured[0], measured[1], new[2].checks.settings(), salt), ""
