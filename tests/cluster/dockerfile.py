"""Does the steps of the project's Dockerfile in a bare Debian root, where there is no Docker engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster import tools
from tests.support.command import ROOT

BOOT = "github.com/apache/beam/sdks/v2/python/container"
_RELEASE = "bookworm"
_BUILT = tools.TOOLS / "image"
_HOST_FILES = ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")
_HOST_VARIABLES = ("PIP_CERT", "PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass
class Image:
    """What a Dockerfile made of a root.

    Attributes:
        root: folder of the root.
        environment: of whatever runs in it.
        user: who runs in it.
        folder: the working directory.
        entrypoint: what a container runs before its arguments.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "0"
    folder: str = "/"
    entrypoint: list[str] = field(default_factory=list)

    def command(self, *arguments: str) -> list[str]:
        """What runs arguments as a container of the image would."""
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        inside = ["sh", "-c", f'cd {self.folder} && exec "$@"', "sh", *self.entrypoint, *arguments]
        who = f"--userspec={self.user}:{self.user}"
        return ["chroot", who, str(self.root), "/usr/bin/env", "-i", *variables, *inside]


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """The instructions of a Dockerfile: each a keyword and the rest, lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        keyword, _, rest = line.strip().partition(" ")
        if keyword:
            yield keyword, rest.strip()


class _Builder:
    """Does one instruction after the other, all stages in one root: each writes where the others do not."""

    def __init__(self, root: Path, boot: Path) -> None:
        """Begins.

        Args:
            root: of a bare Debian with Python.
            boot: Beam's boot program, which the Dockerfile takes from Beam's own image.
        """
        self._boot = boot
        self.image = Image(root)

    def build(self, dockerfile: Path) -> Image:
        """Does all instructions; what came out."""
        for keyword, rest in instructions(dockerfile.read_text()):
            {
                "FROM": self._from, "ENV": self._env, "WORKDIR": self._workdir, "COPY": self._copy, "RUN": self._run,
                "USER": self._user, "ENTRYPOINT": self._entrypoint, "LABEL": lambda _: None,
            }[keyword](rest)  # fmt: skip
        return self.image

    def _from(self, _: str) -> None:
        self.image = Image(self.image.root, {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"})

    def _env(self, rest: str) -> None:
        for assignment in shlex.split(rest):
            name, _, value = assignment.partition("=")
            self.image.environment[name] = value.replace("$PATH", self.image.environment["PATH"])

    def _workdir(self, rest: str) -> None:
        self._inside(rest).mkdir(parents=True, exist_ok=True)
        self.image.folder = rest

    def _copy(self, rest: str) -> None:
        *sources, target = [part for part in shlex.split(rest) if not part.startswith("--")]
        flags = dict(part[2:].split("=") for part in shlex.split(rest) if part.startswith("--"))
        if flags.get("from") == "build":
            return  # it lies there already
        if flags.get("from") == "beam":
            self._inside(target).mkdir(parents=True, exist_ok=True)
            shutil.copy(self._boot, self._inside(target) / "boot")
            return
        for source in sources:
            self._copy_one(ROOT / source, self._inside(target), into=target.endswith("/"))
            if "chmod" in flags:
                self._inside(target).chmod(int(flags["chmod"], 8))

    def _copy_one(self, source: Path, target: Path, *, into: bool) -> None:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target / source.name if into else target)

    def _run(self, rest: str) -> None:
        passed = {name: os.environ[name] for name in _HOST_VARIABLES if name in os.environ}
        run_as_root = Image(self.image.root, {**self.image.environment, **passed}, folder=self.image.folder)
        tools.run([*run_as_root.command("sh", "-ec", rest)], ROOT)

    def _user(self, rest: str) -> None:
        self.image.user = rest

    def _entrypoint(self, rest: str) -> None:
        self.image.entrypoint = json.loads(rest)

    def _inside(self, path: str) -> Path:
        whole = path if path.startswith("/") else f"{self.image.folder}/{path}"
        return self.image.root / whole.lstrip("/")


class _Reader(_Builder):
    """Reads of the Dockerfile what a container is told, and does nothing."""

    def _copy(self, rest: str) -> None:
        pass

    def _run(self, rest: str) -> None:
        pass


def debian() -> Path:
    """A bare Debian with Python 3.11 and nothing else, in place of the Dockerfile's `python:3.11-slim`."""
    tools.require("debootstrap", "chroot")

    def install(folder: Path) -> None:
        root = folder / "root"
        tools.run(["debootstrap", "--variant=minbase", _RELEASE, root], folder)
        take_network_settings(root)
        packages = "python3.11 python3.11-venv ca-certificates"
        quiet = "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends"
        tools.run(["chroot", root, "sh", "-ec", f"apt-get update -qq && {quiet} {packages}"], folder)
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3.11")

    return tools.made("debian", install) / "root"


def boot() -> Path:
    """Beam's boot program, built from its source."""
    tools.require("go")

    def build(folder: Path) -> None:
        tools.run(["go", "install", f"{BOOT}@{tools.PRISM}"], folder, {"GOBIN": str(folder)})

    return tools.made("boot", build) / "container"


def build() -> None:
    """Does the steps of the Dockerfile anew; needs the network, as they install packages."""
    shutil.rmtree(_BUILT, ignore_errors=True)
    _BUILT.parent.mkdir(parents=True, exist_ok=True)
    tools.run(["cp", "-a", debian(), _BUILT], ROOT)
    take_network_settings(_BUILT)
    _Builder(_BUILT, boot()).build(ROOT / "Dockerfile")


def built() -> Image:
    """The image that `build` made."""
    return _Reader(_BUILT, Path()).build(ROOT / "Dockerfile")


def take_network_settings(root: Path) -> None:
    """Lets what runs in a root find the package index as this machine does."""
    for name in _HOST_FILES:
        if Path(name).is_file():
            target = root / name.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copy(name, target)
