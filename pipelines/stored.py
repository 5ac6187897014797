"""Reads and writes the parts of a run directory that outlive the run: plan, ledger, inputs, verdicts."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, replace
from typing import Any

import polars as pl
import pyarrow as pa

from pipelines.job import make_heading
from pipelines.run_directory import INPUTS, LEDGER, LINKS, PLAN, SPEC, RunDirectory
from pipelines.sources.filesystems import first_line
from pipelines.sources.fragments import Fragment, Inventory, SourceFile
from pipelines.sources.options import CsvOptions
from pipelines.sources.uris import is_uri
from pipelines.spec.loading import parse_spec
from pipelines.spec.models import Spec
from splitting.errors import RunDirectoryError
from splitting.linking.links import Links
from splitting.plan import LEDGER_NAMES, LEDGER_SCHEMA, Plan


def write_plan(run: RunDirectory, spec: Spec, inventory: Inventory, plan: Plan, links: Links | None = None) -> None:
    """Writes a plan; `plan.json` last, so that a plan is there whole or not at all."""
    if links is not None:
        run.write_frame(LINKS, links.table)
    run.write(SPEC, spec.to_yaml())
    run.write(INPUTS, _inventory_text(run, inventory))
    run.write_frame(LEDGER, plan.ledger.rename(LEDGER_NAMES))
    run.write(PLAN, plan.to_json())


def read_plan(run: RunDirectory) -> Plan:
    """Reads a plan.

    Raises:
        RunDirectoryError: it was changed after it was written, or another version wrote it.
    """
    names = {new: old for old, new in LEDGER_NAMES.items()}
    try:
        ledger = run.read_frame(LEDGER).rename(names).cast(pl.Schema(LEDGER_SCHEMA))
        return Plan.from_json(run.read(PLAN).decode(), ledger)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RunDirectoryError(f"{run.uri}/{PLAN} cannot be used: {error}; plan again") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        told = str(error).splitlines()[0][:200]
        raise RunDirectoryError(f"{run.uri}/{LEDGER} cannot be read: {told}; bring it back, or plan again") from error


def read_links(run: RunDirectory, plan: Plan) -> Links:
    """Reads the links of a plan; none where it has none.

    Raises:
        RunDirectoryError: they were changed after the plan was made, or cannot be read.
    """
    if plan.links is None:
        return Links.nothing()
    try:
        links = Links.of(run.read_frame(LINKS))
    except (pl.exceptions.PolarsError, OSError) as error:
        told = str(error).splitlines()[0][:200]
        raise RunDirectoryError(f"{run.uri}/{LINKS} cannot be read: {told}; bring it back, or plan again") from error
    if links.digest() != plan.links.digest:
        raise RunDirectoryError(f"{run.uri}/{LINKS} is not the one that the plan was written with; plan again")
    return links


def read_spec(run: RunDirectory) -> Spec:
    """Reads the resolved spec of a run."""
    return parse_spec(run.read(SPEC).decode(), f"{run.uri}/{SPEC}")


def check_spec(run: RunDirectory, plan: Plan, spec: Spec) -> None:
    """Proves that the spec of a run is that of its plan.

    Raises:
        RunDirectoryError: it was changed after the plan was made.
    """
    if make_heading(spec).spec_fingerprint != plan.spec_fingerprint:
        raise RunDirectoryError(
            f"{run.uri}/{SPEC} is not the spec of the plan: it was changed after the plan was made; plan again"
        )


def read_inventory(run: RunDirectory) -> Inventory:
    """Reads what a plan was made from: schema, files and fragments.

    Raises:
        RunDirectoryError: it was changed after it was written.
    """
    try:
        document = json.loads(run.read(INPUTS))
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(document["schema"])))
        options = {name: _csv(value) for name, value in document["csv"].items()}
        files, parts = ([_placed(run, item) for item in document[what]] for what in ("files", "fragments"))
        fragments = tuple(_fragment(item, options) for item in parts)
        return Inventory(schema, tuple(SourceFile(**item) for item in files), fragments)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, pa.ArrowException) as error:
        told = f"{type(error).__name__}: {first_line(error)}"
        raise RunDirectoryError(f"{run.uri}/{INPUTS} cannot be used ({told}); bring it back, or plan again") from error


def _inventory_text(run: RunDirectory, inventory: Inventory) -> str:
    csv = {fragment.source: fragment.csv for fragment in inventory.fragments if fragment.csv is not None}
    document = {
        "schema": base64.b64encode(inventory.schema.serialize().to_pybytes()).decode(),
        "csv": {name: asdict(options) for name, options in csv.items()},
        "files": [_moveable(run, asdict(file)) for file in inventory.files],
        "fragments": [_moveable(run, _plain(fragment)) for fragment in inventory.fragments],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _moveable(run: RunDirectory, item: dict[str, Any]) -> dict[str, Any]:
    """A file of the run itself, as an ingested table is, is told relative to it: a run can be moved."""
    return {**item, "uri": item["file"]} if run.path(item["file"]).uri == item["uri"] else item


def _placed(run: RunDirectory, item: dict[str, Any]) -> dict[str, Any]:
    uri = item["uri"]
    return item if is_uri(uri) or uri.startswith("/") else {**item, "uri": run.path(uri).uri}


def _plain(fragment: Fragment) -> dict[str, Any]:
    return {**asdict(replace(fragment, csv=None)), "csv": None}


def _csv(value: dict[str, Any]) -> CsvOptions:
    pairs = tuple((name, kind) for name, kind in value["column_types"])
    return CsvOptions(**{**value, "null_values": tuple(value["null_values"]), "column_types": pairs})


def _fragment(item: dict[str, Any], options: dict[str, CsvOptions]) -> Fragment:
    ranges = {name: tuple(item[name]) if item[name] else None for name in ("row_groups", "span")}
    csv = options.get(item["source"]) if item["format"] == "csv" else None
    return Fragment(**{**item, **ranges, "csv": csv})
