"""A worker pool for task managers that share a machine. Beam's own is made to stand beside one task manager alone.

Beam's pool knows a worker by its id, and every task manager counts from 1: where two share a pool, the end of one's
worker kills the other's, and the job waits for ever. It also listens on every interface. This one starts the same
workers, listens on the loopback interface, and leaves it to workers to end when their task manager hangs up.

    python pool.py PORT [warm]

A warm pool forks its workers from a process that has imported Beam and the jobs, in place of starting each anew.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

_WORK = "work"
_WARM = ["apache_beam.runners.worker.sdk_worker", "pipelines.jobs.census", "pipelines.jobs.write"]


class _Cold:
    """Starts each worker as a program of its own."""

    def __init__(self) -> None:
        self._workers: list[subprocess.Popen[bytes]] = []

    def __call__(self, url: str, worker: str) -> None:
        self._workers = [worker for worker in self._workers if worker.poll() is None]  # those that ended are reaped
        self._workers.append(subprocess.Popen([sys.executable, "-P", __file__, _WORK, url, worker]))


class _Warm:
    """Forks each worker from a process that has imported what workers need, and has no thread."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_WARM)

    def __call__(self, url: str, worker: str) -> None:
        self._context.Process(target=_work, args=(url, worker)).start()


def _work(url: str, worker: str) -> None:
    """Is a worker, until its task manager hangs up."""
    from apache_beam.runners.worker.sdk_worker import SdkHarness

    SdkHarness(url, worker_id=worker, state_cache_size=0, data_buffer_time_limit_ms=-1).run()


class _Pool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    def __init__(self, start: Callable[[str, str], None]) -> None:
        self._start = start

    def StartWorker(  # noqa: N802, a name of the protocol
        self, request: beam_fn_api_pb2.StartWorkerRequest, _context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        self._start(request.control_endpoint.url, request.worker_id)
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(  # noqa: N802, a name of the protocol
        self, request: beam_fn_api_pb2.StopWorkerRequest, _context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Nothing to do: a worker ends by itself when its task manager hangs up, and its id may be another's."""
        return beam_fn_api_pb2.StopWorkerResponse()


def main(port: int, *, warm: bool) -> None:
    """Serves until it is ended."""
    server = grpc.server(ThreadPoolExecutor(16))
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(_Pool(_Warm() if warm else _Cold()), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    if sys.argv[1] == _WORK:
        _work(*sys.argv[2:])
    else:
        main(int(sys.argv[1]), warm="warm" in sys.argv[2:])
