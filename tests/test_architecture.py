"""The house rules that a machine can check: who imports whom, how large a module is, what a start loads."""

import ast
import configparser
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("pipelines", "splitting", "validation")
LONGEST_MODULE = 500
HEAVY = ("apache_beam", "great_expectations", "pandas")

MODULES = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES})
ALL_CODE = sorted(
    path.relative_to(ROOT)
    for folder in (*PACKAGES, "tests", "benchmarks", "examples")
    for path in (ROOT / folder).rglob("*.py")
)


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_import_contracts_are_kept() -> None:
    done = run_python("import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))")
    assert done.returncode == 0, done.stdout + done.stderr


def test_packages_are_those_listed() -> None:
    found = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert found == sorted(PACKAGES)
    assert sorted(contracts["importlinter"]["root_packages"].split()) == found
    assert sorted(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == found
    assert sorted(project["tool"]["mypy"]["packages"]) == found


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_package_says_what_it_is(folder: Path) -> None:
    init = ROOT / folder / "__init__.py"
    assert init.exists(), f"{folder} has modules but no __init__.py: wheels and type checkers would miss it"
    assert ast.get_docstring(ast.parse(init.read_text())), (
        f"{folder}/__init__.py has no docstring: say what belongs in the folder"
    )


def test_no_module_is_too_long() -> None:
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in ALL_CODE}
    long = {path: lines for path, lines in lengths.items() if lines > LONGEST_MODULE}
    assert not long, f"modules over {LONGEST_MODULE} lines; split them by what changes together: {long}"


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    done = run_python(f"import json, sys, {package}; print(json.dumps(sorted(sys.modules)))")
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert not loaded.intersection(HEAVY), (
        f"`import {package}` loads {loaded.intersection(HEAVY)}: import them where they are used"
    )


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["plan", "--help"]], ids=" ".join)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = """
import json, sys
from pipelines.cli import main
sys.argv[0] = "targetsplit"
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
    done = run_python(code, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Usage" in done.stdout
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert not loaded.intersection(HEAVY), f"`targetsplit {' '.join(arguments)}` loads {loaded.intersection(HEAVY)}"


def test_only_the_launcher_loads_great_expectations() -> None:
    """A worker may import any module of splitting and pipelines: none of them brings Great Expectations."""
    names = [
        str(path.with_suffix("")).replace(os.sep, ".")
        for path in MODULES
        if path.parts[0] in ("splitting", "pipelines")
    ]
    names = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    code = "import importlib, json, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    done = run_python(code + "print(json.dumps(sorted(sys.modules)))", *names)
    assert done.returncode == 0, done.stderr
    assert "great_expectations" not in json.loads(done.stdout.splitlines()[-1])
