"""Suites of expectations as users write them, and what can be wrong with them. No Great Expectations here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeGuard

MOST_BYTES = 5_000_000
"""Of a suite."""


_SHOWN = 60
OWN_SUITE = "run"
"""The name of the suite with the project's own checks."""


@dataclass(frozen=True)
class UserSuite:
    """A suite of stock expectations, in the JSON of Great Expectations.

    Attributes:
        name: unique in a run.
        text: the JSON.
        tables: what it is judged on, as in `splits.dev`; see `validation.tables`.
        origin: the file, for messages.
    """

    name: str
    text: str
    tables: tuple[str, ...]
    origin: str = "suite"


class SuiteError(ValueError):
    """Suites are wrong.

    Attributes:
        problems: every problem found, each with its place.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        """Collects problems.

        Args:
            problems: in the order of the documents.
        """
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = [f"expectations: {count} problem{'' if count == 1 else 's'}"]
        super().__init__("\n".join([*lines, *(f"  - {problem}" for problem in self.problems)]))


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a value of JSON is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def short(value: Any) -> str:
    """A value as it is shown in a message."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
