"""The other end of `validation.gx.process`: reads questions, lines of JSON, and answers each with a line of JSON."""

from __future__ import annotations

import base64
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from splitting.frames import unpack_frames
from validation.checking import Check
from validation.gx.actions import action_problems, run_actions
from validation.gx.engine import VERSION, Judged, judge_checks, warm_up
from validation.gx.store import Stored, write_docs
from validation.gx.suites import LoadedSuite, load_suites
from validation.gx.users import judge_suite, plan_of
from validation.gx.values import SuiteError, UserSuite
from validation.metrics.partials import MetricPartials
from validation.tables import ValueKind


class Session:
    """Answers questions, and remembers what was judged.

    Attributes:
        judged: every suite so far, in order.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.judged: list[Judged] = []
        self._suites: dict[str, LoadedSuite] = {}
        self._stored: Stored | None = None

    def answer(self, question: str, about: dict[str, Any]) -> Any:
        """Answers a question.

        Args:
            question: which.
            about: plain values.

        Returns:
            Plain values.

        Raises:
            KeyError: no such question.
        """
        questions: dict[str, Callable[..., Any]] = {
            "judge": self._judge,
            "load": self._load,
            "judge_suite": self._judge_suite,
            "write_docs": self._write_docs,
            "act": self._act,
            "forget": self._forget,
        }
        return questions[question](**about)

    def _judge(self, suite: str, table: str, checks: list[dict[str, Any]]) -> Any:
        judged = judge_checks(suite, [Check(**check) for check in checks], table)
        self.judged.append(judged)
        told = [{"success": v.success, "exception": v.exception} for v in judged.verdicts]
        return {"engine": VERSION, "verdicts": told}

    def _load(
        self,
        suites: list[dict[str, Any]],
        actions: list[dict[str, Any]],
        columns: dict[str, ValueKind],
        environment: bool,
    ) -> Any:
        problems = list(action_problems(actions, os.environ if environment else None))
        try:
            users = [UserSuite(**{**suite, "tables": tuple(suite["tables"])}) for suite in suites]
            loaded = load_suites(users, columns)
        except SuiteError as error:
            return {"problems": [*error.problems, *problems]}
        self._suites = {one.suite.name: one for one in loaded}
        return {"problems": problems, "plans": {one.suite.name: plan_of([one]).to_json() for one in loaded}}

    def _judge_suite(self, suite: str, table: str, partials: str, sample: str) -> Any:
        loaded = self._suites[suite]
        rows: pl.DataFrame | None = unpack_frames(base64.b64decode(sample))["sample"]
        counted = MetricPartials.from_bytes(base64.b64decode(partials))
        judged = judge_suite(loaded, table, plan_of([loaded]), counted, rows)
        self.judged.append(judged)
        return [asdict(verdict) for verdict in judged.verdicts]

    def _write_docs(self, folder: str, name: str, started: str) -> None:
        self._stored = write_docs(self.judged, Path(folder), name, datetime.fromisoformat(started))

    def _act(self, actions: list[dict[str, Any]], name: str, success: bool) -> list[str]:
        if self._stored is None:
            raise ValueError("actions run on results that were stored")
        return run_actions(actions, self._stored.run_id, self._stored.results, name, success)


def main() -> None:
    """Warms up, and answers until standard input ends."""
    answer_to, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints is no answer
    warm_up()
    session = Session()
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            told = {"answer": session.answer(asked.pop("question"), asked)}
        except Exception:  # noqa: BLE001, the other side shows it
            told = {"error": traceback.format_exc()}
        answer_to.write(json.dumps(told) + "\n")
        answer_to.flush()
    os._exit(0)  # all is said: an orderly end of so many modules takes most of a second
