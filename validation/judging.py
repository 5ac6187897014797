"""Runs Great Expectations in a process of its own, beside the launcher.

Its import takes seconds of pure Python. In a thread of the launcher it would hold the interpreter's lock, and slow
the job that runs there at the same time; a process loads it on another core.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any

from splitting.errors import DataError
from validation.checks import Check, Judgement, RowCount, ValuesInSet, Verdict


class JudgingError(RuntimeError):
    """The judging process failed: a bug, not a failed check."""


class Judge:
    """A process that loads Great Expectations while the caller does something else, and then judges.

    A context manager: the process ends with the block, whatever happened in it.

    Examples:
        >>> from validation.checks import Check, RowCount
        >>> with Judge() as judge:
        ...     judgement = judge.judge("sizes", [Check("dev", "dev", "As planned.", "critical", RowCount(2, 2))])
        >>> judgement.verdicts[0].success
        True
    """

    def __enter__(self) -> Judge:
        """Starts the process; returns at once."""
        self._process = subprocess.Popen(  # noqa: S603, our own module
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def judge(self, suite: str, checks: Sequence[Check]) -> Judgement:
        """Judges every check; once a block.

        Args:
            suite: its name.
            checks: at least one, with distinct names.

        Returns:
            A verdict a check, in their order.

        Raises:
            JudgingError: the process failed; the message has what it said.
            DataError: somebody, or a machine out of memory, ended the process.
        """
        question = {"suite": suite, "checks": [asdict(check) for check in checks]}
        told, said = self._process.communicate(json.dumps(question, default=sorted).encode())
        if self._process.returncode < 0:
            raise DataError(
                f"the process that judges the checks was ended by signal {-self._process.returncode}; run the same "
                "command again"
            )
        if self._process.returncode:
            raise JudgingError(f"checks could not be judged:\n{said.decode(errors='replace')}")
        answer = json.loads(told)
        verdicts = tuple(Verdict(check, **v) for check, v in zip(checks, answer["verdicts"], strict=True))
        return Judgement(suite, verdicts, answer["engine"])


def _check(told: dict[str, Any]) -> Check:
    """The check that `asdict` took apart."""
    fact = told.pop("fact")
    if "column" in fact:
        return Check(**told, fact=ValuesInSet(fact["column"], frozenset(fact["allowed"]), fact["observed"]))
    return Check(**told, fact=RowCount(**fact))


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    from validation.engine import judge  # noqa: PLC0415

    judgement = judge(question["suite"], [_check(told) for told in question["checks"]])
    verdicts = [{k: v for k, v in vars(verdict).items() if k != "check"} for verdict in judgement.verdicts]
    return {"engine": judgement.engine, "verdicts": verdicts}


def _main() -> None:
    """Warms up, waits for a question on standard input, answers on standard output."""
    from validation.engine import warm_up  # noqa: PLC0415

    answer_to, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints is no answer
    warm_up()
    if question := sys.stdin.buffer.read():
        answer_to.write(json.dumps(_answer(json.loads(question))))
        answer_to.flush()
    os._exit(0)  # the answer is given: an orderly end of so many modules takes most of a second


if __name__ == "__main__":
    _main()
