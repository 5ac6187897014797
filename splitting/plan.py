"""The plan: sizes, quotas, and which groups are reserved for which split. A value; small; a file to review."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import polars as pl

from splitting.rules import GROUP, KEY, ROWS

FORMAT = 1
SPLIT = "split"
LEDGER_SCHEMA = {GROUP: pl.UInt64, KEY: pl.UInt64, SPLIT: pl.String, ROWS: pl.Int64}
LEDGER_NAMES = {GROUP: "group", KEY: "key", ROWS: "rows"}

Stratum = tuple[str | None, ...]


@dataclass(frozen=True)
class CellPlan:
    """Rows of one split, source and stratum, and how many of them are in the target pool."""

    split: str
    source: str
    stratum: Stratum
    rows: int
    target_rows: int


@dataclass(frozen=True)
class QuotaPlan:
    """What one split wants of one stratum of its pool, and gets.

    Attributes:
        split: the split.
        source: the source, where the pool is stratified by source too; else None.
        stratum: the labels, null for null.
        pool_rows: rows of the stratum in the pool.
        wanted: the quota in rows, floor or ceiling of the proportional share.
        rows: what is planned.
    """

    split: str
    source: str | None
    stratum: Stratum
    pool_rows: int
    wanted: int
    rows: int


@dataclass(frozen=True)
class SplitPlan:
    """One evaluation split.

    Attributes:
        name: the split.
        pool: the pool that it is drawn from.
        pool_rows: rows of that pool, when it was drawn.
        asked: the size that the spec asks for, in rows.
        rows: the size that is planned.
        groups: how many groups it holds.
        frozen_rows: rows that an earlier run had already put there.
        shuffle_target_rows: how many target rows a plain shuffle of everything would put into a split of this
            size, to the nearest integer.
    """

    name: str
    pool: str
    pool_rows: int
    asked: int
    rows: int
    groups: int
    frozen_rows: int
    shuffle_target_rows: int


@dataclass(frozen=True)
class PoolPlan:
    """One pool.

    Attributes:
        name: the pool.
        rows: its rows.
        mark: every group of the pool with `u` below it has been examined and is in the ledger.
    """

    name: str
    rows: int
    mark: int


@dataclass(frozen=True)
class LinkPlan:
    """What links joined to clusters.

    Attributes:
        digest: of the table of links.
        groups: how many groups are linked with others.
        clusters: that they make.
        largest: groups of the largest.
        apart: pairs of splits, and how many clusters hold frozen examples of both: links that were found too late.
    """

    digest: str
    groups: int
    clusters: int
    largest: int
    apart: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True)
class SetAside:
    """Rows that are in no split: held out or rejected, with the reason."""

    source: str
    reason: str
    rows: int


@dataclass(frozen=True)
class SourcePlan:
    """One source.

    Attributes:
        name: the source.
        rows: rows read, rejected ones included.
        null_groups: those whose group is null; each is a group of one.
        checksum: of the rows' keys and groups, whatever their order; `apply` compares it with what it reads.
    """

    name: str
    rows: int
    null_groups: int
    checksum: str


@dataclass(frozen=True, eq=False)
class Plan:
    """The decision.

    Attributes:
        name: of the spec.
        identity: what names examples and groups: salt, hash, key, group. A run continues only a plan whose
            identity is the same.
        strata: the stratified columns.
        spec_fingerprint: of all in the spec that decides.
        input_fingerprint: of the rows' keys, groups, sources and strata, whatever their order and files.
        sources: by name.
        splits: the evaluation splits in the order of the spec.
        pools: in the order of their draws.
        quotas: by split and stratum.
        cells: composition of every split, `train` included, by source and stratum.
        held_out: rows of reserved groups that are in no split.
        rejected: rows that cannot be placed.
        previous: the fingerprint of the plan that this one continues.
        notes: what a reviewer must know, in sentences.
        ledger: `_group`, `_key`, `split`, `_rows`: a row a key of an evaluation split; a row with a null key and
            the split `train` for every other group that was examined. Sorted.
        versions: of what decided.
        links: what links joined to clusters; None where nothing links.
    """

    name: str
    identity: dict[str, Any]
    strata: tuple[str, ...]
    spec_fingerprint: str
    input_fingerprint: str
    sources: tuple[SourcePlan, ...]
    splits: tuple[SplitPlan, ...]
    pools: tuple[PoolPlan, ...]
    quotas: tuple[QuotaPlan, ...]
    cells: tuple[CellPlan, ...]
    held_out: tuple[SetAside, ...]
    rejected: tuple[SetAside, ...]
    previous: str | None
    notes: tuple[str, ...]
    ledger: pl.DataFrame
    versions: dict[str, str] = field(default_factory=dict)
    links: LinkPlan | None = None

    @property
    def rows_read(self) -> int:
        """All rows of all sources, rejected ones included."""
        return sum(source.rows for source in self.sources)

    def rows_of(self, split: str) -> int:
        """Planned rows of a split."""
        return sum(cell.rows for cell in self.cells if cell.split == split)

    def target_rows_of(self, split: str) -> int:
        """Planned rows of a split that are in the target pool."""
        return sum(cell.target_rows for cell in self.cells if cell.split == split)

    @property
    def fingerprint(self) -> str:
        """Of the whole decision, ledger included: 32 hexadecimal digits."""
        body = {k: v for k, v in self._document().items() if k not in {"fingerprint", "versions"}}
        text = json.dumps(body, sort_keys=True, ensure_ascii=True) + ledger_digest(self.ledger)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _document(self) -> dict[str, Any]:
        apart = {"ledger", "links"}
        parts = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in apart}
        plain = {k: [asdict(i) for i in v] if _is_records(v) else v for k, v in parts.items()}
        return {"format": FORMAT, **plain, **({"links": asdict(self.links)} if self.links is not None else {})}

    def to_json(self) -> str:
        """The plan without its ledger, as indented JSON; the same bytes for the same plan."""
        document = {**self._document(), "fingerprint": self.fingerprint, "ledger": ledger_digest(self.ledger)}
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, ledger: pl.DataFrame) -> Plan:
        """The plan that `to_json` wrote.

        Args:
            text: the JSON.
            ledger: read from beside it.

        Returns:
            The plan.

        Raises:
            ValueError: the JSON is not a plan of this format, or the ledger is not the plan's own.
        """
        data = json.loads(text)
        if data.get("format") != FORMAT:
            raise ValueError(f"plan format {data.get('format')!r}, expected {FORMAT}")
        if data["ledger"] != ledger_digest(ledger):
            raise ValueError("the ledger is not the one that the plan was written with")
        plan = cls(
            name=data["name"],
            identity=data["identity"],
            strata=tuple(data["strata"]),
            spec_fingerprint=data["spec_fingerprint"],
            input_fingerprint=data["input_fingerprint"],
            sources=tuple(SourcePlan(**item) for item in data["sources"]),
            splits=tuple(SplitPlan(**item) for item in data["splits"]),
            pools=tuple(PoolPlan(**item) for item in data["pools"]),
            quotas=tuple(QuotaPlan(**_with_stratum(item)) for item in data["quotas"]),
            cells=tuple(CellPlan(**_with_stratum(item)) for item in data["cells"]),
            held_out=tuple(SetAside(**item) for item in data["held_out"]),
            rejected=tuple(SetAside(**item) for item in data["rejected"]),
            previous=data["previous"],
            notes=tuple(data["notes"]),
            ledger=ledger,
            versions=data["versions"],
            links=_link_plan(data["links"]) if "links" in data else None,
        )
        if data["fingerprint"] != plan.fingerprint:
            raise ValueError("the plan was changed after it was written")
        return plan


def _is_records(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and hasattr(value[0], "__dataclass_fields__")


def _link_plan(item: dict[str, Any]) -> LinkPlan:
    return LinkPlan(**{**item, "apart": tuple((first, second, count) for first, second, count in item["apart"])})


def _with_stratum(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "stratum": tuple(item["stratum"])}


def ledger_digest(ledger: pl.DataFrame) -> str:
    """SHA-256 of the ledger's values, in order: 32 hexadecimal digits.

    Args:
        ledger: as in `Plan`.

    Returns:
        A digest that does not depend on how the ledger was stored.
    """
    digest = hashlib.sha256()
    for name, dtype in LEDGER_SCHEMA.items():
        column = ledger[name].cast(dtype)
        if dtype == pl.String:
            digest.update("\0".join(column.to_list()).encode())
        else:
            digest.update(column.is_null().to_numpy().tobytes() + column.fill_null(0).to_numpy().tobytes())
    return digest.hexdigest()[:32]
