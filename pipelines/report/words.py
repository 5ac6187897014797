"""Numbers and names as a page shows them: short, plain, and harmless whatever the data holds."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import combining

from validation.comparing.words import decimal, figure, percent

__all__ = ["counted", "decimal", "joined", "named", "number", "percent", "q_value", "short", "shown", "signed"]

LONGEST_NAME = 60
_JOINER = "\u200d"  # holds emoji together
_MOST_MARKS = 2
_EMPTY, _NULL = "(empty)", "(null)"


def shown(text: str | None, longest: int = LONGEST_NAME) -> str:
    r"""A text from the data, on one line: what cannot be seen, or turns the direction of writing, is spelt out.

    Args:
        text: anything; None for a missing value.
        longest: characters that are kept.

    Returns:
        Printable text; a cut one says how long it was. Escaping for HTML is left to the template.

    Examples:
        >>> shown("caf\u00e9\n"), shown(""), shown(None), shown("x" * 100, 5)
        ('café\\n', '(empty)', '(null)', 'xxxxx… (100 characters)')
        >>> shown("a\u202eb"), shown("e\u0301" + 3 * "\u0301")
        ('a\\u202eb', 'e\u0301\u0301\\u0301\\u0301')
    """
    if text is None:
        return _NULL
    if not text:
        return _EMPTY
    kept = _spelt(text[:longest])
    return kept if len(text) <= longest else f"{kept}… ({len(text):,} characters)"


def _spelt(text: str) -> str:
    """Every character that cannot be seen, and marks that would be piled over the lines above and below."""
    if text.isascii() and text.isprintable():
        return text
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if combining(character) else 0
        kept.append(_visible(character) if marks <= _MOST_MARKS else _escaped(character))
    return "".join(kept)


def _visible(character: str) -> str:
    if character.isprintable() or character == _JOINER:
        return character
    return _escaped(character)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", errors="backslashreplace").decode()


def short(text: str | None, longest: int) -> str:
    """As `shown`, cut to fit a small place.

    Examples:
        >>> short("abcdefgh", 5)
        'abcd…'
    """
    whole = shown(text, max(longest, 1) * 2)
    return whole if len(whole) <= longest else f"{whole[: longest - 1]}…"


def lines(text: str, longest: int) -> str:
    """A text of several lines, harmless as in `shown`."""
    kept = "\n".join(_spelt(line) for line in text[:longest].split("\n"))
    return kept if len(text) <= longest else f"{kept}\n… ({len(text):,} characters)"


def sentence(text: str, longest: int = 600) -> str:
    """A sentence that may hold texts from the data, harmless as in `shown`."""
    return shown(" ".join(text.split()) if text.isprintable() else text, longest)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun.

    Examples:
        >>> counted(1, "row"), counted(2500, "row"), counted(2, "entry", "entries")
        ('1 row', '2,500 rows', '2 entries')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def number(value: float | int | str | None) -> str:
    """A value of a column to four digits; texts as they are, nothing as a dash.

    Examples:
        >>> number(1234.567), number(0.00012345), number(None), number("2026-01-31"), number(2500)
        ('1,235', '0.0001234', '–', '2026-01-31', '2,500')
    """
    if value is None:
        return "–"
    if isinstance(value, str):
        return shown(value, 30)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**12 else f"{value:.3e}"
    return figure(value)


def signed(value: float) -> str:
    """A difference with its sign, to three decimals.

    Examples:
        >>> signed(0.0123), signed(-0.5)
        ('+0.012', '−0.500')
    """
    return f"{value:+.3f}".replace("-", "−")


def q_value(value: float | None) -> str:
    """A q-value; the small ones as a bound.

    Examples:
        >>> q_value(0.00001), q_value(0.25), q_value(None)
        ('< .001', '.25', '–')
    """
    return "–" if value is None else "< .001" if value < 0.001 else decimal(value)


def joined(names: Iterable[str], most: int = 3) -> str:
    """Names in a row, the rest counted.

    Examples:
        >>> joined(["a", "b"]), joined("abcdef")
        ('a, b', 'a, b, c and 3 more')
    """
    listed = list(names)
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more:,} more" if more > 0 else "")


def named(names: Iterable[str], most: int = 3) -> str:
    """Names from the data in a row, each once and in backticks, for `coded`; the rest counted.

    Examples:
        >>> named(["a", "b", "a"]), named("abcdef"), named(["a`b"])
        ('`a`, `b`', '`a`, `b`, `c` and 3 more', '``a`b``')
    """
    return joined((f"``{name}``" if "`" in name else f"`{name}`" for name in dict.fromkeys(names)), most)
