"""OpenLineage events of plans and runs, where `TARGETSPLIT_LINEAGE` is true; by default none.

The official client sends them, configured as everywhere: `OPENLINEAGE_URL`, `OPENLINEAGE_CONFIG`, or
`OPENLINEAGE__TRANSPORT__TYPE=file` and its like. It is an extra: `pip install 'targetsplit[lineage]'`.
"""

from __future__ import annotations

import os
import posixpath
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

from pipelines.run_directory import DATA, RunDirectory
from pipelines.sources.uris import is_uri, join, shown, split_root
from splitting.errors import SpecError, TargetsplitError
from splitting.request import TRAIN

if TYPE_CHECKING:
    from pipelines.sources.fragments import SourceFile
    from splitting.plan import Plan
    from validation.verdict import Judgement

SWITCH = "TARGETSPLIT_LINEAGE"
NAMESPACE = "targetsplit"
_PRODUCER = f"targetsplit/{metadata.version('targetsplit')}"
_LONGEST = 1000

Report = Callable[["Plan", "Judgement | None"], None]
"""Called when a verb is done, with the plan and what the checks say."""


def dataset_name(uri: str) -> tuple[str, str]:
    """The namespace and the name that OpenLineage gives a place.

    Examples:
        >>> dataset_name("s3://bucket/runs/first")
        ('s3://bucket', 'runs/first')
        >>> dataset_name("/data/web")
        ('file', '/data/web')
    """
    if not is_uri(uri):
        return "file", uri
    root, path = split_root(shown(uri))
    return root, path or "/"


@contextmanager
def reported(verb: str, run: RunDirectory) -> Iterator[Report]:
    """Tells OpenLineage that a verb begins, and that it is done or failed.

    Args:
        verb: as in `plan`.
        run: the run directory.

    Yields:
        What to call before the block ends.

    Raises:
        SpecError: events are asked for, and the client is not installed, or is set up wrongly.
    """
    if os.environ.get(SWITCH, "").lower() not in {"1", "true", "yes"}:
        yield _unheard
        return
    events = _Events(verb, run)
    events.send("START")
    done: list[tuple[Plan, Judgement | None]] = []
    try:
        yield lambda plan, judgement: done.append((plan, judgement))
    except BaseException as error:
        events.fail(error)
        raise
    if done:
        events.complete(*done[0])


def _unheard(_plan: Plan, _judgement: Judgement | None) -> None:
    return None


class _Events:
    """The events of one run of a verb."""

    def __init__(self, verb: str, run: RunDirectory) -> None:
        try:
            from openlineage.client import OpenLineageClient  # noqa: PLC0415, an extra
        except ImportError as error:
            told = f"{SWITCH} is true and the client is not installed: pip install 'targetsplit[lineage]'"
            raise SpecError(told, "environment") from error
        try:
            self._client = OpenLineageClient()
        except Exception as error:
            raise SpecError(f"OpenLineage's client cannot be made: {error}", "environment") from error
        self._verb, self._run, self._id = verb, run, str(uuid.uuid4())

    def send(self, state: str, **more: Any) -> None:
        """Sends one event; that nobody takes it does not fail the run."""
        from openlineage.client import event_v2 as events  # noqa: PLC0415
        from openlineage.client.facet_v2 import processing_engine_run  # noqa: PLC0415

        engine = processing_engine_run.ProcessingEngineRunFacet(metadata.version("apache-beam"), "Apache Beam")
        facets = {"processing_engine": engine, **more.pop("run_facets", {})}
        namespace, place = dataset_name(self._run.uri)
        try:
            self._client.emit(
                events.RunEvent(
                    eventTime=datetime.now(UTC).isoformat(),
                    producer=_PRODUCER,
                    run=events.Run(self._id, facets),
                    job=events.Job(NAMESPACE, f"{self._verb} {posixpath.join(namespace, place.lstrip('/'))}"),
                    eventType=events.RunState[state],
                    **more,
                )
            )
        except Exception as error:  # noqa: BLE001, a client of the network: anything
            sys.stderr.write(f"warning: OpenLineage did not take an event: {str(error)[:_LONGEST]}\n")

    def fail(self, error: BaseException) -> None:
        """Sends that the verb failed; users' errors with their message, others by their kind alone."""
        from openlineage.client.facet_v2 import error_message_run  # noqa: PLC0415

        told = str(error)[:_LONGEST] if isinstance(error, TargetsplitError) else type(error).__name__
        self.send("FAIL", run_facets={"errorMessage": error_message_run.ErrorMessageRunFacet(told, "python")})

    def complete(self, plan: Plan, judgement: Judgement | None) -> None:
        """Sends what was read and written, and what the checks say."""
        from pipelines.stored import read_inventory  # noqa: PLC0415, loads what reads files

        inventory = read_inventory(self._run)
        fields = _fields(inventory.schema)
        rows = {source.name: source.rows for source in plan.sources}
        inputs = [
            _input(folder_of(files), files, fields, rows.get(name))
            for name in rows
            if (files := [file for file in inventory.files if file.source == name])
        ]
        self.send("COMPLETE", inputs=inputs, outputs=[self._output(plan, judgement, fields)])

    def _output(self, plan: Plan, judgement: Judgement | None, fields: list[Any]) -> Any:
        from openlineage.client import event_v2 as events  # noqa: PLC0415
        from openlineage.client.facet_v2 import (  # noqa: PLC0415
            data_quality_assertions_dataset as quality,
        )
        from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics  # noqa: PLC0415
        from openlineage.client.facet_v2 import schema_dataset  # noqa: PLC0415

        if judgement is None:
            return events.OutputDataset(*dataset_name(join(self._run.uri, "plan")))
        assertions = [
            quality.Assertion(
                assertion=verdict.check.expectation,
                success=verdict.success,
                column=verdict.check.column,
                severity="error" if verdict.severity == "critical" else "warn",
                name=verdict.check.name,
                description=verdict.check.description,
            )
            for verdict in judgement.verdicts
        ]
        written = plan.rows_of(TRAIN) + sum(plan.rows_of(split.name) for split in plan.splits)
        facets: dict[str, Any] = {
            "schema": schema_dataset.SchemaDatasetFacet(fields),
            "dataQualityAssertions": quality.DataQualityAssertionsDatasetFacet(assertions),
        }
        return events.OutputDataset(
            *dataset_name(join(self._run.uri, DATA)),
            {"outputStatistics": statistics.OutputStatisticsOutputDatasetFacet(rowCount=written)},
            facets=facets,
        )


def folder_of(files: list[SourceFile]) -> str:
    """The folder, or the one file, that a source is."""
    uris = [file.uri for file in files]
    return uris[0] if len(uris) == 1 else os.path.commonprefix(uris).rpartition("/")[0]  # noqa: RUF071, cut at a slash


def _fields(schema: Any) -> list[Any]:
    from openlineage.client.facet_v2 import schema_dataset  # noqa: PLC0415

    return [schema_dataset.SchemaDatasetFacetFields(field.name, str(field.type)) for field in schema]


def _input(uri: str, files: list[SourceFile], fields: list[Any], rows: int | None) -> Any:
    from openlineage.client import event_v2 as events  # noqa: PLC0415
    from openlineage.client.facet_v2 import input_statistics_input_dataset as statistics  # noqa: PLC0415
    from openlineage.client.facet_v2 import schema_dataset  # noqa: PLC0415

    size = sum(file.bytes for file in files)
    counted = statistics.InputStatisticsInputDatasetFacet(rowCount=rows, size=size, fileCount=len(files))
    facets: dict[str, Any] = {"schema": schema_dataset.SchemaDatasetFacet(fields)}
    return events.InputDataset(*dataset_name(uri), {"inputStatistics": counted}, facets=facets)
