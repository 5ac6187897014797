"""SQL conditions over the columns of a row: parsed strictly, evaluated by polars.

Polars' SQL can read files, look at other rows and call anything it knows; a spec is not trusted with that. So the
text is cut into tokens first, and only a list of words, functions and marks passes, each of which gives the same
result for a row wherever it is evaluated.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

WORDS = frozenset(
    ["and", "or", "not", "in", "is", "null", "like", "ilike", "between", "true", "false", "case", "when", "then", "else", "end", "cast", "as", "escape", "date", "timestamp", "int", "integer", "bigint", "smallint", "double", "float", "real", "varchar", "text", "boolean"]
)
FUNCTIONS = frozenset(
    ["abs", "ceil", "coalesce", "concat", "contains", "date_part", "ends_with", "floor", "greatest", "least", "left", "length", "lower", "ltrim", "nullif", "replace", "reverse", "right", "round", "rtrim", "sign", "starts_with", "strpos", "substr", "trim", "upper"]
)
_MARKS = ("<=", ">=", "<>", "!=", "||", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", ",")
_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")+")|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"""
    r"""|(?P<word>[^\W\d]\w*)|(?P<mark><=|>=|<>|!=|\|\||[=<>+\-*/%(),])"""
)
_BEFORE_PARENTHESIS = frozenset(["and", "or", "not", "in", "when", "then", "else", "case", "between", "like", "ilike", "is", "as", "varchar"])


class Token(NamedTuple):
    """A part of a condition: its kind (`text`, `quoted`, `number`, `word`, `mark`) and its characters."""

    kind: str
    characters: str


class ConditionError(ValueError):
    """A condition is not one; the message says why and what to do."""


def cut(sql: str) -> list[Token]:
    """Cuts a condition into tokens.

    Args:
        sql: the condition.

    Returns:
        Its tokens, without white space.

    Raises:
        ConditionError: it holds a comment, or a character that has no place in a condition.

    Examples:
        >>> [token.characters for token in cut("a >= 'x''y'")]
        ['a', '>=', "'x''y'"]
    """
    tokens, position = [], 0
    while position < len(sql):
        if sql.startswith(("--", "/*"), position):
            raise ConditionError("comments are not allowed in a condition")
        found = _TOKEN.match(sql, position)
        if found is None:
            raise ConditionError(f"{sql[position]!r} at character {position + 1} has no place in a condition")
        kind = str(found.lastgroup)
        if kind != "space":
            tokens.append(Token(kind, found[0]))
        position = found.end()
    return tokens


def columns_of(sql: str, known: Collection[str]) -> tuple[str, ...]:
    """The columns that a condition reads; also checks that it can do no harm.

    Args:
        sql: the condition.
        known: the columns that there are.

    Returns:
        Names, sorted.

    Raises:
        ConditionError: it names something that is neither a column nor an allowed word or function.
    """
    tokens = cut(sql)
    if not tokens:
        raise ConditionError("is empty; expected a condition as in country = 'SE'")
    columns = set()
    for token, after in zip(tokens, [*tokens[1:], Token("mark", "")], strict=True):
        called = after.characters == "("
        if token.kind == "quoted":
            columns.add(_known(token.characters[1:-1].replace('""', '"'), known))
        elif token.kind == "word":
            word = token.characters.lower()
            if called and word not in _BEFORE_PARENTHESIS:
                if word not in FUNCTIONS and word != "cast":
                    raise ConditionError(
                        f"function {token.characters}() is not allowed; allowed are {', '.join(sorted(FUNCTIONS))}"
                    )
            elif token.characters in known:
                columns.add(token.characters)
            elif word not in WORDS:
                _known(token.characters, known)
    return tuple(sorted(columns))


def _known(name: str, known: Collection[str]) -> str:
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 1)
    listed = sorted(known)
    hint = f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(listed[:20])}"
    raise ConditionError(f"there is no column {name!r}; {hint} (texts stand in single quotes)")


@dataclass(frozen=True)
class Condition:
    """A condition that has been checked.

    Attributes:
        sql: its text.
        columns: the columns that it reads, sorted.
    """

    sql: str
    columns: tuple[str, ...]

    def mask(self, frame: pl.DataFrame) -> pl.Series:
        """Which rows meet the condition.

        Args:
            frame: holds the columns.

        Returns:
            Boolean without nulls: what SQL does not know (a comparison with null) counts as not met.
        """
        met = evaluate(self.sql, frame.select(self.columns) if self.columns else frame)
        return met.cast(pl.Boolean).fill_null(value=False)


def evaluate(sql: str, frame: pl.DataFrame) -> pl.Series:
    """The value of an expression for each row.

    Args:
        sql: an expression whose tokens have been checked.
        frame: holds the columns.

    Returns:
        A value a row; a constant is repeated.
    """
    context = pl.SQLContext(frame=frame.lazy())
    values = context.execute(f'SELECT ({sql}) AS "_condition" FROM frame').collect()["_condition"]
    return values if len(values) == len(frame) else values.extend_constant(values[0], len(frame) - 1)
