"""What the tests of whole runs share."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

import pytest

from pipelines import api, planning
from validation.gx.process import Judge


class SharedJudge:
    """Loading Great Expectations takes seconds: the runs of a test process share one judge, emptied for each."""

    running: Judge | None = None

    def __enter__(self) -> Judge:
        kind = type(self)
        if kind.running is None or not kind.running.alive:
            kind.end()
            kind.running = Judge().__enter__()
        kind.running.forget()
        return kind.running

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @classmethod
    def end(cls) -> None:
        """Ends the process, if there is one."""
        if cls.running is not None:
            cls.running.__exit__(None, None, None)
            cls.running = None


@pytest.fixture(scope="session", autouse=True)
def shared_judge() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "Judge", SharedJudge)
        patch.setattr(planning, "Judge", SharedJudge)
        yield
        SharedJudge.end()
