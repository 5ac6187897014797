"""Texts: shingles as a plain loop makes them, exact similarity, and bands that find what is alike."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitting.errors import DataError
from splitting.linking import texts as module
from splitting.linking.candidates import by_band, by_text, colliding, distinct_texts, texts_of, with_shingles
from splitting.linking.forest import NODE, ROOT, A, B, Forest
from splitting.linking.partitions import gathered
from splitting.linking.rules import NearTexts
from splitting.linking.texts import HASHES, band_keys, normalise, rows_in_band, shingles_of, similar_links

WORDS = st.sampled_from(["cat", "dog", "sleeps", "über", "on", "the", "猫", "mat", "12", "ﬁne"])
TEXTS = st.lists(WORDS, max_size=9).map(" ".join)


def windows(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 5] for i in range(max(1, len(text) - 4)))


def linked(texts: list[str | None], percent: int, partitions: int = 3) -> set[frozenset[int]]:
    """The partition of rows, by all the steps of the job."""
    rule = {2: NearTexts("text", percent)}
    nodes = pl.Series(range(len(texts)), dtype=pl.UInt64)
    found = texts_of(rule, pl.DataFrame({"text": texts}, schema={"text": pl.String}), nodes, "s")
    sent = dict(by_text(found, partitions))
    bands: dict[str, list[bytes]] = {}
    for part in sent.values():
        for name, packed in by_band(distinct_texts(gathered([part])), percent, partitions):
            bands.setdefault(name, []).append(packed)
    fetched: dict[str, list[bytes]] = {}
    for parts in bands.values():
        for name, packed in by_text(colliding(gathered(parts)), partitions):
            for place, rows in with_shingles(gathered([packed]), gathered([sent[name]]), partitions):
                fetched.setdefault(place, []).append(rows)
    forest = Forest.merge([similar_links(gathered(parts), rule[2]) for parts in fetched.values()])
    return {frozenset(part[NODE]) for _, part in forest.components().group_by(ROOT)}


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=8))
def test_shingles_are_the_runs_of_five_characters(texts: list[str]) -> None:
    plain = normalise(pl.Series(texts)).to_list()
    found = shingles_of(pl.Series(plain)).to_list()
    sets = [windows(text) for text in plain]
    assert [len(part) for part in found] == [len(part) for part in sets]
    assert all(part == sorted(set(part)) for part in found)
    for i, one in enumerate(sets):
        for j, other in enumerate(sets):
            assert len(set(found[i]) & set(found[j])) == len(one & other)


def test_what_makes_no_difference_to_a_reader_makes_none() -> None:
    same = ["Two CATS, sleeping…", "two cats sleeping", " two\tcats\n(sleeping) ", "ｔｗｏ cats sleeping!"]
    assert len(set(normalise(pl.Series(same)).to_list())) == 1
    assert normalise(pl.Series(["", " … ", None], dtype=pl.String)).to_list() == [None, None, None]
    assert linked([*same, None, "", "!!!"], 80) == set(), "equal texts are one text here; others are none"


def test_similarity_is_exact() -> None:
    """Of two texts with 20 shingles each, 16 of them shared, the similarity is 16 of 24."""
    one, other = "abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrst1234"
    assert len(windows(one)) == len(windows(other)) == 20
    assert len(windows(one) & windows(other)) == 16
    rows = pl.DataFrame({"via": [0, 0], "value": [1, 2], NODE: [5, 6], "band_key": [9, 9]}).cast(
        {"via": pl.UInt8, "value": pl.UInt64, NODE: pl.UInt64, "band_key": pl.UInt64}
    )
    rows = rows.with_columns(shingles_of(pl.Series([one, other])).alias("shingles"))
    assert similar_links(rows, NearTexts("t", 66)).edges.select(A, B, "distance").rows() == [(5, 6, 34)]
    assert not len(similar_links(rows, NearTexts("t", 67)).edges)


@pytest.mark.parametrize("percent", range(60, 101, 5))
def test_bands_miss_at_most_one_in_a_thousand(percent: int) -> None:
    rows = rows_in_band(percent)
    assert (1 - (percent / 100) ** rows) ** (HASHES // rows) <= 0.001
    assert band_keys(shingles_of(pl.Series(["some text"])), percent).shape == (1, HASHES // rows)


def test_near_texts_are_found_and_others_are_not() -> None:
    rng = np.random.default_rng(5)
    words = ["".join(rng.choice(list("abcdefghij"), 6)) for _ in range(400)]
    texts = [" ".join(rng.choice(words, 15)) for _ in range(300)]
    copies = [text.replace(text.split()[7], "changed") for text in texts[:100]]
    every = [*texts, *copies]
    sets = [windows(text) for text in every]
    wanted = {
        frozenset((i, 300 + i))
        for i in range(100)
        if len(sets[i] & sets[300 + i]) * 100 >= 70 * len(sets[i] | sets[300 + i])
    }
    assert len(wanted) > 80
    assert linked(every, 70) == wanted == linked(every, 70, partitions=1)


def test_templates_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_RUN", 20)
    texts = [f"your order number {i} has been sent to you by post and will arrive soon" for i in range(40)]
    with pytest.raises(DataError, match="different texts of column 'text' are so alike"):
        linked(texts, 80)  # type: ignore[arg-type]
