"""Which texts are to be compared: texts, the bands that they share, and the shingles that are fetched for those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from splitting.columns import column
from splitting.hashing import hash_texts, seed
from splitting.linking.forest import NODE, VIA
from splitting.linking.partitions import by_number
from splitting.linking.rules import NearTexts
from splitting.linking.texts import BAND_KEY, SHINGLES, TEXT, band_keys, normalise, shingles_of, text_purpose

TEXT_SCHEMA = {VIA: pl.UInt8(), TEXT: pl.UInt64(), NODE: pl.UInt64(), SHINGLES: pl.List(pl.UInt32)}


def texts_of(rules: Mapping[int, NearTexts], frame: pl.DataFrame, nodes: pl.Series, salt: str) -> pl.DataFrame:
    """The texts of a batch of rows.

    Args:
        rules: by number, those that compare texts.
        frame: the columns that they read.
        nodes: UInt64, the group of each row, before any link.
        salt: of the spec.

    Returns:
        The columns of `TEXT_SCHEMA`, each text once, with the least group that has it.
    """
    parts = [pl.DataFrame(schema=TEXT_SCHEMA)]
    for via, rule in rules.items():
        texts = normalise(frame.select(column(rule.column)).to_series()).alias("text")
        rows = pl.DataFrame({"text": texts, NODE: nodes}).drop_nulls()
        firsts = rows.group_by("text", maintain_order=True).agg(pl.col(NODE).min())
        named = hash_texts(firsts["text"], seed(salt, text_purpose(rule))).alias(TEXT)
        found = pl.DataFrame([named, firsts[NODE], shingles_of(firsts["text"]).alias(SHINGLES)])
        parts.append(found.select(pl.lit(via, dtype=pl.UInt8).alias(VIA), TEXT, NODE, SHINGLES))
    return pl.concat(parts)


def distinct_texts(texts: pl.DataFrame) -> pl.DataFrame:
    """Each text once, with the least group that has it, sorted."""
    rest = pl.col(SHINGLES).first()
    return texts.group_by(VIA, TEXT).agg(pl.col(NODE).min(), rest).sort(VIA, TEXT)


def by_band(texts: pl.DataFrame, percent: int, partitions: int) -> Iterator[tuple[str, bytes]]:
    """Texts under each of their bands.

    Args:
        texts: of one rule, distinct.
        percent: the least similarity that is asked for.
        partitions: how many.

    Yields:
        The name of a partition and its rows, packed: `via`, `value`, `band_key`.
    """
    if not len(texts):
        return
    keys = band_keys(texts[SHINGLES], percent)
    rows = texts.select(VIA, TEXT)[np.repeat(np.arange(len(texts)), keys.shape[1])]
    yield from by_number(rows.with_columns(pl.Series(BAND_KEY, keys.ravel())), BAND_KEY, partitions)


def colliding(bands: pl.DataFrame) -> pl.DataFrame:
    """The rows whose band another text has, too."""
    return bands.filter(pl.len().over(VIA, BAND_KEY) > 1)


def by_text(bands: pl.DataFrame, partitions: int) -> Iterator[tuple[str, bytes]]:
    """Rows by their text: where its shingles are."""
    return by_number(bands, TEXT, partitions)


def with_shingles(bands: pl.DataFrame, texts: pl.DataFrame, partitions: int) -> Iterator[tuple[str, bytes]]:
    """Rows of shared bands with the shingles of their texts.

    Args:
        bands: `via`, `value`, `band_key`.
        texts: of the same partition.
        partitions: how many.

    Yields:
        The name of a partition and its rows, packed; rows of one band are in one partition.
    """
    return by_number(bands.join(distinct_texts(texts), on=[VIA, TEXT]), BAND_KEY, partitions)
