"""A worker pool for task managers that share a machine. Beam's own is made to stand beside one task manager alone.

Beam's pool knows a worker by its id, and every task manager counts from 1: where two share a pool, the end of one's
worker kills the other's, and the job waits for ever. It also listens on every interface. This one starts the same
workers, listens on the loopback interface, and leaves it to workers to end when their task manager hangs up.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

_WORKER = """
import sys
from apache_beam.runners.worker.sdk_worker import SdkHarness
SdkHarness(sys.argv[1], worker_id=sys.argv[2], state_cache_size=0, data_buffer_time_limit_ms=-1).run()
"""


class _Pool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    def __init__(self) -> None:
        self._workers: list[subprocess.Popen[bytes]] = []

    def StartWorker(  # noqa: N802, a name of the protocol
        self, request: beam_fn_api_pb2.StartWorkerRequest, _context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        command = [sys.executable, "-P", "-c", _WORKER, request.control_endpoint.url, request.worker_id]
        self._workers = [*(worker for worker in self._workers if worker.poll() is None), subprocess.Popen(command)]
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(  # noqa: N802, a name of the protocol
        self, request: beam_fn_api_pb2.StopWorkerRequest, _context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Nothing to do: a worker ends by itself when its task manager hangs up, and its id may be another's."""
        return beam_fn_api_pb2.StopWorkerResponse()


def main(port: int) -> None:
    """Serves until it is ended."""
    server = grpc.server(ThreadPoolExecutor(16))
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(_Pool(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(int(sys.argv[1]))
