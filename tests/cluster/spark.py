"""A standalone Spark cluster on the loopback interface: master, two workers, Beam's job server, a worker pool."""

from __future__ import annotations

from tests.cluster import tools
from tests.cluster.processes import LOOPBACK, Processes, free_port, wait_for
from tests.cluster.workers import WorkerPool

_OPENED = ("java.nio", "sun.nio.ch", "java.lang", "java.util")
_DEPLOY = "org.apache.spark.deploy"


class SparkCluster:
    """Started by `start`; whatever runs ends with the processes it is given."""

    def __init__(self, processes: Processes, workers: int = 2) -> None:
        self._processes, self._workers = processes, workers
        self._pool = WorkerPool(processes)
        self._job, self._artifact = free_port(), free_port()

    def start(self) -> None:
        """Starts everything, and waits until it answers."""
        tools.require("java")
        folder, home, master = self._processes.folder, tools.spark_home(), free_port()
        settings = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": LOOPBACK, "SPARK_WORKER_DIR": str(folder / "work")}
        where = ["--host", LOOPBACK, "--webui-port"]
        command = [home / "bin" / "spark-class", f"{_DEPLOY}.master.Master", "--port", str(master)]
        self._processes.start("master", [*command, *where, str(free_port())], settings)
        self._processes.wait_for_port("master", master)
        url = f"spark://{LOOPBACK}:{master}"
        for number in range(self._workers):
            command = [home / "bin" / "spark-class", f"{_DEPLOY}.worker.Worker", "--cores", "1", "--memory", "1500m"]
            self._processes.start(f"worker-{number}", [*command, *where, str(free_port()), url], settings)
        registered = [f"worker-{number}" for number in range(self._workers)]
        wait_for("workers at the master", lambda: all("Successfully reg" in self._log(n) for n in registered), 90)
        jars = f"{tools.spark_job_server()}/*:{home}/jars/*"
        opens = [
            f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in ("java.nio", "sun.nio.ch", "java.lang", "java.util")
        ]
        driver = "org.apache.beam.runners.spark.SparkJobServerDriver"
        ports = [f"--job-port={self._job}", f"--artifact-port={self._artifact}", f"--expansion-port={free_port()}"]
        command = [
            "java",
            *opens,
            "-Xmx800m",
            "-cp",
            jars,
            driver,
            f"--spark-master-url={url}",
            f"--job-host={LOOPBACK}",
        ]
        self._processes.start("job-server", [*command, *ports, f"--artifacts-dir={folder}/artifacts"], settings)
        self._processes.wait_for_port("job-server", self._job)
        self._pool.start()

    def _log(self, name: str) -> str:
        return (self._processes.folder / f"{name}.log").read_text(errors="replace")

    def options(self) -> list[str]:
        """Beam's options for a job on this cluster."""
        ends = [f"--job_endpoint={LOOPBACK}:{self._job}", f"--artifact_endpoint={LOOPBACK}:{self._artifact}"]
        return ["--runner=PortableRunner", *ends, *self._pool.options()]
