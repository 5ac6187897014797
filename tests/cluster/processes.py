"""Processes of a cluster on this machine: each has a log, every wait has a limit, all end together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

LOOPBACK = "127.0.0.1"
_LOG_LINES = 25


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        return int(taken.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens on a port of the loopback interface."""
    with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


def wait_for(what: str, holds: Callable[[], bool], seconds: float) -> None:
    """Waits until something holds, or fails.

    Args:
        what: is waited for; for the message.
        holds: tells whether it holds; asked a few times a second.
        seconds: the limit.

    Raises:
        TimeoutError: it does not hold in time.
    """
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


def children(parent: int) -> list[int]:
    """The ids of the processes that a process started and that still run."""
    listed = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid=,stat="], text=True, timeout=30)
    rows = [line.split() for line in listed.splitlines()]
    return sorted(int(pid) for pid, ppid, state in rows if int(ppid) == parent and not state.startswith("Z"))


def connections(process: int) -> int:
    """How many sockets a process has open; none where it ended."""
    try:
        return sum(str(link.readlink()).startswith("socket:") for link in Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return 0


def processor_seconds(process: int) -> float:
    """What a process, those it started, and those of them that ended and were waited for, used of the processors."""
    ticks, clock = 0, os.sysconf("SC_CLK_TCK")
    for number in (process, *children(process)):
        with suppress(OSError):
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / clock


class Processes:
    """Servers of one cluster, each in a process group of its own. At the end of the block all are gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)

    def start(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Starts a server; its output goes to `NAME.log` in the folder."""
        log = self.folder / f"{name}.log"
        with log.open("ab") as sink:
            self._running[name] = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    def pid(self, name: str) -> int:
        """The id of a server."""
        return self._running[name].pid

    def wait_for_port(self, name: str, port: int, seconds: float = 90) -> None:
        """Waits until a server listens, or fails with the end of its log."""

        def listens() -> bool:
            if self._running[name].poll() is not None:
                raise RuntimeError(f"{name} ended with {self._running[name].returncode}:\n{self.log_end(name)}")
            return answers(port)

        try:
            wait_for(f"{name} on port {port}", listens, seconds)
        except TimeoutError as error:
            raise TimeoutError(f"{error}:\n{self.log_end(name)}") from None

    def log_end(self, name: str) -> str:
        """The last lines of a server's log."""
        lines = (self.folder / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])

    def kill(self, name: str) -> None:
        """SIGKILL, to the server and all that it started; nothing can be tidied up."""
        self._end(name, signal.SIGKILL)

    def stop(self, name: str) -> None:
        """SIGTERM, and SIGKILL where that does not help."""
        self._end(name, signal.SIGTERM)

    def _end(self, name: str, how: signal.Signals) -> None:
        process = self._running.pop(name)
        for number in (how, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=15)
                break
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what the server started and did not end
