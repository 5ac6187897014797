"""Runs Great Expectations in a process of its own, beside the launcher.

Its import takes seconds of pure Python. In a thread of the launcher it would hold the interpreter's lock, and slow
the job that runs there at the same time; a process loads it on another core. Questions and answers are lines of JSON.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from types import TracebackType
from typing import IO, Any

import polars as pl

from splitting.errors import DataError
from splitting.frames import pack_frames
from validation.checking import Check, Verdict
from validation.gx.values import SuiteError, UserSuite
from validation.metrics.partials import MetricPartials
from validation.metrics.plan import MetricPlan
from validation.tables import ValueKind


class JudgingError(RuntimeError):
    """The judging process failed: a bug, not a failed check."""


class Judge:
    """A process that loads Great Expectations while the caller does something else, and then judges.

    A context manager: the process ends with the block, whatever happened in it. What was judged is remembered in the
    process until then, so that it can be stored and shown without being sent again.

    Examples:
        >>> from validation.checking import Check
        >>> size = Check("dev", "size", "dev", None, "As planned.", "critical", "expect_split_size",
        ...              {"split": "dev", "rows": 2}, {"rows": 2})
        >>> with Judge() as judge:
        ...     verdicts, engine = judge.judge("sizes", [size])
        >>> verdicts[0].success
        True
    """

    def __enter__(self) -> Judge:
        """Starts the process; returns at once."""
        self._said: IO[bytes] = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "validation.gx"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._said):
            if pipe is not None:
                pipe.close()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def forget(self) -> None:
        """Begins anew: what was loaded and judged is forgotten, what takes long to import stays."""
        self.ask("forget")

    def judge(self, suite: str, checks: Sequence[Check], table: str = "run") -> tuple[tuple[Verdict, ...], str]:
        """Judges every check.

        Args:
            suite: its name.
            checks: at least one, with distinct names.
            table: what they are about; the name of the page in Data Docs.

        Returns:
            A verdict a check, in their order; and the version of Great Expectations.

        Raises:
            JudgingError: the process failed; the message has what it said.
            DataError: somebody, or a machine out of memory, ended the process.
        """
        told = self.ask("judge", suite=suite, table=table, checks=[asdict(check) for check in checks])
        verdicts = tuple(Verdict(check, **v) for check, v in zip(checks, told["verdicts"], strict=True))
        return verdicts, told["engine"]

    def load(
        self,
        suites: Sequence[UserSuite],
        actions: Sequence[Mapping[str, Any]],
        columns: Mapping[str, ValueKind],
        *,
        environment: bool,
    ) -> dict[str, MetricPlan]:
        """Reads suites and actions of users, strictly.

        Args:
            suites: with distinct names.
            actions: to be run in the end.
            columns: of the splits, with what they hold.
            environment: look whether the environment has the variables that actions name.

        Returns:
            By suite, what has to be counted of every row.

        Raises:
            SuiteError: with every problem of all of them.
        """
        told = self.ask(
            "load",
            suites=[asdict(suite) for suite in suites],
            actions=[dict(action) for action in actions],
            columns=dict(columns),
            environment=environment,
        )
        if told["problems"]:
            raise SuiteError(told["problems"])
        return {name: MetricPlan.from_json(text) for name, text in told["plans"].items()}

    def judge_suite(
        self, suite: str, table: str, partials: MetricPartials, sample: pl.DataFrame
    ) -> tuple[Verdict, ...]:
        """Judges a suite of the user's own that was loaded.

        Args:
            suite: its name.
            table: what it is judged on, as in `splits.dev`.
            partials: what was counted of all rows of the table.
            sample: rows of the table, for what cannot be counted.

        Returns:
            A verdict an expectation, in their order.
        """
        told = self.ask(
            "judge_suite",
            suite=suite,
            table=table,
            partials=base64.b64encode(partials.to_bytes()).decode(),
            sample=base64.b64encode(pack_frames({"sample": sample})).decode(),
        )
        return tuple(Verdict(**{**verdict, "check": Check(**verdict["check"])}) for verdict in told)

    def write_docs(self, folder: str, name: str, started: datetime) -> None:
        """Keeps and shows all that was judged: `gx/` is the project, `data_docs/index.html` its first page.

        Args:
            folder: local.
            name: of the run.
            started: when the run began, with a time zone.
        """
        self.ask("write_docs", folder=folder, name=name, started=started.isoformat())

    def act(self, actions: Sequence[Mapping[str, Any]], name: str, *, success: bool) -> list[str]:
        """Runs actions; what was judged has been kept.

        Args:
            actions: as they were loaded.
            name: of the run.
            success: whether it passed.

        Returns:
            What went wrong, a line an action.
        """
        return list(self.ask("act", actions=[dict(action) for action in actions], name=name, success=success))

    def ask(self, question: str, **about: Any) -> Any:
        """Asks the process.

        Args:
            question: what to do.
            about: plain values.

        Returns:
            What it answers.

        Raises:
            JudgingError: the process failed; the message has what it said.
            DataError: somebody, or a machine out of memory, ended the process.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101
        assert stdout is not None  # noqa: S101
        try:
            stdin.write(json.dumps({"question": question, **about}).encode() + b"\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise self._lost()
        answer = json.loads(line)
        if "error" in answer:
            raise JudgingError(f"checks could not be judged:\n{answer['error']}")
        return answer["answer"]

    def _lost(self) -> Exception:
        code = self._process.wait()
        if code < 0:
            return DataError(
                f"the process that judges the checks was ended by signal {-code}; run the same command again"
            )
        self._said.seek(0)
        return JudgingError(f"checks could not be judged:\n{self._said.read().decode(errors='replace')}")
