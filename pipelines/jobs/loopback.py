"""Keeps the embedded runner's servers to this machine.

Beam's embedded runner speaks with its workers, which are threads or children of this process, through servers that it
opens on every network interface, without a password: whoever reaches the machine could read rows as they pass, or pose
as a worker. There is no option for that, so the one call that opens a port is told the loopback interface.
"""

from __future__ import annotations

from typing import Any

import grpc
from apache_beam.runners.portability import local_job_service
from apache_beam.runners.portability.fn_api_runner import worker_handlers

_EVERYWHERE, _HERE = "[::]", "localhost"


class _LoopbackServer:
    """A server of gRPC whose ports are on the loopback interface."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def add_insecure_port(self, address: str) -> int:
        """Opens a port here where Beam asks for one everywhere; the number of the port."""
        host, _, port = address.rpartition(":")
        return int(self._server.add_insecure_port(f"{_HERE if host == _EVERYWHERE else host}:{port}"))


class _LoopbackGrpc:
    """gRPC, but for its servers."""

    def __getattr__(self, name: str) -> Any:
        return getattr(grpc, name)

    def server(self, *arguments: Any, **options: Any) -> _LoopbackServer:
        """Makes a server."""
        return _LoopbackServer(grpc.server(*arguments, **options))


def keep_to_loopback() -> None:
    """Has the embedded runner open its ports on the loopback interface alone, from here on in this process."""
    worker_handlers.grpc = local_job_service.grpc = _LoopbackGrpc()
