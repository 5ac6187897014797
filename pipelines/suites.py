"""Suites and actions that a spec names: read once, judged strictly before any data is, kept with the plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from pipelines.run_directory import SUITES, RunDirectory
from pipelines.sources.filesystems import locate, read_bytes
from pipelines.spec.check_models import Checks
from splitting.errors import DataError, Problem, RunDirectoryError, SpecError
from validation.gx.process import Judge
from validation.gx.values import MOST_BYTES, OWN_SUITE, SuiteError, UserSuite
from validation.metrics.tables import Wanted
from validation.tables import ValueKind

_ORIGIN = "checks"


def read_suites(checks: Checks, base: str | None) -> tuple[UserSuite, ...]:
    """Reads the files of suites.

    Args:
        checks: of a spec.
        base: the folder that relative paths are against.

    Returns:
        The suites, each named by its file.

    Raises:
        SpecError: lists every file that cannot be read.
    """
    suites: list[UserSuite] = []
    problems: list[Problem] = []
    for index, suite in enumerate(checks.suites):
        place = f"checks.suites[{index}].path"
        try:
            text = read_bytes(locate(suite.path, base), MOST_BYTES + 1).decode("utf-8-sig")
        except DataError as error:
            problems.append(Problem(place, str(error)))
        except UnicodeDecodeError as error:
            problems.append(Problem(place, f"{suite.path} is not UTF-8 text (byte {error.start}); save it as UTF-8"))
        else:
            name = suite.path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".json")
            if name in (OWN_SUITE, *(other.name for other in suites)):
                told = "is the name of the project's own suite" if name == OWN_SUITE else "is there twice"
                problems.append(Problem(place, f"a suite is named by its file, and {name!r} {told}; rename it"))
            suites.append(UserSuite(name, text, suite.on, suite.path))
    if problems:
        raise SpecError(problems, _ORIGIN)
    return tuple(suites)


def load_suites(
    judge: Judge, checks: Checks, suites: Sequence[UserSuite], columns: Mapping[str, ValueKind], *, environment: bool
) -> Wanted:
    """Has suites and actions judged as they are, before any data is.

    Args:
        judge: loads Great Expectations.
        checks: of the spec.
        suites: of `read_suites`.
        columns: of the splits, with what they hold.
        environment: the variables that actions name must be there.

    Returns:
        What has to be counted.

    Raises:
        SpecError: lists every problem of every suite and action.
    """
    if not suites and not checks.actions:
        return Wanted()
    try:
        plans = judge.load(suites, checks.actions, columns, environment=environment)
    except SuiteError as error:
        raise SpecError([Problem("", problem) for problem in error.problems], _ORIGIN) from error
    return Wanted(tuple((table, plans[suite.name]) for suite in suites for table in suite.tables))


def write_suites(run: RunDirectory, suites: Sequence[UserSuite]) -> None:
    """Keeps suites with the plan, as they were; nothing where there are none."""
    if suites:
        run.write(SUITES, json.dumps([asdict(suite) for suite in suites], indent=1, ensure_ascii=False) + "\n")


def stored_suites(run: RunDirectory) -> tuple[UserSuite, ...]:
    """The suites that were kept with a plan.

    Raises:
        RunDirectoryError: they cannot be read.
    """
    if not run.has(SUITES):
        return ()
    try:
        told = json.loads(run.read(SUITES))
        return tuple(UserSuite(**{**suite, "tables": tuple(suite["tables"])}) for suite in told)
    except (ValueError, TypeError, KeyError) as error:
        raise RunDirectoryError(f"{run.uri}/{SUITES} cannot be read ({type(error).__name__}); plan again") from error
