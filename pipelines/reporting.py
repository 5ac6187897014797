"""Writes the page that reviewers read, `RUN/report.html`, from what the run holds and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.measured import read_measured, read_profile
from pipelines.report.facts import RunFacts, SampleTable
from pipelines.run_directory import REPORT, RUN_LOG, VALIDATION, RunDirectory
from pipelines.stored import check_spec, read_plan, read_spec
from pipelines.thumbnails import read_thumbnails
from splitting.errors import RunDirectoryError
from splitting.plan import Plan
from validation.measures import IN_TARGET
from validation.verdict import FORMAT, document_fingerprint

if TYPE_CHECKING:
    from pipelines.spec.models import Spec
    from validation.profile.sample import Sample

_NESTED_SHOWN = 200


def write_report(run: RunDirectory, sample_rows: int | None = None) -> str:
    """Writes the report of a run that has been judged.

    Args:
        run: holds a plan, `validation.json` and, where something was measured, `profile/`.
        sample_rows: rows of each split to show; None for what the spec says.

    Returns:
        Where it is.

    Raises:
        RunDirectoryError: something of the run is missing or cannot be read.
    """
    from pipelines.report.page import report_page  # noqa: PLC0415
    from pipelines.report.view import report_view  # noqa: PLC0415

    run.write(REPORT, report_page(report_view(read_facts(run, sample_rows))))
    return run.path(REPORT).uri


def rebuild_report(run: RunDirectory, sample_rows: int | None = None) -> str:
    """Writes the report of a finished run again.

    Args:
        run: a finished run.
        sample_rows: as in `write_report`.

    Returns:
        Where it is.

    Raises:
        RunDirectoryError: the run is not finished, or cannot be read.
    """
    run.require_finished()
    return write_report(run, sample_rows)


def read_facts(run: RunDirectory, sample_rows: int | None = None) -> RunFacts:
    """All that a report says, read from the run.

    Args:
        run: see `write_report`.
        sample_rows: likewise.

    Returns:
        The facts.
    """
    plan, spec = read_plan(run), read_spec(run)
    check_spec(run, plan, spec)
    log = read_json(run, RUN_LOG)
    packages = log.get("packages")
    wanted = spec.report.sample_rows if sample_rows is None else sample_rows
    samples: tuple[SampleTable, ...] = ()
    profile = read_profile(run) if spec.checks.profile else None
    if wanted and profile is not None:
        _, measures = read_measured(run, profiled=True)
        assert measures is not None  # noqa: S101, the run was measured
        samples = sample_tables(plan, spec, measures.sample, wanted)
    return RunFacts(
        plan=plan,
        document=read_verdict(run),
        spec=run.read("spec.yaml").decode(),
        label=spec.label,
        source_column=spec.source_column,
        packages={str(name): str(version) for name, version in packages.items()} if isinstance(packages, dict) else {},
        python=str(log.get("python", "")),
        profile=profile,
        samples=samples,
        thumbnails=read_thumbnails(run) if spec.report.thumbnails else (),
    )


def read_verdict(run: RunDirectory) -> dict[str, Any]:
    """`validation.json` of a run.

    Raises:
        RunDirectoryError: it cannot be read, was changed, or another version wrote it.
    """
    document = read_json(run, VALIDATION)
    again = f"judge the run again with: targetsplit validate {run.uri}"
    if document.get("format") != FORMAT:
        raise RunDirectoryError(
            f"{run.uri}/{VALIDATION} is of format {document.get('format')!r}, and this version reads {FORMAT}; {again}"
        )
    if document.get("fingerprint") != document_fingerprint(document):
        raise RunDirectoryError(
            f"{run.uri}/{VALIDATION} was changed after it was written, or an earlier version wrote it; {again}"
        )
    return document


def read_json(run: RunDirectory, name: str) -> dict[str, Any]:
    """A JSON object of the run.

    Raises:
        RunDirectoryError: there is none.
    """
    try:
        document = json.loads(run.read(name))
    except (ValueError, RecursionError) as error:
        raise RunDirectoryError(f"{run.uri}/{name} cannot be read ({error}); bring it back, or run again") from error
    if not isinstance(document, dict):
        raise RunDirectoryError(f"{run.uri}/{name} holds no JSON object; bring it back, or run again")
    return document


def sample_tables(plan: Plan, spec: Spec, sample: Sample, most: int) -> tuple[SampleTable, ...]:
    """Some rows of each split, as texts.

    Args:
        plan: of the run.
        spec: of the run; columns that it skips are not shown.
        sample: the keyed sample.
        most: rows of each split.

    Returns:
        A table a split that has rows: those of the smallest keys, whatever their source.
    """
    tables = []
    for name in ("train", *(split.name for split in plan.splits)):
        part = sample.select([name, f"{name}{IN_TARGET}"])
        order = part.about.with_row_index("at").sort("key", "source", "at").head(most)["at"]
        rows = part.rows[order] if part.rows.columns else part.rows
        columns = [one for one in rows.columns if one not in (*spec.checks.skip, spec.source_column)]
        if not len(order):
            continue
        texts = [part.about["source"].gather(order).to_list(), *(_texts(rows.get_column(one)) for one in columns)]
        tables.append(
            SampleTable(name, (spec.source_column, *columns), tuple(zip(*texts, strict=True)), plan.rows_of(name))
        )
    return tuple(tables)


def _texts(values: pl.Series) -> list[str | None]:
    if values.dtype.is_nested():
        return [None if value is None else str(list(value))[:_NESTED_SHOWN] for value in values]
    texts: list[str | None] = values.cast(pl.String, strict=False).to_list()
    return texts
