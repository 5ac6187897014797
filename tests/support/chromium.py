"""A headless Chromium without a network, driven through the DevTools protocol over a pipe: no driver, no port."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
)  # fmt: skip
_HEARD = ("Network", "Runtime", "Log", "Page")
_FREE = 10  # descriptors from here on are neither 3 nor 4, at which Chromium reads and writes
_PATIENCE = 60.0
_NARROW = 600


class Chromium:
    """One tab of a browser of our own.

    Attributes:
        events: all that the tab said, in order.
    """

    def __init__(self, profile: Path) -> None:
        assert BROWSER is not None
        orders, self._orders = _pipe()
        self._answers, answers = _pipe()
        actions = [(os.POSIX_SPAWN_OPEN, out, os.devnull, os.O_WRONLY, 0) for out in (1, 2)]
        actions += [(os.POSIX_SPAWN_DUP2, orders, 3), (os.POSIX_SPAWN_DUP2, answers, 4)]
        command = [BROWSER, *_FLAGS, f"--user-data-dir={profile}"]
        self._process = os.posix_spawn(BROWSER, command, os.environ, file_actions=actions, setpgroup=0)
        os.close(orders)
        os.close(answers)
        self._buffer, self._number, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in _HEARD:
            self.ask(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._orders)
        os.close(self._answers)

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        """Sends one command and waits for its answer; events on the way are kept."""
        self._number += 1
        told: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        told |= {"sessionId": self._session} if self._session else {}
        message = memoryview(json.dumps(told).encode() + b"\0")
        while message:
            message = message[os.write(self._orders, message) :]
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + _PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, until - time.monotonic()))
            piece = os.read(self._answers, 1 << 20) if ready else b""
            if not piece:
                raise AssertionError("Chromium said nothing more")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def look(self, width: int, scheme: str) -> None:
        """A window of this many CSS pixels, on a phone if it is narrow, in a light or dark system."""
        height = 812 if width < _NARROW else 900
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < _NARROW,
        )
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, page: Path) -> None:
        """Opens a file and waits until it is whole."""
        self.events.clear()
        self.ask("Page.navigate", url=page.as_uri())
        while not self._said("Page.loadEventFired"):
            self.events.append(self._next())

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript gives in the page; a promise is waited for."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def pdf(self) -> bytes:
        """The page as it is printed on A4."""
        answer = self.ask("Page.printToPDF", printBackground=True, paperWidth=8.27, paperHeight=11.69)
        return base64.b64decode(answer["data"])

    def picture(self) -> bytes:
        """The whole page, top to bottom, as PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def trouble(self) -> list[str]:
        """Requests that failed, errors and everything else on the console, dialogs."""
        names = ("Network.loadingFailed", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [json.dumps(params) for name in (*names, "Page.javascriptDialogOpening") for params in self._said(name)]

    def requests(self) -> list[str]:
        """The addresses that were asked for."""
        return [params["request"]["url"] for params in self._said("Network.requestWillBeSent")]

    def _said(self, method: str) -> list[Mapping[str, Any]]:
        return [event["params"] for event in self.events if event.get("method") == method]


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are out of the way of descriptors 3 and 4."""
    ends = os.pipe()
    reads, writes = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FREE) for end in ends)
    for end in ends:
        os.close(end)
    return reads, writes
