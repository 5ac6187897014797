"""The verbs: plan, apply, run, duplicates, show, validate, ... For notebooks, DAGs, the command line alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from pipelines.claims import claimed
from pipelines.lineage import reported
from pipelines.run_directory import RunDirectory
from pipelines.sources.uris import split_query
from pipelines.spec.loading import load_spec, with_lines
from pipelines.spec.models import Spec
from splitting.errors import RunDirectoryError, SpecError
from splitting.plan import Plan
from validation.gx.process import Judge

if TYPE_CHECKING:
    from pipelines.duplicates import Duplicates
    from pipelines.report.run_facts import RunPair
    from validation.verdict import Judgement

FailOn = Literal["critical", "warning"]
Progress = Callable[[str, int, int | None], None]
"""Called with what is being done, rows done so far, and rows in all where that is known."""


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Attributes:
        uri: where it lies.
        plan: what was decided.
        judgement: what the checks say.
        missed: what went wrong with actions when everything was written, a line each.
    """

    uri: str
    plan: Plan
    judgement: Judgement
    missed: tuple[str, ...] = ()

    @property
    def success(self) -> bool:
        """No check failed that is as severe as the spec's `fail_on`; critical by default."""
        return self.judgement.success


def plan(
    spec: Spec | str | PathLike[str],
    out: str | PathLike[str],
    *,
    previous: str | PathLike[str] | None = None,
    overwrite: bool = False,
    beam_options: Sequence[str] = (),
    progress: Progress | None = None,
) -> Plan:
    """Decides which example goes where, and writes the plan; no data is written.

    Args:
        spec: a spec, or the path of its YAML file. Relative source paths are against that file's folder (a `Spec`
            object: against the working directory).
        out: the run directory; a new or empty folder, or an unfinished run.
        previous: the directory of the finished run to continue; nothing that it decided moves.
        overwrite: replace a finished run in `out`; it stays until the new plan is made.
        beam_options: handed to Beam, as in `--runner=FlinkRunner`.
        progress: told how far the job is.

    Returns:
        The plan.

    Raises:
        SpecError: the spec is wrong; lists every problem.
        DataError: the data cannot be read, or does not fit the spec.
        ShortfallError: the data cannot give the sizes asked for.
        RunDirectoryError: `out` cannot be written, or `previous` cannot be continued.
    """
    loaded = _spec(spec)
    with _told_with_lines(spec), _claimed(out, progress) as directory, reported("plan", directory) as report:
        made = _plan(loaded, directory, previous, overwrite, beam_options, progress, None)
        report(made, None)
        return made


def apply(
    out: str | PathLike[str],
    *,
    overwrite: bool = False,
    shard_bytes: int | None = None,
    fail_on: FailOn | None = None,
    beam_options: Sequence[str] = (),
    progress: Progress | None = None,
) -> RunResult:
    """Writes the data of a planned run, and checks what was written.

    Args:
        out: the run directory, holding a plan.
        overwrite: write a finished run again.
        shard_bytes: about how large a data file should be; 256 MiB by default.
        fail_on: from which severity on a failed check fails the run; by default as the spec says.
        beam_options: handed to Beam, as in `--runner=FlinkRunner`.
        progress: told how far the job is.

    Returns:
        The finished run. Look at `success`: a critical check may have failed.

    Raises:
        DataError: the data cannot be read, or is not what was planned with.
        RunDirectoryError: there is no plan, or the run is finished and `overwrite` is not set.
    """
    with _claimed(out, progress) as directory, reported("apply", directory) as report:
        if directory.finished and not overwrite:
            raise RunDirectoryError(
                f"{directory.uri} is finished; write it again with --overwrite, or choose another folder"
            )
        directory.require_plan()
        with Judge() as judge:
            result = _apply(directory, shard_bytes, fail_on, beam_options, progress, judge)
        report(result.plan, result.judgement)
        return result


def run(
    spec: Spec | str | PathLike[str],
    out: str | PathLike[str],
    *,
    previous: str | PathLike[str] | None = None,
    overwrite: bool = False,
    shard_bytes: int | None = None,
    fail_on: FailOn | None = None,
    beam_options: Sequence[str] = (),
    progress: Progress | None = None,
) -> RunResult:
    """Plans and applies; the arguments are those of both.

    Returns:
        The finished run. Look at `success`: a critical check may have failed.
    """
    loaded = _spec(spec)
    with (
        _told_with_lines(spec),
        _claimed(out, progress) as directory,
        reported("run", directory) as report,
        Judge() as judge,
    ):
        _plan(loaded, directory, previous, overwrite, beam_options, progress, judge)
        result = _apply(directory, shard_bytes, fail_on, beam_options, progress, judge)
        report(result.plan, result.judgement)
        return result


def duplicates(
    spec: Spec | str | PathLike[str],
    out: str | PathLike[str] | None = None,
    *,
    beam_options: Sequence[str] = (),
    progress: Progress | None = None,
) -> Duplicates:
    """Finds what `linked_by` links, without splitting anything.

    Args:
        spec: a spec, or the path of its YAML file.
        out: a folder for `duplicates.parquet`, a row a linked row; None writes none.
        beam_options: handed to Beam, as in `--runner=FlinkRunner`; workers elsewhere need an `out` that they reach.
        progress: told how far the jobs are.

    Returns:
        The linked rows; clusters of any size.

    Raises:
        SpecError: the spec is wrong, or links nothing.
        DataError: the data cannot be read.
        RunDirectoryError: `out` holds such a table already.
    """
    from pipelines.duplicates import find_duplicates  # noqa: PLC0415, imports Beam

    loaded, base = _spec(spec)
    with _told_with_lines(spec):
        return find_duplicates(loaded, base, None if out is None else str(out), beam_options, progress or _silent)


def validate(
    out: str | PathLike[str],
    spec: Spec | str | PathLike[str] | None = None,
    *,
    fail_on: FailOn | None = None,
    rescan: bool = False,
    beam_options: Sequence[str] = (),
    progress: Progress | None = None,
) -> RunResult:
    """Judges a finished run again, from what was measured: without `rescan` the data is not read.

    Args:
        out: the run directory.
        spec: the run's spec with other `checks`; by default those of the run.
        fail_on: from which severity on a failed check fails the run; by default as the spec says.
        rescan: count in the written data what the spec's suites want.
        beam_options: handed to Beam; for `rescan`.
        progress: told what is being done.

    Returns:
        The run, its `validation.json` written anew. Look at `success`.

    Raises:
        SpecError: the spec is wrong.
        RunDirectoryError: the run is not finished, its measures cannot be read, or the spec decides otherwise.
    """
    from pipelines.validating import Again, validate_run  # noqa: PLC0415, loads what reads files

    asked, base = _spec(spec) if spec is not None else (None, None)
    with (
        _told_with_lines(spec),
        _claimed(out, progress) as directory,
        reported("validate", directory) as report,
        Judge() as judge,
    ):
        again = Again(asked, base, fail_on, rescan, beam_options)
        result = validate_run(directory, again, progress or _silent, judge)
        report(result.plan, result.judgement)
        return result


def report(out: str | PathLike[str], *, sample_rows: int | None = None) -> str:
    """Writes `report.html` of a finished run again, from what the run holds; the data is not read.

    Args:
        out: the run directory.
        sample_rows: rows of each split to show; by default as the spec says.

    Returns:
        Where the report is: an absolute path or a URI.

    Raises:
        RunDirectoryError: the run is not finished, or something of it cannot be read.
    """
    from pipelines.reporting import rebuild_report  # noqa: PLC0415, loads what reads files

    return rebuild_report(RunDirectory.at(str(out)), sample_rows)


def history(runs: str | PathLike[str], *, scan: bool = True) -> str:
    """Writes `index.html` of a folder of runs: a line a run, the mismatch over time, what changed from one to the next.

    Each run is compared with the one that it continues, or else with the one before it by name.

    Args:
        runs: the folder in which runs lie side by side.
        scan: count moved examples in the written files, each run's being read once; else in the ledgers alone, which do
            not list `train`.

    Returns:
        Where the page is: an absolute path or a URI.

    Raises:
        RunDirectoryError: the folder holds no run, or is one.
    """
    from pipelines.history import write_history  # noqa: PLC0415, loads what reads files

    return write_history(str(runs), scan=scan)


def diff(old: str | PathLike[str], new: str | PathLike[str], *, scan: bool = True) -> RunPair:
    """Compares two finished runs: spec, sizes, examples that came, left, were held out or moved, shifts of the data.

    Args:
        old: the directory of the reference.
        new: of the other.
        scan: count examples in the written files of both; else in their ledgers alone, which do not list `train`.

    Returns:
        Both runs. Look at `moves.moved`: where the new run continues the old one it must be 0.

    Raises:
        RunDirectoryError: one is not a finished run, or cannot be read.
    """
    from pipelines.run_pairs import compare  # noqa: PLC0415, loads what reads files

    return compare(str(old), str(new), scan=scan)


def starter_suite(out: str | PathLike[str], table: str = "all") -> dict[str, Any]:
    """Makes a first suite of expectations from a finished run, for a person to widen and to prune.

    Args:
        out: the run directory.
        table: what the suite is to be judged on: `all`, `splits.NAME` or `sources.NAME`.

    Returns:
        The suite, in the JSON of Great Expectations.

    Raises:
        RunDirectoryError: the run is not finished, or nothing was measured.
        SpecError: there is no such split or source.
    """
    from pipelines.starting import make_starter_suite  # noqa: PLC0415, loads what reads files

    return make_starter_suite(RunDirectory.at(str(out)), table)


def show(out: str | PathLike[str]) -> Plan:
    """Reads the plan of a run directory.

    Args:
        out: the run directory.

    Returns:
        The plan.

    Raises:
        RunDirectoryError: there is none, or it was changed after it was written.
    """
    from pipelines.stored import read_plan  # noqa: PLC0415

    directory = RunDirectory.at(str(out))
    directory.require_plan()
    return read_plan(directory)


@contextmanager
def _claimed(out: str | PathLike[str], progress: Progress | None) -> Iterator[RunDirectory]:
    """The run directory, for this launcher alone."""
    directory = RunDirectory.at(str(out))
    with claimed(directory, lambda: (progress or _silent)("waiting for another launcher", 0, None)):
        yield directory


def _plan(
    spec: tuple[Spec, str | None],
    run: RunDirectory,
    previous: str | PathLike[str] | None,
    overwrite: bool,
    beam_options: Sequence[str],
    progress: Progress | None,
    judge: Judge | None,
) -> Plan:
    from pipelines.planning import make_run_plan  # noqa: PLC0415, imports Beam

    loaded, base = spec
    run.require_free(overwrite=overwrite)
    earlier = RunDirectory.at(str(previous)) if previous is not None else None
    if earlier == run:
        raise RunDirectoryError(f"{run.uri} cannot continue itself; write the new run to another folder")
    return make_run_plan(loaded, base, run, earlier, beam_options, progress or _silent, judge)


def _apply(
    run: RunDirectory,
    shard_bytes: int | None,
    fail_on: FailOn | None,
    beam_options: Sequence[str],
    progress: Progress | None,
    judge: Judge,
) -> RunResult:
    from pipelines.applying import apply_run_plan  # noqa: PLC0415, imports Beam

    return apply_run_plan(run, shard_bytes, fail_on, beam_options, progress or _silent, judge)


def _spec(spec: Spec | str | PathLike[str]) -> tuple[Spec, str | None]:
    if isinstance(spec, Spec):
        return spec, None
    path = str(spec)
    stem, query = split_query(path)
    return load_spec(path), stem.rsplit("/", 1)[0] + query if "/" in stem else None


@contextmanager
def _told_with_lines(spec: Spec | str | PathLike[str] | None) -> Iterator[None]:
    """What is found wrong in a spec within has its lines, where it was read from a file."""
    try:
        yield
    except SpecError as error:
        if spec is None or isinstance(spec, Spec) or error.origin != "spec":
            raise
        raise with_lines(error, str(spec)) from error


def _silent(_what: str, _done: int, _total: int | None) -> None:
    return None
