"""The errors that a user can cause, each with the exit code that the command line gives it.

TargetsplitError            1
├── SpecError               2   the spec or the command line is wrong; lists every problem with its path
├── DataError               1   the data cannot be read or does not fit the spec
│   └── ShortfallError      1   the data cannot give the sizes that the spec asks for
└── RunDirectoryError       1   a run directory is not in the state that the command needs

Anything else that is raised is a bug of this project, and shows its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class TargetsplitError(Exception):
    """Base of every error that a user can cause; its text is the whole message for that user."""

    exit_code = 1


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a spec.

    Attributes:
        path: where, as in `sources.app.path`; empty for the document as a whole.
        message: what was there, what was expected, and what to do.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} @ {self.path}" if self.path else self.message


class SpecError(TargetsplitError):
    """The spec or the command line is wrong."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem] | str, origin: str = "spec") -> None:
        """Collects problems.

        Args:
            problems: every problem found, in document order; or one message.
            origin: the file or option that they were found in.
        """
        self.problems = (Problem("", problems),) if isinstance(problems, str) else tuple(problems)
        self.origin = origin
        count = len(self.problems)
        head = f"{origin}: {count} problem{'s' if count != 1 else ''}"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in self.problems)]))


class DataError(TargetsplitError):
    """The data cannot be read, or does not fit the spec."""


class ShortfallError(DataError):
    """The data cannot give the sizes that the spec asks for."""


class RunDirectoryError(TargetsplitError):
    """A run directory is not in the state that a command needs."""
