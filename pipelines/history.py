"""Reads runs side by side and writes the page of their history, `RUNS/index.html`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from pipelines.report.run_facts import HistoryFacts, ListedRun
from pipelines.run_directory import CLAIM, OWN, PLAN, REPORT, SUCCESS, RunDirectory
from pipelines.run_pairs import OpenRun, compare_pairs, placeless
from pipelines.sources.filesystems import kind, locate
from pipelines.sources.uris import join, shown
from splitting.errors import RunDirectoryError, TargetsplitError

INDEX = "index.html"


def write_history(runs: str, *, scan: bool = True) -> str:
    """Writes the history page of a folder of runs.

    Args:
        runs: the folder, local or on object storage.
        scan: count moved examples in the written files, each run's being read once; else in the ledgers alone.

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


def read_history(folder: RunDirectory, *, scan: bool = True) -> HistoryFacts:
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
    opened = {name: _opened(name, run, title) for name, run in found.items() if is_run[name]}
    listed = tuple(_listed(name, found[name], title, one) for name, one in opened.items())
    if not listed:
        raise RunDirectoryError(
            f"{folder.uri} holds no run; runs lie in it side by side, as {join(folder.uri, '2026-11-22')}: write one "
            f"with: targetsplit run SPEC -o {join(folder.uri, 'NAME')}"
        )
    finished = [one for one in opened.values() if isinstance(one, OpenRun)]
    pairs = [(finished[old], run) for new, run in enumerate(finished) if (old := _base(finished, new)) is not None]
    return HistoryFacts(
        name=title,
        listed=listed,
        pairs=compare_pairs(pairs, scan=scan),
        others=tuple(name for name in found if not is_run[name]),
    )


def _by_number(name: str) -> tuple[list[tuple[int, str]], str]:
    """A key that sorts `RUN2` before `RUN10`; names that differ in leading zeros alone in a fixed order."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts], name


def _is_run(run: RunDirectory) -> bool:
    """Finished, planned, or begun: it holds something, and nothing but what runs hold."""
    names = run.names()
    begun = bool(names) and all(name in OWN or name.startswith(CLAIM) for name in names)
    return SUCCESS in names or begun or run.has(PLAN)


def _opened(name: str, run: RunDirectory, folder: str) -> OpenRun | str | None:
    """A finished run; what is wrong with it, in a sentence; or None for one that is not finished."""
    try:
        return OpenRun(name, run) if run.finished else None
    except TargetsplitError as error:
        return placeless(str(error), {run.uri: f"{folder}/{name}"})


def _listed(name: str, run: RunDirectory, folder: str, opened: OpenRun | str | None) -> ListedRun:
    """One run of a folder; what is wrong with it is told, and stops nothing. Its place is told from the folder on."""
    if isinstance(opened, str):
        return ListedRun(name, "cannot be read", opened)
    report = f"./{quote(name, safe='')}/{REPORT}" if run.has(REPORT) else None
    if opened is None:
        verb = "apply" if run.has(PLAN) else "run SPEC -o"
        return ListedRun(name, "not finished", f"Finish it with: targetsplit {verb} {folder}/{name}", report)
    return ListedRun(name, "finished", "", report, opened.told)


def _base(runs: Sequence[OpenRun], new: int) -> int | None:
    """The run that another is compared with: the one that it continues, the nearest before first; or the one before."""
    wanted = runs[new].plan.previous
    order = [*range(new - 1, -1, -1), *range(new + 1, len(runs))]
    continued = [old for old in order if wanted is not None and runs[old].plan.fingerprint == wanted]
    return continued[0] if continued else new - 1 if new else None
