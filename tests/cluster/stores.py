"""Servers on the loopback interface that speak the protocols of Google's and Microsoft's object stores."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pyarrow import fs

from pipelines.sources.filesystems import locate, write_bytes_atomic
from tests.cluster import tools
from tests.cluster.processes import LOOPBACK, Processes, free_port
from tests.support.command import ROOT

BUCKET = "bucket"
ACCOUNT, KEY = "targetsplit", base64.b64encode(b"a key that must stay in the environment").decode()


@contextmanager
def google(processes: Processes) -> Iterator[int]:
    """Starts a server that speaks Google Cloud Storage, with one bucket.

    Yields:
        Its port.
    """
    port = free_port()
    where = ["-scheme", "http", "-host", LOOPBACK, "-port", str(port), "-public-host", f"{LOOPBACK}:{port}"]
    processes.start("google", [tools.fake_gcs_server(), "-backend", "memory", *where])
    processes.wait_for_port("google", port)
    request = urllib.request.Request(
        f"http://{LOOPBACK}:{port}/storage/v1/b?project=project",
        data=json.dumps({"name": BUCKET}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()
    yield port
    processes.stop("google")


def google_environment(port: int) -> dict[str, str]:
    """Where Google's own libraries look for a store that is not Google's."""
    address = f"http://{LOOPBACK}:{port}"
    return {"CLOUD_STORAGE_EMULATOR_ENDPOINT": address, "STORAGE_EMULATOR_HOST": address}


def google_uri(_port: int, path: str) -> str:
    """The URI of an object, read by nobody in particular: the server knows no accounts."""
    return f"gs://anonymous@{BUCKET}/{path}"


@contextmanager
def azure(processes: Processes) -> Iterator[int]:
    """Starts a server that speaks Azure Blob Storage, with one account and one container.

    Yields:
        Its port.
    """
    port = free_port()
    listens = ["--blobHost", LOOPBACK, "--blobPort", str(port), "--location", processes.folder / "blobs"]
    quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    processes.start("azure", ["node", tools.azurite(), *listens, *quiet], {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"})
    processes.wait_for_port("azure", port)
    server = f"{LOOPBACK}:{port}"
    where = {f"{kind}_storage_authority": server for kind in ("blob", "dfs")}
    plain = {f"{kind}_storage_scheme": "http" for kind in ("blob", "dfs")}
    fs.AzureFileSystem(ACCOUNT, account_key=KEY, **where, **plain).create_dir(BUCKET)
    yield port
    processes.stop("azure")


def azure_environment(_port: int) -> dict[str, str]:
    """The key of the account, by the variable that other readers of Azure know."""
    return {"AZURE_STORAGE_ACCOUNT_KEY": KEY}


def azure_uri(port: int, path: str) -> str:
    """The URI of an object of a server that is not Microsoft's."""
    return f"abfs://{ACCOUNT}@{LOOPBACK}:{port}/{BUCKET}/{path}?enable_tls=false"


@dataclass
class Failing:
    """A proxy before a store, of whose requests a share fails; counts are there once it has ended."""

    port: int
    requests: int = 0
    failures: int = 0


_PROXY = """
import sys
from tests.support.object_store import faulty_proxy
with faulty_proxy(int(sys.argv[1]), float(sys.argv[2]), faults=sys.argv[3:]) as proxy:
    print(proxy.server_address[1], flush=True)
    sys.stdin.read()
    print(proxy.requests, proxy.failures, flush=True)
"""


@contextmanager
def failing(behind: int, share: float, faults: Sequence[str]) -> Iterator[Failing]:
    """Starts a proxy in a process of its own: a client that holds this one's lock while it waits would wait for ever.

    Args:
        behind: port of the store.
        share: of requests that fail, from 0 to 1.
        faults: how they fail.
    """
    command = [sys.executable, "-c", _PROXY, str(behind), str(share), *faults]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        proxy = Failing(int(process.stdout.readline()))
        try:
            yield proxy
        finally:
            process.stdin.close()
            proxy.requests, proxy.failures = map(int, process.stdout.readline().split())


def upload(uri: str, data: bytes) -> None:
    """Puts an object."""
    write_bytes_atomic(locate(uri), data)


def objects(uri: str) -> dict[str, bytes]:
    """Every object below a URI, by its name below it; markers of folders left out."""
    place = locate(uri)
    found = place.filesystem.get_file_info(fs.FileSelector(place.path, recursive=True, allow_not_found=True))
    paths = [info.path for info in found if info.type == fs.FileType.File]
    return {path[len(place.path) + 1 :]: place.filesystem.open_input_stream(path).read() for path in sorted(paths)}
