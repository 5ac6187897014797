"""Rows that say the same: chance in tables that have little to say, copies in all others."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from validation.coincidence import by_chance
from validation.repeats import RowRepeats, row_digests

ROWS = 12_000


def told(frame: pl.DataFrame, sampled: int = 6_000) -> bool:
    digests = row_digests(frame, frame.columns)
    assert digests is not None
    return by_chance(frame.sample(min(sampled, len(frame)), seed=1), frame.columns, RowRepeats.of(digests))


def small(rows: int = ROWS, seed: int = 1) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    city = np.minimum(generator.zipf(1.3, rows), 10**6)
    return pl.DataFrame({"label": generator.choice(["a", "b"], rows), "city": city})


def rich(rows: int = ROWS, seed: int = 1) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    numbers = {f"x{i}": generator.normal(size=rows).round(1) for i in range(8)}
    return pl.DataFrame({"label": generator.choice(["a", "b"], rows, p=[0.95, 0.05]), **numbers})


def texts(rows: int = ROWS) -> pl.DataFrame:
    return pl.DataFrame({"label": ["a", "b"] * (rows // 2), "text": [f"a sentence, number {i}" for i in range(rows)]})


def with_copies(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    return pl.concat([frame, frame.head(rows)])


CHANCE = {
    "label and city": small(),
    "a column that follows from another": small().with_columns(country=pl.col("city") % 5),
    "only such columns": small().select("city", country=pl.col("city") % 5),
    "one column": small().select("city"),
    "flags": pl.DataFrame({f"f{i}": np.random.default_rng(i).integers(0, 2, ROWS) for i in range(10)}),
    "a rare flag among few": pl.DataFrame(
        {"a": np.random.default_rng(1).integers(0, 300, ROWS), "b": np.random.default_rng(2).random(ROWS) < 0.1}
    ),
}
COPIES = {
    "a tenth of rich rows": with_copies(rich(), ROWS // 10),
    "all rich rows": with_copies(rich(), ROWS),
    "a few rich rows": with_copies(rich(), 50),
    "a tenth of the texts": with_copies(texts(), ROWS // 10),
    "all texts": with_copies(texts(), ROWS),
    "texts alone": with_copies(texts().select("text"), ROWS // 10),
}


@pytest.mark.parametrize("name", CHANCE)
def test_rows_of_few_columns_repeat_by_chance(name: str) -> None:
    assert told(CHANCE[name])


@pytest.mark.parametrize("sampled", [2_000, 20_000])
@pytest.mark.parametrize("name", COPIES)
def test_copies_are_no_chance(name: str, sampled: int) -> None:
    assert not told(COPIES[name], sampled)


def test_without_repeats_there_is_nothing_to_explain() -> None:
    assert not told(texts())
    assert not by_chance(pl.DataFrame(), [], RowRepeats.empty())


def test_the_order_of_columns_tells_nothing() -> None:
    for frame in (CHANCE["label and city"], COPIES["a tenth of rich rows"]):
        assert told(frame) == told(frame.select(reversed(frame.columns)))
