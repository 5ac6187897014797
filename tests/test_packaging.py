"""What is shipped: the wheel, the lock, the image and the demo agree with pyproject.toml."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
PINS = [
    (Requirement(line.removesuffix("\\").strip()), block)
    for block in re.split(r"\n(?=[A-Za-z0-9])", LOCK)
    for line in [block.splitlines()[0]]
    if not line.startswith("#")
]


def locked_versions(name: str) -> list[Version]:
    return [
        Version(next(iter(pin.specifier)).version)
        for pin, _ in PINS
        if canonicalize_name(pin.name) == canonicalize_name(name)
    ]


@pytest.mark.parametrize("text", PROJECT["project"]["dependencies"])
def test_lock_covers_dependency(text: str) -> None:
    wanted = Requirement(text)
    versions = locked_versions(wanted.name)
    assert versions, f"{wanted.name} is not in requirements.lock: compile the lock again (its head says how)"
    assert all(wanted.specifier.contains(version) for version in versions), (
        f"the lock has {versions}, pyproject.toml asks {text}"
    )


def test_every_pin_is_exact_and_hashed() -> None:
    assert len(PINS) > len(PROJECT["project"]["dependencies"])
    for pin, block in PINS:
        assert [part.operator for part in pin.specifier] == ["=="], str(pin)
        assert "--hash=sha256:" in block, f"{pin} has no hash"


def test_lock_names_no_host() -> None:
    assert "://" not in LOCK
    assert "--index-url" not in LOCK
    assert "--find-links" not in LOCK


def test_image_has_the_locks_beam() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    found = re.findall(r"^FROM apache/beam_python([\d.]+)_sdk:([\d.]+) ", dockerfile, flags=re.MULTILINE)
    assert len(found) == 1, "the Dockerfile takes Beam's boot program from one image"
    python, beam = found[0]
    assert [Version(beam)] == locked_versions("apache-beam")
    bases = re.findall(r"^FROM python:([\d.]+)-slim", dockerfile, flags=re.MULTILINE)
    assert set(bases) == {python}, "the image's Python is the one that Beam's image is for"
    assert PROJECT["project"]["requires-python"] == f">={python}"


def test_image_copies_every_package() -> None:
    dockerfile, ignored = (ROOT / "Dockerfile").read_text(), (ROOT / ".dockerignore").read_text()
    for package in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert f"COPY {package} {package}\n" in dockerfile
        assert f"!{package}\n" in ignored


def test_entry_point_sends_options_to_beam_and_commands_to_themselves() -> None:
    """The script runs with stand-ins for the two programs it may become."""
    script = (ROOT / "deploy/docker/entrypoint.sh").read_text()
    script = (
        script.replace("exec /opt/apache/beam/boot", "echo boot")
        .replace("exec targetsplit", "echo targetsplit")
        .replace("exec ", "echo ")
    )

    def answer(*arguments: str) -> str:
        done = subprocess.run(
            ["sh", "-c", script, "entrypoint", *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert answer("--worker_pool") == "boot --worker_pool"
    assert answer("--id=1", "--provision_endpoint=x y") == "boot --id=1 --provision_endpoint=x y"
    assert answer("targetsplit", "run", "spec.yaml") == "targetsplit run spec.yaml"
    assert answer("sh", "-c", "true") == "sh -c true"
    assert answer() == "targetsplit --help"
    assert answer("--version") == "targetsplit --version"


def test_demo_and_development_pin_the_same_data() -> None:
    lines = [
        line for path in sorted(ROOT.glob("examples/*/requirements.txt")) for line in path.read_text().splitlines()
    ]
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert set(pins) <= set(PROJECT["dependency-groups"]["dev"])


def test_wheel_holds_the_packages_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling builds the wheel and is not installed here")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    sources = {str(path.relative_to(ROOT)) for package in packages for path in (ROOT / package).rglob("*.py")}
    assert {name.split("/")[0] for name in names} == set(packages)
    assert {name for name in names if name.endswith(".py")} == sources
    assert not [name for name in names if "__pycache__" in name]
    assert PROJECT["project"]["scripts"] == {"targetsplit": "pipelines.cli:main"}
