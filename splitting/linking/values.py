"""The link values of rows: numbers that are equal, or near, where rows are linked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from splitting.columns import column
from splitting.errors import DataError
from splitting.frames import pack_frames, unpack_frames
from splitting.hashing import canonical_text, hash_texts, seed
from splitting.linking.forest import DISTANCE, NODE, VIA, Forest
from splitting.linking.forest import A as END_A
from splitting.linking.forest import B as END_B
from splitting.linking.rules import LinkRule, NearHashes, NearTexts
from splitting.linking.texts import normalise, text_purpose

VALUE, SECOND = "value", "second"
VALUES_SCHEMA = {VIA: pl.UInt8, VALUE: pl.UInt64, SECOND: pl.UInt64, NODE: pl.UInt64}
NULL, NO_DETAIL = "null", "no detail"
FEWEST_BITS = 8
_HEX_DIGITS = 16


@dataclass(frozen=True, eq=False)
class Linkage:
    """What links found: who is linked, and how many rows could not be. A monoid.

    Attributes:
        forest: of the groups.
        unlinked: `via` (UInt8), `what` (`null`, or `no detail` of a hash) and `rows` (Int64). Sorted.
    """

    forest: Forest
    unlinked: pl.DataFrame

    @classmethod
    def empty(cls) -> Linkage:
        """Of no rows; the neutral element of `merge`."""
        return cls(Forest.empty(), pl.DataFrame(schema=_UNLINKED))

    @classmethod
    def of(cls, forest: Forest) -> Linkage:
        """Of links alone."""
        return cls(forest, cls.empty().unlinked)

    @classmethod
    def merge(cls, parts: Iterable[Linkage]) -> Linkage:
        """Of all rows; commutative, associative and exact."""
        found = [cls.empty(), *parts]
        stacked = pl.concat([part.unlinked for part in found])
        counted = stacked.group_by(VIA, "what").agg(pl.col("rows").sum()).sort(VIA, "what")
        return cls(Forest.merge(part.forest for part in found), counted)

    def to_bytes(self) -> bytes:
        """Packs them; equal ones give equal bytes."""
        return pack_frames({"edges": self.forest.edges, "unlinked": self.unlinked})

    @classmethod
    def from_bytes(cls, data: bytes) -> Linkage:
        """What `to_bytes` packed."""
        frames = unpack_frames(data)
        return cls(Forest(frames["edges"]), frames["unlinked"])


_UNLINKED = {VIA: pl.UInt8, "what": pl.String, "rows": pl.Int64}


def link_values(
    rules: tuple[LinkRule, ...], frame: pl.DataFrame, nodes: pl.Series, salt: str
) -> tuple[pl.DataFrame, Linkage]:
    """The link values of a batch of rows.

    Args:
        rules: what links rows.
        frame: the columns that they read.
        nodes: UInt64, the group of each row as its own columns or its key name it; rows with a null one are no rows.
        salt: of the spec.

    Returns:
        The columns of `VALUES_SCHEMA`, distinct: `value` is equal, or near, where rows are linked; `second` is the
        hash that must agree. And how many rows have no value.
    """
    found, unlinked = [pl.DataFrame(schema=VALUES_SCHEMA)], []
    present = nodes.is_not_null()
    for via, rule in enumerate(rules):
        rows = _values(rule, frame, salt).with_columns(nodes.alias(NODE)).filter(present)
        usable = rows[VALUE].is_not_null() & rows[SECOND].is_not_null()
        if isinstance(rule, NearHashes):
            detailed = rows[VALUE].bitwise_count_ones().is_between(FEWEST_BITS, 64 - FEWEST_BITS)
            unlinked.append((via, NO_DETAIL, int((usable & ~detailed).sum())))
        else:
            detailed = usable
        unlinked.append((via, NULL, int((~usable).sum())))
        kept = rows.filter(usable & detailed).unique(maintain_order=True)
        found.append(kept.select(pl.lit(via, dtype=pl.UInt8).alias(VIA), VALUE, SECOND, NODE))
    counts = pl.DataFrame([row for row in unlinked if row[2]], schema=_UNLINKED, orient="row").sort(VIA, "what")
    return pl.concat(found), Linkage(Forest.empty(), counts)


def _values(rule: LinkRule, frame: pl.DataFrame, salt: str) -> pl.DataFrame:
    values = frame.select(column(rule.column)).to_series()
    no_second = pl.lit(0, dtype=pl.UInt64).alias(SECOND)
    if isinstance(rule, NearHashes):
        hashes = as_hashes(values).alias(VALUE).to_frame()
        if rule.verify is None:
            return hashes.with_columns(no_second)
        return hashes.with_columns(as_hashes(frame.select(column(rule.verify)).to_series()).alias(SECOND))
    texts = normalise(values) if isinstance(rule, NearTexts) else canonical_text(values)
    purpose = text_purpose(rule) if isinstance(rule, NearTexts) else f"link {rule.column}"
    return hash_texts(texts, seed(salt, purpose)).alias(VALUE).to_frame().with_columns(no_second)


def as_hashes(values: pl.Series) -> pl.Series:
    """64-bit hashes as numbers.

    Args:
        values: UInt64; Int64, whose bits are taken as they are; or texts of 16 hexadecimal digits.

    Returns:
        UInt64, null for null.

    Raises:
        DataError: a text is not 16 hexadecimal digits.
    """
    if values.dtype == pl.UInt64:
        return values
    if values.dtype == pl.Int64:
        return values.to_frame("v").select(pl.col("v").reinterpret(signed=False)).to_series()
    if values.dtype == pl.Null:
        return values.cast(pl.UInt64)
    texts = values.cast(pl.String)
    bad = texts.filter(~texts.str.contains(r"^[0-9A-Fa-f]{16}$"))
    if len(bad):
        raise DataError(
            f"column {values.name!r} links by 64-bit hashes, and has {bad[0][:40]!r}; expected whole numbers of 64 "
            f"bits, or texts of {_HEX_DIGITS} hexadecimal digits"
        )
    halves = [texts.str.slice(start, 8).str.to_integer(base=16).cast(pl.UInt64) for start in (0, 8)]
    return halves[0] * 2**32 + halves[1]


def equal_links(values: pl.DataFrame) -> tuple[Forest, pl.DataFrame]:
    """Links rows with equal values.

    Args:
        values: the columns of `VALUES_SCHEMA`; all rows of a value.

    Returns:
        Their forest, of stars around the least group of each value; and the values, each once, with that group.
    """
    names = [VIA, VALUE, SECOND]
    ordered = values.sort(*names, NODE)
    node = ordered[NODE].to_numpy()
    begins = np.ones(len(ordered), dtype=np.bool_)
    if len(ordered):
        columns = [ordered[name].to_numpy() for name in names]
        begins[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    firsts = node[begins][np.cumsum(begins) - 1] if len(ordered) else node
    stars = ordered.select(pl.Series(END_A, firsts), pl.col(NODE).alias(END_B), VIA, _EQUAL)
    return Forest.of(stars.filter(pl.col(END_A) != pl.col(END_B))), ordered.filter(pl.Series(begins))


_EQUAL = pl.lit(0, dtype=pl.UInt8).alias(DISTANCE)
