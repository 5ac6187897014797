"""Looks in what was written for rows of two splits that a link should have kept together. Shares nothing with linking.

Equal values are compared as texts; near hashes are found by looking each band of a hash up among the sorted bands of
the evaluation splits'. Near texts: `near_texts.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from splitting.columns import column
from splitting.linking.rules import LinkRule, NearHashes, NearTexts
from validation.near_texts import MARGIN, near_text_splits, plain_texts
from validation.tally import Tally

_VALUES = {"via": pl.UInt8, "value": pl.String, "split": pl.String}
_HASHES = {"via": pl.UInt8, "hash": pl.UInt64, "second": pl.UInt64, "split": pl.String}
_BLOCK = 2**22
_PLAIN_BITS = 8


@dataclass(frozen=True, eq=False)
class LinkNames:
    """What links rows of the evaluation splits, as it stands in the written tables. A monoid.

    Attributes:
        values: `via` (the number of the rule), `value` (as text; of near texts, as they are compared) and `split`,
            distinct; nulls are left out.
        hashes: `via`, `hash`, `second` (0 without a second hash) and `split`, distinct; those that link nothing are
            left out.
    """

    values: pl.DataFrame
    hashes: pl.DataFrame

    @classmethod
    def empty(cls) -> LinkNames:
        """Of no split; the neutral element of `merge`."""
        return cls(pl.DataFrame(schema=_VALUES), pl.DataFrame(schema=_HASHES))

    @classmethod
    def of(cls, split: str, table: pl.LazyFrame, rules: Iterable[tuple[int, LinkRule]]) -> LinkNames:
        """What links the rows of a written table.

        Args:
            split: of the table.
            table: with the columns of the rules.
            rules: what links rows, with their numbers.

        Returns:
            It.
        """
        parts = [cls.empty()]
        for via, rule in rules:
            numbered = pl.lit(via, dtype=pl.UInt8).alias("via"), pl.lit(split).alias("split")
            if isinstance(rule, NearHashes):
                found = _hashes(table, rule).unique().with_columns(numbered).select(list(_HASHES))
                parts.append(cls(parts[0].values, found))
            else:
                found = _texts(table, rule).to_frame("value").unique().with_columns(numbered)
                parts.append(cls(found.select(list(_VALUES)), parts[0].hashes))
        return cls.merge(parts)

    @classmethod
    def merge(cls, parts: Iterable[LinkNames]) -> LinkNames:
        """Of all splits; commutative, associative and exact."""
        names = [cls.empty(), *parts]
        values, hashes = (pl.concat([getattr(part, what) for part in names]) for what in ("values", "hashes"))
        return cls(values.unique().sort(values.columns), hashes.unique().sort(hashes.columns))

    def frames(self) -> dict[str, pl.DataFrame]:
        """They as frames by name, to be packed."""
        return {"link_values": self.values, "link_hashes": self.hashes}

    @classmethod
    def of_frames(cls, frames: Mapping[str, pl.DataFrame]) -> LinkNames:
        """What `frames` gave, others beside them."""
        return cls(frames["link_values"], frames["link_hashes"])

    def leaks(self, split: str, table: pl.LazyFrame, rules: Iterable[tuple[int, LinkRule]]) -> Tally:
        """Rows of a written table that are linked with a row of another, evaluation split.

        Args:
            split: of the table.
            table: with the columns of the rules.
            rules: what links rows, with their numbers.

        Returns:
            A tally with `leaks` only: of what `link N`, N the number of the rule.
        """
        found = [pl.DataFrame(schema=_LEAKS)]
        for via, rule in rules:
            if isinstance(rule, NearHashes):
                others = self.hashes.filter(pl.col("via") == via, pl.col("split") != split)
                found.append(_leaks(via, split, near_splits(_hashes(table, rule), others, rule)))
            else:
                others = self.values.filter(pl.col("via") == via, pl.col("split") != split)
                found.append(_leaks(via, split, _same_splits(_texts(table, rule), others, rule)))
        return Tally.of_frames(leaks=pl.concat(found))

    def leaks_between(self, rules: Iterable[tuple[int, LinkRule]]) -> Tally:
        """Values and hashes of an evaluation split that link it with another.

        Args:
            rules: what links rows, with their numbers.

        Returns:
            A tally with `leaks` only; `rows` counts distinct values of the first split, by name.
        """
        found = [pl.DataFrame(schema=_LEAKS)]
        for via, rule in rules:
            names = (self.hashes if isinstance(rule, NearHashes) else self.values).filter(pl.col("via") == via)
            for split in names["split"].unique().sort():
                mine = names.filter(pl.col("split") == split)
                others = names.filter(pl.col("split") > split)
                if isinstance(rule, NearHashes):
                    found.append(_leaks(via, split, near_splits(mine, others, rule)))
                else:
                    found.append(_leaks(via, split, _same_splits(mine["value"], others, rule)))
        return Tally.of_frames(leaks=pl.concat(found))


_LEAKS = {"what": pl.String, "split": pl.String, "other": pl.String, "rows": pl.Int64}


def _leaks(via: int, split: str, others: pl.Series) -> pl.DataFrame:
    counted = others.alias("other").value_counts(name="rows").cast({"rows": pl.Int64})
    named = pl.lit(f"link {via}").alias("what"), pl.lit(split).alias("split")
    return counted.select(*named, "other", "rows").cast(pl.Schema(_LEAKS))


def _same_splits(mine: pl.Series, others: pl.DataFrame, rule: LinkRule) -> pl.Series:
    """The splits in which rows have an equal value, or a near text."""
    if isinstance(rule, NearTexts):
        return near_text_splits(mine, others, min(100, rule.percent + MARGIN))
    return mine.to_frame("value").join(others, on="value")["split"]


def _texts(table: pl.LazyFrame, rule: LinkRule) -> pl.Series:
    values = table.select(column(rule.columns[0]).alias("value")).collect(engine="streaming")["value"]
    if isinstance(rule, NearTexts):
        return plain_texts(values).drop_nulls()
    if values.dtype == pl.Binary:
        values = values.bin.encode("hex")
    elif values.dtype.is_float():
        values = values.fill_nan(None)
    return values.cast(pl.String).drop_nulls()


def _hashes(table: pl.LazyFrame, rule: NearHashes) -> pl.DataFrame:
    """`hash` and `second` of the rows that a rule can link."""
    names = {"hash": rule.column} | ({"second": rule.verify} if rule.verify is not None else {})
    frame = table.select(column(name).alias(what) for what, name in names.items()).collect(engine="streaming")
    rows = frame.select(_numbers(frame[what]).alias(what) for what in names)
    if rule.verify is None:
        rows = rows.with_columns(pl.lit(0, dtype=pl.UInt64).alias("second"))
    ones = pl.col("hash").bitwise_count_ones()
    return rows.drop_nulls().filter(ones >= _PLAIN_BITS, ones <= 64 - _PLAIN_BITS)


def _numbers(hashes: pl.Series) -> pl.Series:
    if hashes.dtype == pl.String:
        return pl.Series([None if text is None else int(text, 16) for text in hashes], dtype=pl.UInt64)
    return hashes if hashes.dtype == pl.UInt64 else hashes.cast(pl.Int64).reinterpret(signed=False)


def near_splits(mine: pl.DataFrame, others: pl.DataFrame, rule: NearHashes) -> pl.Series:
    """The splits in which rows have a near hash.

    Args:
        mine: `hash` and `second`, a row each.
        others: `hash`, `second` and `split`, distinct.
        rule: how near.

    Returns:
        String: for every row the splits that hold a hash near its own, each once.
    """
    hits = [pl.DataFrame(schema={"row": pl.Int64, "split": pl.String})]
    found, known, splits = _packed(mine), _packed(others), others["split"]
    for shift, width in _bands(rule.distance):
        band = np.uint64(shift), np.uint64((1 << width) - 1)
        for rows, at in _same_band(found[0], known[0], *band):
            near = np.bitwise_count(found[0][rows] ^ known[0][at]) <= rule.distance
            near &= np.bitwise_count(found[1][rows] ^ known[1][at]) <= rule.verify_distance
            hits.append(pl.DataFrame({"row": rows[near], "split": splits[at[near]]}).unique())
    return pl.concat(hits).unique()["split"]


_Numbers = npt.NDArray[np.uint64]
_Places = npt.NDArray[np.int64]


def _packed(rows: pl.DataFrame) -> tuple[_Numbers, _Numbers]:
    return rows["hash"].to_numpy(), rows["second"].to_numpy()


def _bands(distance: int) -> list[tuple[int, int]]:
    """Where `distance + 1` bands of 64 bits begin, and how wide they are: two near hashes agree in one of them."""
    width, wider = divmod(64, distance + 1)
    widths = [width + (i < wider) for i in range(distance + 1)]
    return [(sum(widths[:i]), width) for i, width in enumerate(widths)]


def _same_band(mine: _Numbers, known: _Numbers, shift: np.uint64, mask: np.uint64) -> Iterator[tuple[_Places, _Places]]:
    """Positions of hashes that agree in a band, in blocks of some millions."""
    bands = (known >> shift) & mask
    order = np.argsort(bands, kind="stable")
    wanted, ordered = (mine >> shift) & mask, bands[order]
    first = np.searchsorted(ordered, wanted, side="left")
    counts = np.searchsorted(ordered, wanted, side="right") - first
    step = max(1, _BLOCK // max(1, int(counts.max(initial=1))))
    for start in range(0, len(mine), step):
        part = counts[start : start + step]
        rows = np.repeat(np.arange(start, start + len(part)), part)
        inside = np.arange(len(rows)) - np.repeat(np.cumsum(part) - part, part)
        yield rows, order[first[rows] + inside]
