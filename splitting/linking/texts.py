"""Texts that say nearly the same: normalised text, shingles, MinHash bands, exact Jaccard similarity."""

from __future__ import annotations

import polars as pl

_NOT_WORDS = r"[^\p{L}\p{N}]+"


def normalise(texts: pl.Series) -> pl.Series:
    """Texts without what makes no difference to a reader.

    Args:
        texts: String; others are read as text.

    Returns:
        String: compatibility-composed (NFKC), in lower case, with one space for whatever is no letter and no digit;
        null for null and for what has neither.

    Examples:
        >>> normalise(pl.Series(["  Two Cats, sleeping!", "…", None])).to_list()
        ['two cats sleeping', None, None]
    """
    plain = texts.cast(pl.String).str.normalize("NFKC").str.to_lowercase().str.replace_all(_NOT_WORDS, " ")
    stripped = plain.str.strip_chars()
    return stripped.set(stripped == "", None)
