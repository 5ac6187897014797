"""A real Flink cluster on the loopback interface: JobManager, TaskManagers, Beam's job server, a worker pool."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from tests.cluster import tools
from tests.cluster.processes import LOOPBACK, Processes, free_port, processor_seconds, wait_for
from tests.cluster.workers import WORKER_POOL, WorkerPool

_SERVERS = ("job-manager", "job-server", WORKER_POOL)

_OPENED = (
    "lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent", "util.concurrent.atomic",
    "util.concurrent.locks",
)  # fmt: skip
_OPENS = (
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _OPENED),
)
_CONFIGURATION = """
jobmanager.rpc.address: 127.0.0.1
jobmanager.rpc.port: {rpc}
jobmanager.bind-host: 127.0.0.1
jobmanager.memory.process.size: 1600m
rest.address: 127.0.0.1
rest.bind-address: 127.0.0.1
rest.port: {rest}
taskmanager.host: 127.0.0.1
taskmanager.bind-host: 127.0.0.1
taskmanager.numberOfTaskSlots: 1
taskmanager.cpu.cores: 1
taskmanager.memory.network.min: 128mb
taskmanager.memory.network.max: 128mb
taskmanager.memory.managed.size: 300m
taskmanager.memory.task.heap.size: 500m
taskmanager.memory.task.off-heap.size: 0b
taskmanager.memory.framework.heap.size: 128m
taskmanager.memory.framework.off-heap.size: 128m
taskmanager.memory.jvm-metaspace.size: 256m
taskmanager.memory.jvm-overhead.min: 204m
taskmanager.memory.jvm-overhead.max: 204m
parallelism.default: {parallelism}
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 10
restart-strategy.fixed-delay.delay: 1 s
heartbeat.timeout: 8000
heartbeat.interval: 2000
io.tmp.dirs: {folder}/tmp
"""
_LOG4J = """
rootLogger.level = INFO
rootLogger.appenderRef.c.ref = C
appender.c.name = C
appender.c.type = CONSOLE
appender.c.layout.type = PatternLayout
appender.c.layout.pattern = %d{HH:mm:ss} %-5p %c{1} - %m%n
"""


class FlinkCluster:
    """Started by `start`; whatever runs ends with the processes it is given."""

    def __init__(self, processes: Processes, task_managers: int = 2, *, warm_workers: bool = False) -> None:
        self.processes = processes
        self.task_managers = [f"task-manager-{number}" for number in range(task_managers)]
        self._folder = processes.folder
        self._rest, self._job, self._artifact = (free_port() for _ in range(3))
        self._pool = WorkerPool(processes, warm=warm_workers)

    def start(self) -> None:
        """Starts everything, and waits until it answers."""
        tools.require("java")
        for name in ("conf", "tmp", "artifacts"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        text = _CONFIGURATION.format(
            rpc=free_port(), rest=self._rest, parallelism=len(self.task_managers), folder=self._folder
        )
        (self._folder / "conf" / "flink-conf.yaml").write_text(text)
        (self._folder / "conf" / "log4j.properties").write_text(_LOG4J)
        self._flink("job-manager", "-Xmx1g", "entrypoint.StandaloneSessionClusterEntrypoint")
        self.processes.wait_for_port("job-manager", self._rest)
        for name in self.task_managers:
            self.start_task_manager(name)
        self._start_job_server()
        self._pool.start()
        wait_for("the slots of all task managers", lambda: self.slots() == len(self.task_managers), 90)

    def _start_job_server(self) -> None:
        jars = f"{tools.flink_job_server()}/*"
        driver = "org.apache.beam.runners.flink.FlinkJobServerDriver"
        ports = [f"--job-port={self._job}", f"--artifact-port={self._artifact}", f"--expansion-port={free_port()}"]
        where = [f"--flink-master=http://{LOOPBACK}:{self._rest}", f"--job-host={LOOPBACK}"]
        command = ["java", *_OPENS, "-Xmx600m", "-cp", jars, driver, *where, *ports]
        self.processes.start("job-server", [*command, f"--artifacts-dir={self._folder}/artifacts"])
        self.processes.wait_for_port("job-server", self._job)

    def _flink(self, name: str, heap: str, main: str, *more: str) -> None:
        lib, conf = tools.flink_jars(), self._folder / "conf"
        log = f"-Dlog4j.configurationFile={conf}/log4j.properties"
        command = ["java", *_OPENS, heap, log, *more, "-cp", f"{lib}/*"]
        self.processes.start(
            name,
            [*command, f"org.apache.flink.runtime.{main}", "--configDir", conf],
            {"FLINK_CONF_DIR": str(conf), "FLINK_LIB_DIR": str(lib), "FLINK_PLUGINS_DIR": str(lib.parent / "plugins")},
        )

    def start_task_manager(self, name: str) -> None:
        """Starts a TaskManager, a process of its own with one slot."""
        self._flink(name, "-Xmx800m", "taskexecutor.TaskManagerRunner", "-XX:MaxDirectMemorySize=300m")

    def replace_task_manager(self, name: str) -> None:
        """SIGKILL to a TaskManager, and another in its place, as an operator of a cluster does."""
        self.processes.kill(name)
        self.start_task_manager(name)

    def workers(self) -> list[int]:
        """The ids of the Python workers that run."""
        return self._pool.running()

    def working(self) -> list[int]:
        """The ids of those that are connected to a TaskManager."""
        return self._pool.working()

    def cancel_jobs(self) -> None:
        """Cancels whatever runs, and waits until nothing does."""

        def still_running() -> list[str]:
            return [str(job["jid"]) for job in self.jobs() if job["state"] not in {"FINISHED", "FAILED", "CANCELED"}]

        for job in still_running():
            self.ask(f"jobs/{job}", "PATCH")
        wait_for("the end of all jobs", lambda: not still_running(), 180)

    def options(self, *more: str) -> list[str]:
        """Beam's options for a job on this cluster."""
        return [
            "--runner=PortableRunner",
            f"--job_endpoint={LOOPBACK}:{self._job}",
            f"--artifact_endpoint={LOOPBACK}:{self._artifact}",
            *self._pool.options(),
            f"--parallelism={len(self.task_managers)}",
            "--number_of_execution_retries=10",
            "--execution_retry_delay=1000",
            *more,
        ]

    def processor_seconds(self) -> dict[str, float]:
        """What the cluster used of the processors so far: its Python workers, its TaskManagers, and all else."""
        used = {name: processor_seconds(self.processes.pid(name)) for name in (*self.task_managers, *_SERVERS)}
        return {
            "workers": used[WORKER_POOL],
            "task managers": sum(used[name] for name in self.task_managers),
            "job manager and job server": used["job-manager"] + used["job-server"],
        }

    def slots(self) -> int:
        """How many slots are registered."""
        return int(self.ask("overview")["slots-total"])

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs, the newest first: `jid`, `name`, `state`, `duration` in milliseconds, ..."""
        found: list[dict[str, Any]] = self.ask("jobs/overview")["jobs"]
        return sorted(found, key=lambda job: -int(job["start-time"]))

    def failures(self, job: str) -> int:
        """How often a job failed, was restarted among it, as Flink saw it."""
        return len(self.ask(f"jobs/{job}/exceptions")["exceptionHistory"]["entries"])

    def shuffled_bytes(self, job: str) -> int:
        """Bytes that a job's tasks sent to other tasks, by Flink's own count."""
        return sum(int(vertex["metrics"]["write-bytes"]) for vertex in self.ask(f"jobs/{job}")["vertices"])

    def ask(self, path: str, method: str = "GET") -> dict[str, Any]:
        """An answer of Flink's REST API; `PATCH` to a job cancels it."""
        request = urllib.request.Request(f"http://{LOOPBACK}:{self._rest}/{path}", method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
