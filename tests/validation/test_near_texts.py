"""The check of near texts finds every pair that a plain comparison finds, and shares nothing with what links them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitting.linking.rules import NearTexts
from splitting.linking.texts import normalise
from validation import near_texts
from validation.links import LinkNames
from validation.near_texts import near_text_splits, plain_texts

WORDS = st.lists(
    st.sampled_from(["red", "green", "blue", "a", "b", "c", "kitten", "kittens", "sofa", "sofas", "é", "7"]),
    min_size=1,
    max_size=9,
)
TEXTS = st.lists(WORDS.map(" ".join), max_size=12)


def runs_of(text: str) -> set[str]:
    return {text[i : i + 5] for i in range(max(1, len(text) - 4))}


def near(one: str, other: str, percent: int) -> bool:
    mine, theirs = runs_of(one), runs_of(other)
    return 100 * len(mine & theirs) >= percent * len(mine | theirs)


@settings(max_examples=60)
@given(TEXTS, TEXTS, TEXTS, st.sampled_from([60, 80, 85, 100]))
def test_every_near_text_is_found(mine: list[str], dev: list[str], test: list[str], percent: int) -> None:
    splits = {"dev": dev, "test": test}
    others = pl.DataFrame(
        [(text, split) for split, texts in splits.items() for text in dict.fromkeys(texts)],
        schema={"value": pl.String, "split": pl.String},
        orient="row",
    )
    found = near_text_splits(pl.Series("value", mine, dtype=pl.String), others, percent)
    wanted = [s for text in mine for s, texts in splits.items() if any(near(text, other, percent) for other in texts)]
    assert sorted(found) == sorted(wanted)


@given(st.lists(st.text(max_size=20), max_size=20))
def test_texts_are_compared_as_they_are_linked(texts: list[str]) -> None:
    values = pl.Series("t", texts, dtype=pl.String)
    assert plain_texts(values).to_list() == normalise(values).to_list()


def test_many_texts_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_texts, "_AT_ONCE", 7)
    monkeypatch.setattr(near_texts, "_PAIRS", 3)
    texts = [f"number {i} of a series that goes on and on for ever {i * 7_919}" for i in range(60)]
    others = pl.DataFrame({"value": texts[:10], "split": "dev"})
    assert near_text_splits(pl.Series("value", texts), others, 100).to_list() == ["dev"] * 10
    assert near_text_splits(pl.Series("value", texts), others, 60).len() >= 10


def test_texts_of_splits_are_named_and_looked_for_in_train() -> None:
    rules = ((2, NearTexts("caption", 80)),)
    caption = "a small red cat sleeps all day long on the sofa of its owner"
    tables = {
        "dev": pl.LazyFrame({"caption": [caption, None, "…"]}),
        "test": pl.LazyFrame({"caption": [f"{caption.upper()}!", "another text about nothing at all"]}),
        "train": pl.LazyFrame({"caption": [f"{caption}.", "yet another text", None]}),
    }
    names = LinkNames.merge(LinkNames.of(name, tables[name], rules) for name in ("dev", "test"))
    assert LinkNames.of_frames(names.frames()).values.equals(names.values)
    assert names.leaks("train", tables["train"], rules).leaks.rows() == [
        ("link 2", "train", "dev", 1),
        ("link 2", "train", "test", 1),
    ]
    assert names.leaks_between(rules).leaks.rows() == [("link 2", "dev", "test", 1)]
