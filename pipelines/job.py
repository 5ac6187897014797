"""Turns a spec and what the files hold into the pure core's terms: rules, request, heading."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from importlib import metadata

import pyarrow as pa

from pipelines.ingest.names import hash_columns, location_columns
from pipelines.output.tables import OutputTables
from pipelines.sources.formats import Format
from pipelines.sources.fragments import SourceRequest
from pipelines.sources.options import CsvOptions
from pipelines.spec.models import Csv as CsvSpec
from pipelines.spec.models import Format as SourceFormat
from pipelines.spec.models import Pool as PoolSpec
from pipelines.spec.models import Spec
from pipelines.spec.models import Split as SplitSpec
from pipelines.spec.predicates import compile_condition, polars_schema
from splitting.compose import Heading
from splitting.conditions import Condition
from splitting.errors import Problem, SpecError
from splitting.hashing import HASH_NAME
from splitting.linking.rules import LinkRule, NearTexts, link_columns
from splitting.request import TARGET_POOL, TRAIN, TRAIN_POOL, Request, Size, SplitRequest
from splitting.rules import GroupLinks, Pool, Rules, Stratifier

_DECIDING_PACKAGES = ("targetsplit", "polars", "polars-hash")
_NEAR_TEXT = "rensa"


def source_requests(spec: Spec) -> tuple[SourceRequest, ...]:
    """What to read, in the order of the spec."""
    return tuple(
        SourceRequest(name=name, paths=source.paths, format=_table_format(source.format), csv=_csv_options(source.csv))
        for name, source in spec.sources.items()
    )


def _table_format(given: SourceFormat | None) -> Format | None:
    if given == "images" or given == "audio":  # noqa: PLR1714, mypy narrows this
        raise ValueError(f"sources of {given} are ingested first")
    return given


def make_rules(spec: Spec, schema: pa.Schema, links: GroupLinks | None = None) -> Rules:
    """What decides about rows.

    Args:
        spec: the spec, its columns checked against the schema.
        schema: of the unified table, without the source column.
        links: what joins groups to clusters.

    Returns:
        The rules.

    Raises:
        SpecError: a condition is not one.
    """
    columns = polars_schema(schema, spec.source_column)

    def condition(sql: str | None, path: str) -> Condition:
        return compile_condition(sql or "", columns, path)

    def pool(name: str, given: PoolSpec, path: str) -> Pool:
        conditions = (condition(given.where, f"{path}.where"),) if given.where else ()
        return Pool(name, frozenset(given.source) if given.source else None, conditions)

    target = pool(TARGET_POOL, spec.target, "target")
    pools = [target]
    for name, split in spec.evaluation_splits().items():
        if isinstance(split.from_, PoolSpec):
            pools.append(pool(name, split.from_, f"splits.{name}.from"))
        elif split.from_ not in (TARGET_POOL, TRAIN):
            narrower = condition(split.from_, f"splits.{name}.from")
            pools.append(Pool(name, target.sources, (*target.conditions, narrower)))
    return Rules(
        salt=spec.salt,
        key=spec.key_columns,
        group=spec.group or (),
        strata=tuple(Stratifier(item.column, tuple(item.edges)) for item in spec.stratify),
        pools=(*pools, Pool(TRAIN_POOL)),
        source_column=spec.source_column,
        row_columns=tuple(sorted(schema.names)) if spec.key_is_row else (),
        links=links,
    )


def make_tables(spec: Spec, schema: pa.Schema) -> OutputTables:
    """How output rows look.

    Args:
        spec: the spec.
        schema: of the unified table, without the source column.

    Returns:
        The tables. An index holds what links rows as well; that of files which were ingested also what a user needs to
        open them without the ingest.
    """
    kept = tuple(name for name in _index_columns(spec) if name in schema.names and name not in spec.key_columns)
    return OutputTables(schema, spec.source_column, spec.key_columns, spec.output, kept)


def _index_columns(spec: Spec) -> tuple[str, ...]:
    """Beside the key: what links rows but texts; of files the label, what tells copies, and where they lie."""
    links = link_columns(tuple(rule for _, rule in written_links(spec)))
    if spec.ingested is None:
        return links
    label = [] if spec.label is None else [spec.label]
    return tuple(dict.fromkeys((*label, *hash_columns(spec.ingested), *links, *location_columns(spec.ingested))))


def written_links(spec: Spec) -> tuple[tuple[int, LinkRule], ...]:
    """What links rows, with its number, and is looked for again in what was written.

    Args:
        spec: the spec.

    Returns:
        Numbers and rules, in the order of the spec; an index holds no texts.
    """
    whole = spec.output != "index"
    return tuple((i, rule) for i, rule in enumerate(spec.links) if whole or not isinstance(rule, NearTexts))


def make_request(spec: Spec) -> Request:
    """What is asked for."""
    splits = tuple(
        SplitRequest(name, _pool_name(name, split), _size(split)) for name, split in spec.evaluation_splits().items()
    )
    return Request(splits, spec.on_shortfall, spec.new_members)


def _pool_name(name: str, split: SplitSpec) -> str:
    if split.from_ == TARGET_POOL:
        return TARGET_POOL
    return TRAIN_POOL if split.from_ == TRAIN else name


def _size(split: SplitSpec) -> Size:
    if isinstance(split.size, int):
        return Size(count=split.size)
    if isinstance(split.size, Fraction):
        return Size(None, split.size.numerator, split.size.denominator)
    raise ValueError("only train can be what is left")


def make_heading(spec: Spec) -> Heading:
    """What the plan says of itself."""
    decision = json.dumps(spec.decision(), sort_keys=True, ensure_ascii=True)
    return Heading(
        name=spec.name,
        identity={
            "salt": spec.salt,
            "hash": HASH_NAME,
            "key": list(spec.key_columns) or "row",
            "group": list(spec.group or ()),
        },
        spec_fingerprint=hashlib.sha256(decision.encode()).hexdigest()[:32],
        sources=tuple(spec.sources),
        versions={name: metadata.version(name) for name in (*_DECIDING_PACKAGES, *_packages_of(spec))},
    )


def _packages_of(spec: Spec) -> tuple[str, ...]:
    """Packages that decide in this spec alone.

    Raises:
        SpecError: one is not installed.
    """
    if not any(isinstance(rule, NearTexts) for rule in spec.links):
        return ()
    try:
        metadata.version(_NEAR_TEXT)
    except metadata.PackageNotFoundError:
        told = f"near_text needs the package {_NEAR_TEXT!r}, which is not installed: pip install 'targetsplit[text]'"
        raise SpecError([Problem("linked_by", told)]) from None
    return (_NEAR_TEXT,)


def _csv_options(csv: CsvSpec) -> CsvOptions:
    return CsvOptions(
        csv.delimiter, csv.null_values, tuple(sorted(csv.column_types.items())), csv.newlines_in_values, csv.encoding
    )
