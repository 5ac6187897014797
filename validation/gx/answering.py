"""The other end of `validation.gx.process`: reads questions, lines of JSON, and answers each with a line of JSON."""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

from validation.checking import Check
from validation.gx.engine import VERSION, Judged, judge_checks, warm_up


class Session:
    """Answers questions, and remembers what was judged.

    Attributes:
        judged: every suite so far, in order.
    """

    def __init__(self) -> None:
        self.judged: list[Judged] = []

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
        return {"judge": self._judge}[question](**about)

    def _judge(self, suite: str, table: str, checks: list[dict[str, Any]]) -> Any:
        judged = judge_checks(suite, [Check(**check) for check in checks], table)
        self.judged.append(judged)
        told = [{"success": v.success, "exception": v.exception} for v in judged.verdicts]
        return {"engine": VERSION, "verdicts": told}


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


if __name__ == "__main__":
    main()
