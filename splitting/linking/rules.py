"""What links rows: equal values of a column, hashes within a distance, texts that say nearly the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

MAX_LINKS = 16
MAX_DISTANCE = 8
MAX_VERIFY_DISTANCE = 32
LARGEST_CLUSTER = 10_000


@dataclass(frozen=True)
class EqualValues:
    """Rows with an equal value of a column are linked; null links nothing.

    Attributes:
        column: its name.
    """

    column: str

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.column

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return (self.column,)


@dataclass(frozen=True)
class NearHashes:
    """Rows whose 64-bit hashes differ in few bits are linked, if a second hash agrees; null links nothing.

    Attributes:
        column: the hash that is searched: unsigned or signed 64-bit, or 16 hexadecimal digits.
        distance: bits in which two hashes may differ, at most `MAX_DISTANCE`.
        verify: a second hash of the same rows, made another way; None for none.
        verify_distance: bits in which those may differ.
    """

    column: str
    distance: int
    verify: str | None = None
    verify_distance: int = 0

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"near_duplicates {self.column}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return (self.column,) if self.verify is None else (self.column, self.verify)


@dataclass(frozen=True)
class NearTexts:
    """Rows whose normalised texts share most of their shingles are linked; null and blank link nothing.

    Attributes:
        column: the text.
        percent: the least Jaccard similarity of their sets of shingles, in percent.
    """

    column: str
    percent: int

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"near_text {self.column}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return (self.column,)


LinkRule: TypeAlias = EqualValues | NearHashes | NearTexts


def link_columns(rules: tuple[LinkRule, ...]) -> tuple[str, ...]:
    """The columns that links read, each once, in the order of the rules."""
    return tuple(dict.fromkeys(name for rule in rules for name in rule.columns))
