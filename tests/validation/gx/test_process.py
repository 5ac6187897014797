"""The process that judges answers as the engine does, again and again, and a failure is no verdict."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from splitting.errors import DataError
from validation.checking import Check
from validation.gx.engine import judge_checks
from validation.gx.process import Judge, JudgingError


def size(name: str, rows: int) -> Check:
    kwargs = {"split": "ä\n</script>", "rows": 2}
    return Check(name, "size", "dev", None, "Holds.", "critical", "expect_split_size", kwargs, {"rows": rows})


def test_the_process_answers_as_the_engine_does_until_it_ends() -> None:
    checks = [size("one", 1), size("two", 2), size("none", None)]  # type: ignore[arg-type]
    with Judge() as judge:
        for _ in range(2):
            verdicts, engine = judge.judge("s", checks)
            assert verdicts == judge_checks("s", checks).verdicts
            assert [(v.success, v.severity) for v in verdicts] == [
                (False, "critical"),
                (True, "critical"),
                (False, "critical"),
            ]
        assert engine.startswith("1.24")
        with pytest.raises(JudgingError, match="needs checks"):
            judge.judge("s", [])
        judge.judge("still there", checks)
        os.kill(judge._process.pid, signal.SIGKILL)
        with pytest.raises(DataError, match="signal 9"):
            judge.judge("s", checks)


def test_only_the_process_imports_great_expectations() -> None:
    code = (
        "import sys; import validation.checking, validation.gx, validation.gx.process;"
        "sys.exit(any(m.partition('.')[0] in {'great_expectations', 'pandas', 'apache_beam'} for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
