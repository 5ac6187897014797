"""SQL conditions over the columns of a row: parsed strictly, evaluated by polars.

Polars' SQL can read files, look at other rows and call anything it knows; a spec is not trusted with that. So the
text is cut into tokens first, and only a list of words, functions and marks passes, each of which gives the same
result for a row wherever it is evaluated. What polars is given is put together anew from those tokens, with every
column in quotes: a column that is named like a keyword is never one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from splitting.columns import pick
from splitting.errors import DataError

WORDS = frozenset(
    "and between case cast else end false ilike in is like not null or then true when".split()  # noqa: SIM905
)
TYPES = frozenset(
    "bigint boolean date double float int integer real smallint text timestamp varchar".split()  # noqa: SIM905
)
_MANY = 100
ARGUMENTS = {
    "abs": (1, 1),
    "ceil": (1, 1),
    "coalesce": (1, _MANY),
    "concat": (1, _MANY),
    "date_part": (2, 2),
    "ends_with": (2, 2),
    "floor": (1, 1),
    "greatest": (1, _MANY),
    "least": (1, _MANY),
    "left": (2, 2),
    "length": (1, 1),
    "lower": (1, 1),
    "ltrim": (1, 2),
    "nullif": (2, 2),
    "replace": (3, 3),
    "reverse": (1, 1),
    "right": (2, 2),
    "round": (1, 2),
    "rtrim": (1, 2),
    "sign": (1, 1),
    "starts_with": (2, 2),
    "substr": (2, 3),
    "trim": (1, 1),
    "upper": (1, 1),
}
FUNCTIONS = frozenset(ARGUMENTS)
MAX_CHARACTERS = 100_000
MAX_OPERATORS = 250
MAX_COLUMNS = 100
MAX_DOUBLING = 8
MAX_DEPTH = 30
_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")+")"""
    r"""|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?!\w)"""
    r"""|(?P<word>[^\W\d]\w*)|(?P<mark><=|>=|<>|!=|\|\||[=<>+\-*/%(),])"""
)
_LISTS = frozenset(["function", "in"])
_QUERIES = frozenset(["exists", "from", "group", "having", "join", "order", "over", "select", "union", "where", "with"])
_VALUES = frozenset(["null", "true", "false", "end"])
_AFTER_VALUE = frozenset(["and", "between", "ilike", "in", "is", "like", "or", "then"])
_NO_OPERATORS = frozenset(["(", ")", ",", "end", "else", "then", "null", "true", "false"])
_QUOTE = '"'


class Token(NamedTuple):
    """A part of a condition.

    Attributes:
        kind: `text`, `quoted`, `number`, `word` or `mark` as cut; once read, a `quoted` or `word` token is a
            `column`, `function`, `type` or `keyword`.
        characters: as they stand in the condition; of a column, its name.
    """

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
    if len(sql) > MAX_CHARACTERS:
        raise ConditionError(f"is {len(sql):,} characters long, expected at most {MAX_CHARACTERS:,}; {_SHORTER}")
    tokens, position = [], 0
    while position < len(sql):
        if sql.startswith(("--", "/*"), position):
            raise ConditionError(
                f"a comment ({sql[position : position + 2]}) stands at character {position + 1}, and none is allowed; "
                "take it out (minus minus is - -)"
            )
        found = _TOKEN.match(sql, position)
        if found is None:
            raise ConditionError(_misplaced(sql, position))
        kind = str(found.lastgroup)
        if kind != "space":
            tokens.append(Token(kind, found[0]))
        position = found.end()
    return tokens


_SHORTER = "write the answer to a column of the data, and compare that"


_CURES = {
    ";": "write one condition only",
    "`": "put a column's name in double quotes",
    ".": "put a column's name with a dot in double quotes, and a digit on both sides of a decimal point",
    ":": "write cast(column as type) to change a type",
    "&": "write and",
    "|": "write or",
    "!": "write not",
}


def _misplaced(sql: str, position: int) -> str:
    character = sql[position]
    if character in "'\"":
        return f"the quote {character} at character {position + 1} is not closed, or holds nothing; close it"
    cure = _CURES.get(character, "take it out, or put a column's name in double quotes and a text in single ones")
    found = re.compile(r"\w+").match(sql, position) if character.isalnum() else None
    got = found[0][:20] if found else character
    return f"{got!r} at character {position + 1} has no place in a condition; {cure}"


@lru_cache(maxsize=256)
def read(sql: str) -> tuple[Token, ...]:
    """Cuts a condition, tells what each token is, and checks that it can do no harm.

    Args:
        sql: the condition.

    Returns:
        Its tokens; a name that is not a keyword, a function or a type is a column.

    Raises:
        ConditionError: it holds what no condition may hold.
    """
    tokens = cut(sql)
    if not tokens:
        raise ConditionError("is empty; expected a condition as in country = 'SE'")
    out: list[Token] = []
    opened: list[_Bracket] = []
    for token, after in zip(tokens, [*tokens[1:], Token("mark", "")], strict=True):
        before = out[-1] if out else Token("mark", "")
        out.append(_name(token, before, after))
        _beside(before, out[-1])
        _nest(out[-1], before, opened)
    if not _ends_value(out[-1]) and out[-1].characters != "(":
        raise ConditionError(f"ends with {out[-1].characters}; write what comes after it, as in country = 'SE'")
    if opened:
        raise ConditionError(
            f"{len(opened)} bracket{'s are' if len(opened) > 1 else ' is'} not closed; write ) for each"
        )
    _limit(out)
    return tuple(out)


def _limit(tokens: list[Token]) -> None:
    """Polars plans a long chain of operators slowly, and a very long one not at all."""
    columns = sum(token.kind == "column" for token in tokens)
    operators = sum(token.kind in ("keyword", "mark") and token.characters not in _NO_OPERATORS for token in tokens)
    doubling = sum(token in (Token("keyword", "between"), Token("function", "nullif")) for token in tokens)
    for count, limit, what in (
        (columns, MAX_COLUMNS, "columns (each mention counts)"),
        (operators, MAX_OPERATORS, "operators"),
        (doubling, MAX_DOUBLING, "uses of between and nullif (polars doubles their operands)"),
    ):
        if count > limit:
            raise ConditionError(
                f"has {count:,} {what}, expected at most {limit}; use in (…) for many values, or {_SHORTER}"
            )


def _name(token: Token, before: Token, after: Token) -> Token:
    if token.kind == "word":
        named = _word(token.characters, before, after)
    elif token.kind == "quoted":
        named = Token("column", token.characters[1:-1].replace('""', '"'))
    else:
        return token
    if named.kind == "column" and after.characters == "(":
        if token.kind == "word" and named.characters.lower() in _QUERIES:
            raise ConditionError(_query(named))
        listed = ", ".join(sorted(FUNCTIONS))
        raise ConditionError(
            f"function {named.characters[:60]}() is not allowed (a condition sees one row); allowed are {listed}"
        )
    return named


def _word(characters: str, before: Token, after: Token) -> Token:
    word = characters.lower()
    if before == Token("keyword", "as"):
        if word not in TYPES:
            raise ConditionError(f"type {characters} is not allowed; allowed are {', '.join(sorted(TYPES))}")
        return Token("type", word)
    if word in ("date", "timestamp") and after.kind == "text":
        return Token("type", word)
    if word in WORDS or word == "as":
        return Token("keyword", word)
    called = after.characters == "(" and word in FUNCTIONS
    return Token("function", word) if called else Token("column", characters)


def _query(token: Token) -> str:
    name = token.characters
    return (
        f"sub-queries and other parts of a query ({name}) are not allowed: a condition sees one row; {_SHORTER} "
        f"(a column named {name} is compared as any other)"
    )


def _ends_value(token: Token) -> bool:
    """Whether a value or condition may end with a token."""
    if token.kind == "keyword":
        return token.characters in _VALUES
    return token.kind in ("column", "text", "number", "type") or token == Token("mark", ")")


def _starts_value(token: Token, before: Token) -> bool:
    """Whether a token starts a value or condition, and so cannot stand right behind one."""
    if token.kind == "keyword":
        return token.characters in ("null", "true", "false", "case", "cast")
    if token.kind == "text" and before.kind == "type":
        return False
    return token.kind != "mark" or token.characters == "("


def _beside(before: Token, token: Token) -> None:
    """Two values beside each other, or two operators, are no condition; polars would take them for names."""
    ended = _ends_value(before)
    if ended and _starts_value(token, before):
        query = next((t for t in (before, token) if t.kind == "column" and t.characters.lower() in _QUERIES), None)
        raise ConditionError(
            _query(query)
            if query is not None
            else f"{before.characters[:40]} and {token.characters[:40]} stand beside each other; write an operator "
            "between them (as in =, and, or), and quotes around a text or name with blanks"
        )
    if before == token == Token("mark", "="):
        raise ConditionError("got ==, which is not SQL; write = to compare")
    if not ended and _needs_value(token) and before != Token("keyword", "not") and token != Token("mark", ")"):
        raise ConditionError(f"before {token.characters} a value is missing; write one, as in country = 'SE'")


def _needs_value(token: Token) -> bool:
    if token.kind == "keyword":
        return token.characters in _AFTER_VALUE
    return token.kind == "mark" and token.characters not in ("(", "+", "-")


@dataclass
class _Bracket:
    """An open bracket: what stands before it (`in`, `cast`, or the kind of the token), and how many commas within."""

    opener: str
    function: str
    commas: int = 0


def _nest(token: Token, before: Token, opened: list[_Bracket]) -> None:
    """Follows brackets; what may stand only in some of them is refused elsewhere."""
    mark = token.characters if token.kind == "mark" else ""
    if mark == "(":
        opener = before.characters if before.characters in ("in", "cast") and before.kind == "keyword" else before.kind
        opened.append(_Bracket(opener, before.characters))
        if len(opened) > MAX_DEPTH:
            raise ConditionError(f"is nested deeper than {MAX_DEPTH} brackets; {_SHORTER}")
    elif mark == ")":
        if not opened:
            raise ConditionError("a bracket is closed that was not opened; take ) out, or write ( before")
        if not _ends_value(before) and before != Token("mark", "("):
            raise ConditionError(f"between {before.characters} and ) a value is missing; write one, or take it out")
        _count_arguments(opened.pop(), 0 if before == Token("mark", "(") else 1)
    elif mark == ",":
        if not opened or opened[-1].opener not in _LISTS:
            raise ConditionError("a comma stands outside of in (…) and of a function; join conditions by AND or OR")
        opened[-1].commas += 1
    else:
        _place(token, before, [bracket.opener for bracket in opened])


def _count_arguments(closed: _Bracket, last: int) -> None:
    if not last and not closed.commas and closed.opener != "function":
        raise ConditionError("brackets hold nothing, expected a value or a condition; take () out")
    if closed.opener == "function":
        least, most = ARGUMENTS[closed.function]
        if not least <= closed.commas + last <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise ConditionError(
                f"function {closed.function}() got {closed.commas + last} argument(s), expected {wanted}; give it those"
            )


def _place(token: Token, before: Token, opened: list[str]) -> None:
    """Refuses what may stand only in some places."""
    if token.kind == "column" and "in" in opened and token.characters.lower() in _QUERIES:
        raise ConditionError(_query(token))
    if before == Token("keyword", "is") and token.characters not in ("null", "not"):
        raise ConditionError(
            f"got is {token.characters[:20]}; after is, only null and not null are allowed: write a boolean column by "
            "itself, or not x"
        )
    if before == Token("keyword", "not") and token.characters in ("true", "false"):
        raise ConditionError("is not true and is not false are not allowed; write not x, or coalesce(x, false)")
    if token.kind == "column" and "in" in opened:
        raise ConditionError(f"in (…) holds values only, got column {token.characters[:60]!r}; compare it with =")
    if token == Token("keyword", "as") and (not opened or opened[-1] != "cast"):
        raise ConditionError("as is allowed only within cast(… as …); a column of that name stands in double quotes")


def check_syntax(sql: str) -> None:
    """Checks that a condition is one, as far as that can be told without the columns.

    Args:
        sql: the condition.

    Raises:
        ConditionError: it holds what no condition may hold, or is no SQL.

    Examples:
        >>> check_syntax("age between 18")
        Traceback (most recent call last):
        ...
        splitting.conditions.ConditionError: is not a whole condition; expected one as in country = 'SE' AND age >= 18
    """
    read(sql)
    try:
        pl.sql_expr(_rewritten(sql))
    except pl.exceptions.PolarsError as error:
        told = first_words(error)
        if told.startswith("unable to parse"):
            raise ConditionError("is not a whole condition; expected one as in country = 'SE' AND age >= 18") from error
        raise ConditionError(f"is not SQL: {told}; expected a condition as in country = 'SE' AND age >= 18") from error


def columns_of(sql: str, known: Collection[str]) -> tuple[str, ...]:
    """The columns that a condition reads; also checks that it can do no harm.

    Args:
        sql: the condition.
        known: the columns that there are.

    Returns:
        Names, sorted.

    Raises:
        ConditionError: it names something that is neither a column nor an allowed word or function.

    Examples:
        >>> columns_of("age >= 18 and lower(country) = 'se'", ["age", "country", "x"])
        ('age', 'country')
    """
    return tuple(sorted({_known(token.characters, known) for token in read(sql) if token.kind == "column"}))


def _known(name: str, known: Collection[str]) -> str:
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 1)
    listed = sorted(known)
    hint = f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(listed[:20])}"
    raise ConditionError(f"there is no column {name[:60]!r}; {hint} (texts stand in single quotes)")


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

        Raises:
            DataError: a value cannot be cast as the condition says.
        """
        try:
            met = evaluate(self.sql, pick(frame, self.columns) if self.columns else frame)
        except pl.exceptions.PolarsError as error:
            told = first_words(error)
            raise DataError(
                f"the condition {self.sql[:200]!r} cannot be evaluated: {told}; compare without cast(…), or clean "
                "the data"
            ) from error
        return met.cast(pl.Boolean).fill_null(value=False)


def first_words(error: BaseException) -> str:
    """What an error of polars says, without what only programmers read."""
    told = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r"^sql parser error: | at Line: \d+, Column: \d+$", "", told)[:200]


def evaluate(sql: str, frame: pl.DataFrame) -> pl.Series:
    """The value of an expression for each row.

    Args:
        sql: an expression.
        frame: holds the columns.

    Returns:
        A value a row; a constant is repeated.

    Raises:
        ConditionError: it holds what no condition may hold.
        polars.exceptions.PolarsError: it does not fit the columns.
    """
    plain = {name: f"column {i}" for i, name in enumerate(frame.columns) if _is_pattern(name)}
    if any(token.kind == "mark" and token.characters in _ARITHMETIC for token in read(sql)):
        frame = frame.with_columns(pl.selectors.integer().cast(pl.Int128))  # narrower ones wrap around: 3 - 10 is 249
    context = pl.SQLContext(frame=frame.rename(plain).lazy())
    query = f'SELECT ({_rewritten(sql, tuple(plain.items()))}) AS "_condition" FROM frame'  # noqa: S608, of checked tokens
    values = context.execute(query).collect()["_condition"]
    if len(values) == len(frame):
        return values
    return values.clear(len(frame)) if not len(values) else values.new_from_index(0, len(frame))


_ARITHMETIC = frozenset("+-*/%")


def _is_pattern(name: str) -> bool:
    """Whether polars takes a column's name for a pattern, even in quotes."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


@lru_cache(maxsize=256)
def _rewritten(sql: str, renamed: tuple[tuple[str, str], ...] = ()) -> str:
    """The condition, put together from its tokens: columns, under their new names, in quotes, one blank between all."""
    names = dict(renamed)
    parts: list[str] = []
    for token in read(sql):
        if token.kind == "type" and parts[-1:] != ["as"]:
            continue  # date '2026-01-01' is '2026-01-01': polars would take it as UTC, and a text as the column's zone
        if token.kind == "column":
            name = names.get(token.characters, token.characters)
            parts.append(f'"{name.replace(_QUOTE, _QUOTE * 2)}"')
        else:
            parts.append(token.characters)
    return " ".join(parts)
