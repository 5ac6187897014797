"""Suggests, in a first spec, what could link rows: further groups, perceptual hashes, texts. As comments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from pipelines.ingest.names import KindName

_HASH = re.compile(r"[0-9a-fA-F]{16}")
_HASH_WORDS = ("hash", "phash", "dhash", "ahash", "whash", "simhash")
_LEAST_TEXT = 40
"""Characters of a text, on average, below which near ones say little: names, categories, codes."""
_SHOW = "targetsplit duplicates SPEC shows what they join"


def link_lines(samples: Mapping[str, pl.DataFrame], groups: Sequence[str], named: Callable[[str], str]) -> list[str]:
    """Lines of comments.

    Args:
        samples: some rows of each source.
        groups: columns whose values repeat and whose names say that they group rows; the first is the spec's group.
        named: writes a name of a column as YAML.

    Returns:
        One line; no line where nothing looks as if it linked rows beyond the group.
    """
    hashes = [name for name in _shared(samples) if _is_hash(name, samples)]
    texts = [name for name in _shared(samples) if name not in hashes and _is_text(name, samples)]
    links = [
        *(map(named, groups) if len(groups) > 1 or hashes or texts else ()),
        *(f"{{near_duplicates: {named(name)}}}" for name in hashes),
        *(f"{{near_text: {named(name)}}}" for name in texts),
    ]
    if not links:
        return []
    return [f"# linked_by: [{', '.join(links)}]   # what could join rows to one group; {_SHOW}"]


def file_link_lines(kind: KindName) -> list[str]:
    """The same of a first spec of files."""
    if kind == "images":
        return [f"# linked_by: []   # the default keeps copies of an image in one split; {_SHOW}"]
    return ["# linked_by: [sample_hash]   # keeps copies of a sound in one split"]


def _shared(samples: Mapping[str, pl.DataFrame]) -> list[str]:
    return [name for name in next(iter(samples.values())).columns if all(name in f.columns for f in samples.values())]


def _is_hash(name: str, samples: Mapping[str, pl.DataFrame]) -> bool:
    """Whether a column holds 64-bit hashes, by its name and by all of its values."""
    words = re.findall(r"[a-z]+", name.lower())
    if not any(word in _HASH_WORDS for word in words):
        return False
    columns = [frame[name].drop_nulls() for frame in samples.values()]
    if all(values.dtype in (pl.UInt64, pl.Int64) for values in columns):
        return any(map(len, columns))
    texts = all(values.dtype == pl.String for values in columns) and any(map(len, columns))
    return texts and all(_HASH.fullmatch(text) for values in columns for text in values)


def _is_text(name: str, samples: Mapping[str, pl.DataFrame]) -> bool:
    """Whether a column holds sentences: long, of several words, and mostly different."""
    columns = [frame[name].drop_nulls() for frame in samples.values()]
    if not all(values.dtype == pl.String for values in columns):
        return False
    values = pl.concat(columns)
    if not len(values) or 2 * values.n_unique() < len(values):
        return False
    letters, sentences = int(values.str.len_chars().sum()), int(values.str.contains(r"\s\S+\s").sum())
    return letters >= _LEAST_TEXT * len(values) and 2 * sentences > len(values)
