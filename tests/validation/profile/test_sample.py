"""The keyed sample is the same rows however they come."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from splitting.columns import pick
from validation.profile.sample import Sample

ROWS = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 3), st.one_of(st.none(), st.text(max_size=2)), st.floats(0, 1)),
    max_size=15,
)


def sampled(rows: list[tuple[int, int, str | None, float]], split: str = "dev", size: int = 4) -> Sample:
    frame = pl.DataFrame(rows, schema={"k": pl.UInt64, "g": pl.UInt64, "*": pl.String, "x": pl.Float64}, orient="row")
    return Sample.of(split, "app", pick(frame, ["*", "x"]), frame["k"], frame["g"], size)


@settings(max_examples=150)
@given(ROWS, st.data())
def test_a_sample_is_a_monoid(rows: list[tuple[int, int, str | None, float]], data: st.DataObject) -> None:
    whole = sampled(rows)
    cut = data.draw(st.integers(0, len(rows)))
    shuffled = data.draw(st.permutations(rows))
    parts = [sampled(shuffled[:cut]), sampled(shuffled[cut:])]
    assert Sample.merge(reversed(parts)).to_bytes() == whole.to_bytes()
    assert Sample.merge([Sample.empty(), whole]).to_bytes() == whole.to_bytes()
    assert Sample.from_bytes(whole.to_bytes()).to_bytes() == whole.to_bytes()
    assert len(whole.about) == min(4, len(rows))
    assert whole.about["key"].to_list() == sorted(key for key, *_ in rows)[:4]
    other = sampled(rows, "train")
    both = Sample.merge([other, whole])
    assert both.select("dev").rows.equals(whole.rows) or not rows


def test_what_makes_a_sample_large_is_left_out() -> None:
    frame = pl.DataFrame(
        {"text": ["x" * 9_000], "image": [b"1" * 9], "list": [[1.0] * 5_000], "short": [[1.0]], "n": [1]}
    )
    sample = Sample.of("dev", "app", frame, pl.Series([1], dtype=pl.UInt64), pl.Series([1], dtype=pl.UInt64), 5)
    assert sample.rows.columns == ["text", "short", "n"]
    assert sample.rows["text"].str.len_chars().item() == 2_000
