"""Looks for texts that say nearly the same, with no sketch: every pair that is near enough is found.

Two sets of `n` and `m` members whose Jaccard similarity is `s` or more share `l` of the `n - ceil(s n) + l` rarest
members of the one and the `m - ceil(s m) + l` rarest of the other, in any one order (the prefix filter: Chaudhuri,
Ganti and Kaushik 2006, A primitive operator for similarity joins in data cleaning; with `l` above 1: Wang, Li and Feng
2012, Can we beat the prefix filtering?). Members are the runs of 5 characters of a text, `l` is 10; what shares so many
is compared whole.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

RUN = 5
MARGIN = 10
"""Percent above the least similarity that links: so near, what links texts finds all but one pair in some million."""
_SHARED = 10
_AT_ONCE = 5_000
_PAIRS = 20_000
_BASE = np.uint64(0x9E3779B97F4A7C15)
_RUNS = {"text": pl.UInt32, "run": pl.UInt64}


def plain_texts(values: pl.Series) -> pl.Series:
    """Texts as they are compared: NFKC, small letters, one space for what is no letter and no digit.

    Args:
        values: of any type; others than String are read as text.

    Returns:
        String; null for null, and for texts without letters and digits.
    """
    texts = values.cast(pl.String).str.normalize("NFKC").str.to_lowercase()
    words = texts.str.extract_all(r"[\p{L}\p{N}]+").list.join(" ")
    return words.set(words == "", None)


def near_text_splits(mine: pl.Series, others: pl.DataFrame, percent: int) -> pl.Series:
    """The splits in which texts have a near one.

    Args:
        mine: String, of `plain_texts`, without nulls: one a row.
        others: `value`, of `plain_texts`, and `split`; distinct.
        percent: the least Jaccard similarity.

    Returns:
        String: for every row the splits that hold a text near its own, each once.
    """
    if not len(mine) or not len(others):
        return pl.Series("split", [], dtype=pl.String)
    counted = mine.alias("value").value_counts(name="rows", sort=False).sort("value")
    known = others.select("value").unique().sort("value")["value"]
    theirs = _runs(known)
    held = theirs.group_by("run").agg(pl.len().alias("held"))
    rare = _rarest(theirs, held, percent).rename({"text": "known", "shared": "other"})
    found = [pl.DataFrame(schema={"value": pl.String, "known": pl.UInt32})]
    for part in counted["value"].to_frame().iter_slices(_AT_ONCE):
        runs = _runs(part["value"])
        met = _rarest(runs, held, percent).join(rare, on="run").group_by("text", "known", "shared", "other").len("met")
        alike = met.filter(pl.col("met") >= pl.min_horizontal("shared", "other")).select("text", "known")
        pairs = _near(runs, theirs, alike, percent)
        found.append(pairs.select(part["value"].gather(pairs["text"]), "known"))
    named = others.join(known.to_frame().with_row_index("known"), on="value").select("known", "split")
    hits = pl.concat(found).join(named, on="known").select("value", "split").unique().join(counted, on="value")
    return hits.select(pl.col("split").repeat_by("rows").explode())["split"].drop_nulls()


def _runs(texts: pl.Series) -> pl.DataFrame:
    """The runs of characters of each text: `text`, its position, and `run`, a number; distinct.

    A text that is shorter than a run is one run.
    """
    parts = [pl.DataFrame(schema=_RUNS)]
    for start, slice_ in _slices(texts):
        letters = np.frombuffer("".join(f"{text}\0\0\0\0" for text in slice_).encode("utf-32-le"), dtype="<u4")
        sizes = slice_.str.len_chars().to_numpy().astype(np.int64)
        hashes = _rolling(letters)
        ends = np.cumsum(sizes + RUN - 1)
        first = ends - sizes - RUN + 1
        count = np.maximum(sizes - RUN + 1, 1)
        number = np.repeat(np.arange(len(sizes), dtype=np.uint32), count)
        at = np.arange(len(number)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
        parts.append(pl.DataFrame({"text": number + np.uint32(start), "run": hashes[at]}, schema=_RUNS).unique())
    return pl.concat(parts)


def _slices(texts: pl.Series) -> Iterator[tuple[int, pl.Series]]:
    for start in range(0, len(texts), _AT_ONCE):
        yield start, texts.slice(start, _AT_ONCE)


def _rolling(letters: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    """A number for each run of 5 letters."""
    padded = np.concatenate([letters, np.zeros(RUN - 1, dtype=np.uint32)]).astype(np.uint64)
    total = np.zeros(len(letters), dtype=np.uint64)
    for i in range(RUN):
        total = total * _BASE + padded[i : i + len(letters)]
        total ^= total >> np.uint64(31)
    return total


def _rarest(runs: pl.DataFrame, held: pl.DataFrame, percent: int) -> pl.DataFrame:
    """Of each text the rarest runs, `shared` of which every text near it has among its own: `text`, `run`, `shared`.

    Args:
        runs: of the texts.
        held: how many of the known texts hold a run: the order of all runs, and then their numbers.
        percent: the least similarity.
    """
    ordered = (
        runs.join(held, on="run", how="left").with_columns(pl.col("held").fill_null(0)).sort("text", "held", "run")
    )
    sized = ordered.with_columns(
        (pl.len().over("text").cast(pl.Int64) * percent + 99).floordiv(100).alias("least"),
        pl.int_range(pl.len(), dtype=pl.Int64).over("text").alias("place"),
        pl.len().over("text").cast(pl.Int64).alias("size"),
    ).with_columns(pl.min_horizontal("least", pl.lit(_SHARED, dtype=pl.Int64)).alias("shared"))
    rare = sized.filter(pl.col("place") < pl.col("size") - pl.col("least") + pl.col("shared"), pl.col("held") > 0)
    return rare.select("text", "run", "shared")


def _near(mine: pl.DataFrame, theirs: pl.DataFrame, pairs: pl.DataFrame, percent: int) -> pl.DataFrame:
    """Those of some pairs, `text` and `known`, that are near enough."""
    sizes = [runs.group_by("text").agg(pl.len().cast(pl.Int64).alias("size")) for runs in (mine, theirs)]
    sized = pairs.join(sizes[0], on="text").join(sizes[1].rename({"text": "known", "size": "other"}), on="known")
    least, most = pl.min_horizontal("size", "other"), pl.max_horizontal("size", "other")
    fitting = sized.filter(least * 100 >= most * percent)
    known = theirs.rename({"text": "known"})
    found = [fitting.clear().select("text", "known")]
    for part in fitting.iter_slices(_PAIRS):
        shared = part.join(mine, on="text").join(known, on=["known", "run"])
        counts = shared.group_by("text", "known", "size", "other").agg(pl.len().cast(pl.Int64).alias("both"))
        union = pl.col("size") + pl.col("other") - pl.col("both")
        found.append(counts.filter(pl.col("both") * 100 >= union * percent).select("text", "known"))
    return pl.concat(found)
