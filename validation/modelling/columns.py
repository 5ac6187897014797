"""Which columns are features, and as what: numbers, categories, texts, vectors; and which are left out, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from validation.modelling.rows import SampleRows

FeatureKind = Literal["number", "category", "text", "name", "vector"]

ID_SHARE = 0.995
"""A whole number or a word that is unlike in so large a share of the rows names a row."""
ID_ROWS = 100
"""In fewer rows, unlike whole numbers can be chance: 50 ages differ easily."""
PATH_SHARE = 0.9
TEXT_WORDS = 3.0
"""Strings of so many words on average are texts, if they are rarely the same."""
TEXT_DISTINCT = 0.2

NAMES_ROWS = ("is a number unlike in almost every row", "is a string unlike in almost every row")
IS_PATH = "is a path or a file's name"
NOT_NUMBERS = "is a list of other things than numbers"
GIVES_AWAY = "gives the label away"
NOT_READ = frozenset({*NAMES_ROWS, IS_PATH, NOT_NUMBERS})
"""Why columns are left out that could tell two splits apart all the same."""

# Scripts that set no space between words: there, every sign counts.
_WORD = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]|\S+"
_PATH = r"^\S*[\\/]\S*$|^\S+\.[A-Za-z][A-Za-z0-9]{1,4}$"


@dataclass(frozen=True)
class Feature:
    """A column that models see.

    Attributes:
        name: of the column.
        kind: how it is turned into numbers.
        length: of vectors, the commonest; 0 for other kinds.
    """

    name: str
    kind: FeatureKind
    length: int = 0


@dataclass(frozen=True)
class LeftOut:
    """A column that models do not see.

    Attributes:
        name: of the column.
        reason: in plain words.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Columns:
    """What was decided of every column.

    Attributes:
        features: in the order of the frame.
        left_out: the others, in the order of the frame.
    """

    features: tuple[Feature, ...]
    left_out: tuple[LeftOut, ...]


def columns_of(sample: SampleRows, *, names_too: bool = False) -> Columns:
    """Decides which columns are features.

    Left out are the columns whose role is key, group, label, source, time, leak or skip; times; columns that name a
    row (whole numbers and strings unlike in almost every row, paths); empty columns; types that no model reads. A
    column that names a row tells any two sources apart and says nothing of them.

    Args:
        sample: the rows that decide it; take the same rows for all models that are compared.
        names_too: keep columns that name a row: paths and ids may hold the label.

    Returns:
        The decision for every column.
    """
    roles = sample.roles
    by_role = {
        **dict.fromkeys(roles.leaks, GIVES_AWAY),
        **dict.fromkeys(roles.times, "tells when the example was made"),
        **dict.fromkeys((*roles.places, *roles.hashes), "names a file"),
        **dict.fromkeys(roles.skip, "left out as asked"),
        **dict.fromkeys(roles.group, "is the group"),
        **dict.fromkeys(roles.key, "is the key"),
        roles.source: "is the source",
    }
    if roles.label is not None:
        by_role[roles.label] = "is the label"
    features: list[Feature] = []
    left_out: list[LeftOut] = []
    for name in sample.rows.columns:
        decided = by_role.get(name) or _decide(sample.rows[name], sample.sources, names_too=names_too)
        if isinstance(decided, Feature):
            features.append(decided)
        else:
            left_out.append(LeftOut(name, decided))
    return Columns(tuple(features), tuple(left_out))


def _decide(column: pl.Series, sources: pl.Series, *, names_too: bool) -> Feature | str:
    """The feature that a column is, or why it is none."""
    name, kind = column.name, column.dtype
    if kind.is_temporal() or column.null_count() == len(column):
        return "is a time" if kind.is_temporal() else "is empty"
    if isinstance(kind, pl.List | pl.Array):
        return _decide_vector(column) if kind.inner.is_numeric() else NOT_NUMBERS
    if kind == pl.Boolean or kind.is_float() or kind.is_decimal():
        return Feature(name, "number")
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return _decide_string(column.cast(pl.String), sources, names_too=names_too)
    if not kind.is_integer():
        return f"is of a type that models do not read: {kind}"
    named = not names_too and _names_rows(column, sources)
    return NAMES_ROWS[0] if named else Feature(name, "number")


def _decide_vector(column: pl.Series) -> Feature | str:
    """The feature that a column of vectors is, or why it is none."""
    lengths = column.drop_nulls().cast(pl.List(pl.Float64)).list.len().alias("length")
    commonest = int(lengths.value_counts().sort(["count", "length"], descending=True)["length"][0])
    return Feature(column.name, "vector", commonest) if commonest else "has no numbers in its vectors"


def _decide_string(column: pl.Series, sources: pl.Series, *, names_too: bool) -> Feature | str:
    """The feature that a column of strings is, or why it is none."""
    values = column.drop_nulls()
    words = values.str.count_matches(_WORD).mean()
    distinct = values.n_unique() / len(values)
    few_words = not isinstance(words, float) or words < TEXT_WORDS
    if few_words and distinct > TEXT_DISTINCT:
        paths = values.str.contains(_PATH).mean()
        if isinstance(paths, float) and paths >= PATH_SHARE:
            return Feature(column.name, "name") if names_too else IS_PATH
        if _names_rows(column, sources):
            return Feature(column.name, "name") if names_too else NAMES_ROWS[1]
    return Feature(column.name, "category" if few_words or distinct <= TEXT_DISTINCT else "text")


def _names_rows(column: pl.Series, sources: pl.Series) -> bool:
    """Whether almost every row of a source has a value of its own."""
    pairs = pl.DataFrame({"value": column, "source": sources}).drop_nulls("value")
    return len(pairs) >= ID_ROWS and pairs.n_unique() / len(pairs) >= ID_SHARE
