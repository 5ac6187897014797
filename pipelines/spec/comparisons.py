"""Checks that a condition compares columns with literals of their kind: polars compares others, never as was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from splitting.conditions import ConditionError, Token

_COMPARISONS = ("=", "<>", "!=", "<", ">", "<=", ">=")
_ARITHMETIC = frozenset(["+", "-", "*", "/", "%", "||"])
_EDGE = Token("mark", "")
_OPEN, _CLOSE, _COMMA = Token("mark", "("), Token("mark", ")"), Token("mark", ",")
_AND, _NOT, _BETWEEN, _IN = (Token("keyword", word) for word in ("and", "not", "between", "in"))
_SIGNS = (Token("mark", "-"), Token("mark", "+"))
_CASE, _END = Token("keyword", "case"), Token("keyword", "end")


def check_comparisons(tokens: Sequence[Token], columns: Mapping[str, pl.DataType]) -> None:
    """A column beside a literal of another kind, with `=` and its like, in a list, or with BETWEEN.

    Args:
        tokens: of a condition, as read.
        columns: with their types.

    Raises:
        ConditionError: a column is compared with a literal of another kind, or stands for a condition and is none.
    """
    bare = _bare(tokens)
    for one, other in _pairs(bare):
        for column, literal in ((one, other), (other, one)):
            if column.kind == "column" and literal.kind in ("number", "text"):
                _check_comparison(column.characters, columns[column.characters], literal)
    _check_alone(bare, columns)


def _bare(tokens: Sequence[Token]) -> list[Token]:
    """Without brackets around a single value; a sign and its number are one, a date is its text."""
    out: list[Token] = []
    for token in tokens:
        if token.kind == "text" and out and out[-1].kind == "type":
            out.pop()
        before = [_EDGE, _EDGE, *out[-2:]]
        signed = token.kind == "number" and before[-1] in _SIGNS and not _ends_value(before[-2])
        if signed:
            out[-1] = Token("number", out[-1].characters + token.characters)
            continue
        out.append(token)
        while _is_wrapped(out):
            out[-3:] = [out[-2]]
    return out


def _ends_value(token: Token) -> bool:
    return token.kind in ("column", "number", "text", "type") or token in (_CLOSE, _END)


def _is_wrapped(out: Sequence[Token]) -> bool:
    """Whether the end is a value in brackets that are neither a list nor of a function or cast."""
    if len(out) < 3 or out[-3] != _OPEN or out[-1] != _CLOSE or out[-2].kind not in ("column", "number", "text"):
        return False
    opener = out[-4] if len(out) > 3 else _EDGE
    return opener.kind != "function" and opener not in (_IN, Token("keyword", "cast"))


def _pairs(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """Values that are compared with each other; an operand that is computed is none."""
    padded = [_EDGE, _EDGE, *tokens, _EDGE, _EDGE]
    for i, mark in enumerate(padded):
        if mark.kind == "mark" and mark.characters in _COMPARISONS:
            if not _computed(padded[i - 2]) and not _computed(padded[i + 2]):
                yield padded[i - 1], padded[i + 1]
        elif mark in (_IN, _BETWEEN):
            left = i - 2 if padded[i - 1] == _NOT else i - 1
            if not _computed(padded[left - 1]):
                others = _listed(padded, i + 1) if mark == _IN else _bounds(padded, i + 1)
                yield from ((padded[left], other) for other in others)


def _computed(beside: Token) -> bool:
    return beside.kind == "mark" and beside.characters in _ARITHMETIC


def _listed(tokens: Sequence[Token], opened: int) -> Iterator[Token]:
    """The values of a list that begins at a bracket, those that stand by themselves."""
    depth = 0
    for before, token, after in zip(tokens[opened - 1 :], tokens[opened:], tokens[opened + 1 :], strict=False):
        depth += (token == _OPEN) - (token == _CLOSE)
        if depth == 0:
            return
        if depth == 1 and before in (_OPEN, _COMMA) and after in (_COMMA, _CLOSE):
            yield token


def _bounds(tokens: Sequence[Token], first: int) -> Iterator[Token]:
    """The bounds of BETWEEN, those that stand by themselves."""
    depth, i = 0, first
    while i < len(tokens) and (depth or tokens[i] != _AND):
        depth += (tokens[i] in (_OPEN, _CASE)) - (tokens[i] in (_CLOSE, _END))
        i += 1
    if i == first + 1:
        yield tokens[first]
    if i + 2 < len(tokens) and not _computed(tokens[i + 2]):
        yield tokens[i + 1]


def _check_comparison(name: str, kind: pl.DataType, literal: Token) -> None:
    text = isinstance(kind, pl.String | pl.Categorical | pl.Enum)
    if literal.kind == "number" and (text or kind.is_temporal()):
        told = "a text" if text else "a date or time"
        raise ConditionError(f"column {name!r} is {told}, and {literal.characters} a number; put it in single quotes")
    if literal.kind == "text" and kind.is_numeric():
        raise ConditionError(
            f"column {name!r} is a number ({kind}), and {literal.characters[:60]} a text; leave the quotes out"
        )


def _check_alone(tokens: Sequence[Token], columns: Mapping[str, pl.DataType]) -> None:
    """A column that stands for a condition by itself, as in `NOT label`, has to be one."""
    words = [token.characters.lower() if token.kind != "column" else "" for token in tokens]
    if "between" in words:
        return
    for before, token, after in zip(["and", *words], tokens, [*words[1:], "and"], strict=False):
        alone = before in ("and", "or", "not") and after in ("and", "or")
        if token.kind == "column" and alone and columns[token.characters] not in (pl.Boolean, pl.Null):
            told = f"column {token.characters!r} is {columns[token.characters]}, and neither true nor false"
            raise ConditionError(f"{told}; compare it, as in {token.characters} = …")
