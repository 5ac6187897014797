"""An S3 server on the loopback interface, and a proxy before it that fails as networks and stores do."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

from pyarrow import fs

HOST = "127.0.0.1"
SECRET = "secret-that-must-stay-in-the-environment"
BUCKET = "bucket"
_SECONDS = 60
EVERY_FAULT = ("500", "reset before", "reset after", "half an answer")


def environment(port: int) -> dict[str, str]:
    """The usual variables of AWS: all that launcher, workers and libraries are told."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": "access-key-of-the-test",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def s3_server(log: Path) -> Iterator[int]:
    """Starts a server that speaks S3; ends it with the block.

    Args:
        log: takes what it says.

    Yields:
        Its port.
    """
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        port = int(taken.getsockname()[1])
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)]
    with log.open("wb") as sink, subprocess.Popen(command, stdout=sink, stderr=sink) as server:
        try:
            _await(port, server)
            _request(port, "PUT", f"/{BUCKET}")
            yield port
        finally:
            server.terminate()


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the S3 server does not answer")


def _request(port: int, method: str, path: str) -> None:
    connection = http.client.HTTPConnection(HOST, port, timeout=_SECONDS)
    connection.request(method, path, headers={"Content-Length": "0"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status < 300, answer.status


class _Faulty(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, behind: int, share: float, seed: int, faults: Sequence[str]) -> None:
        self.behind, self.share, self._faults = behind, share, list(faults)
        self._random, self._lock = random.Random(seed), threading.Lock()
        self.requests, self.failures = 0, 0
        super().__init__((HOST, 0), _Forward)

    def fault(self) -> str | None:
        """What goes wrong with the next request, if anything."""
        with self._lock:
            self.requests += 1
            if self._random.random() >= self.share:
                return None
            self.failures += 1
            return self._random.choice(self._faults)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is none of ours."""


class _Forward(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Faulty

    def _forward(self) -> None:
        fault = self.server.fault()
        body = self._body()
        if fault == "500":
            self._answer(500, {"Content-Type": "application/xml"}, b"<Error><Code>InternalError</Code></Error>")
            return
        if fault == "reset before":
            self._reset()
            return
        upstream = http.client.HTTPConnection(HOST, self.server.behind, timeout=_SECONDS)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        upstream.request(self.command, self.path, body=body, headers={**headers, "Content-Length": str(len(body))})
        answer = upstream.getresponse()
        data = answer.read()
        upstream.close()
        if fault == "reset after":  # the store has done it, and nobody hears of it
            self._reset()
            return
        kept = {name.title(): value for name, value in answer.getheaders() if name.lower() not in _HOP}
        if self.command == "HEAD":  # the length is that of the object
            kept["Content-Length"] = answer.getheader("Content-Length", "0")
        self._answer(answer.status, kept, data, whole=fault != "half an answer")

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _forward  # noqa: N815, names of the base class

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(parts)

    def _answer(self, status: int, headers: Mapping[str, str], data: bytes, *, whole: bool = True) -> None:
        self.send_response_only(status)
        length = headers.get("Content-Length", str(len(data)))
        for name, value in headers.items():
            if name != "Content-Length":
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data if whole else data[: len(data) // 2])
        if not whole:
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        """Closes the connection with a reset, in place of a farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Nothing: a test that fails says why."""


_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}


@contextmanager
def faulty_proxy(behind: int, share: float, seed: int = 1, faults: Sequence[str] = EVERY_FAULT) -> Iterator[_Faulty]:
    """A proxy before a server, of whose requests a share goes wrong.

    Args:
        behind: port of the server.
        share: of requests, from 0 to 1: answers of 500, resets before and after the server did it, half an answer.
        seed: of the choice.
        faults: to choose from.

    Yields:
        The proxy: `server_address`, and counts of `requests` and `failures`.
    """
    proxy = _Faulty(behind, share, seed, faults)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join(timeout=_SECONDS)


def object_names(port: int, prefix: str) -> list[str]:
    """The names of every object below a prefix, markers of folders left out, past any proxy."""
    found = _store(port).get_file_info(fs.FileSelector(f"{BUCKET}/{prefix}", recursive=True, allow_not_found=True))
    paths = [info.path for info in found if info.type == fs.FileType.File]
    return [path.removeprefix(f"{BUCKET}/{prefix}/") for path in paths]


def objects(port: int, prefix: str) -> dict[str, bytes]:
    """Every object below a prefix, where nobody deletes any meanwhile."""
    store, names = _store(port), object_names(port, prefix)
    return {name: store.open_input_stream(f"{BUCKET}/{prefix}/{name}").read() for name in names}


def _store(port: int) -> fs.S3FileSystem:
    return fs.S3FileSystem(
        endpoint_override=f"{HOST}:{port}", scheme="http", access_key="x", secret_key=SECRET, region="us-east-1"
    )


def upload(port: int, folder: Path, prefix: str) -> None:
    """Puts the files of a folder below a prefix."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            connection = http.client.HTTPConnection(HOST, port, timeout=_SECONDS)
            name = quote(f"/{BUCKET}/{prefix}/{path.relative_to(folder).as_posix()}")
            connection.request("PUT", name, path.read_bytes())
            assert connection.getresponse().status == 200
            connection.close()
