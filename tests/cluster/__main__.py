"""Installs what a cluster is made of, and runs its tests where nobody else can reach its servers.

    python -m tests.cluster NAME [arguments of pytest]

Several of the servers listen on every interface, whatever they are told. On Linux the tests run in a network of their
own, which has a loopback interface and nothing else; where that cannot be made, they run in that of the machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.cluster import dockerfile, tools

NEEDS = {
    "flink": [tools.flink_jars, tools.flink_job_server],
    "cost": [tools.flink_jars, tools.flink_job_server],
    "soak": [tools.flink_jars, tools.flink_job_server],
    "spark": [tools.spark_home, tools.spark_job_server],
    "prism": [tools.prism],
    "airflow": [tools.airflow],
    "dagster": [tools.dagster],
    "dataflow": [tools.dataflow, tools.fake_gcs_server],
    "image": [tools.prism, dockerfile.build],
    "stores": [tools.fake_gcs_server, tools.azurite],
    "deploy": [],
}
_AS_ROOT = [] if hasattr(os, "geteuid") and not os.geteuid() else ["--map-root-user"]
_ALONE = ["unshare", *_AS_ROOT, "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"']
_SECONDS = "1800"


def _network() -> list[str]:
    """The command that runs another in a network of its own; nothing where that cannot be done."""
    if shutil.which("unshare") and not subprocess.run([*_ALONE, "true"], capture_output=True, check=False).returncode:
        return _ALONE
    return []


def main(name: str, arguments: list[str]) -> int:
    """Runs the tests of one cluster; the exit code is pytest's."""
    if name not in NEEDS:
        sys.exit(f"got {name!r}, expected one of {', '.join(NEEDS)}")
    for install in NEEDS[name]:
        install()
    alone = _network() if NEEDS[name] else []  # what installs packages needs the machine's network
    pytest = [sys.executable, "-m", "pytest", "-q", "-s", "--timeout", _SECONDS, "tests/cluster"]
    environment = {**os.environ, "TARGETSPLIT_CLUSTERS": name}
    return subprocess.run([*alone, *pytest, *arguments], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if sys.argv[1:] else "", sys.argv[2:]))
