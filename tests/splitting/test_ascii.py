"""Whether texts are ASCII: the quick look says what a slow one says."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from splitting.ascii import is_ascii

TEXTS = st.text(st.characters(max_codepoint=0x17F), max_size=20)


@given(st.lists(st.none() | TEXTS), st.lists(st.none() | TEXTS), st.integers(0, 5))
def test_what_a_quick_look_says_a_slow_one_says(first: list[str | None], second: list[str | None], start: int) -> None:
    texts = pl.Series(first, dtype=pl.String).append(pl.Series(second, dtype=pl.String))
    assert is_ascii(texts) == all(text is None or text.isascii() for text in [*first, *second])
    assert is_ascii(texts[start:]) == all(text is None or text.isascii() for text in [*first, *second][start:])


def test_texts_of_every_length_with_one_other_character_anywhere() -> None:
    for length in range(1, 30):
        plain = "x" * length
        assert is_ascii(pl.Series([plain, "", None]))
        for at in range(length):
            assert not is_ascii(pl.Series([plain, plain[:at] + "é" + plain[at + 1 :]])), (length, at)


def test_what_was_left_out_is_not_asked() -> None:
    texts = pl.Series(["é", "plain", "a text of more than twelve bytes: é"])
    assert is_ascii(texts.filter(pl.Series([False, True, False])))
    assert not is_ascii(texts.filter(pl.Series([False, True, True])))
