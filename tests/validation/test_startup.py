"""What makes a process start quickly, and what it must leave as it was."""

from __future__ import annotations

import gc
import importlib
import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest

from validation import startup
from validation.startup import importing, on_one_stack

LATE = """
import sys
from validation.startup import load_late

load_late("scipy.stats", "altair", "boto3", "no_such_module", "json")
import great_expectations
import scipy.stats

assert "scipy.stats._stats_py" not in sys.modules and "altair.vegalite" not in sys.modules
assert "boto3.session" not in sys.modules
from scipy.stats import norm

assert "scipy.stats._stats_py" in sys.modules
assert norm.cdf(0) == 0.5 and scipy.stats.entropy([1.0]) == 0
assert scipy.stats.norm is norm and sys.modules["scipy.stats"].norm is norm
from scipy.stats._stats_py import ks_2samp
import altair
import boto3

assert boto3.__version__ and "boto3.session" in sys.modules
from boto3 import Session

assert Session is sys.modules["boto3"].Session
assert altair.Chart is sys.modules["altair"].Chart and altair.__version__
assert "no_such_module" not in sys.modules and sys.modules["json"].dumps([]) == "[]"
try:
    scipy.stats.no_such_name
except AttributeError:
    print("done")
"""


def test_a_module_loads_when_it_is_used_and_not_before() -> None:
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr


@pytest.fixture
def ours() -> Iterator[None]:
    """A process of our own, but that what exists stays collectable."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(startup._Process, "ours", True)
        patch.setattr(gc, "freeze", lambda: None)
        yield


@pytest.mark.usefixtures("ours")
def test_modules_that_are_not_used_look_as_if_they_were_not_installed_while_others_are_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with importing("wave"):
        assert not gc.isenabled()
        with pytest.raises(ModuleNotFoundError, match="No module named 'wave'"):
            importlib.import_module("wave")
    assert gc.isenabled()
    assert importlib.import_module("wave").open


@pytest.mark.usefixtures("ours")
def test_a_module_that_is_loaded_stays_so() -> None:
    with importing("json"):
        assert importlib.import_module("json") is sys.modules["json"]


def test_in_a_process_of_others_every_module_is_found_and_nothing_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    frozen, finders = gc.get_freeze_count(), list(sys.meta_path)
    with importing("wave"):
        assert importlib.import_module("wave").open
    assert (gc.get_freeze_count(), sys.meta_path) == (frozen, finders)


def test_the_collector_stays_off_where_it_was_off_and_comes_back_after_an_error() -> None:
    with pytest.raises(ImportError, match="of the block"), importing():
        raise ImportError("of the block")
    assert gc.isenabled()
    gc.disable()
    try:
        with importing():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def _calls_at_depth(depth: int, calls: int) -> int:
    """Page faults of many calls made at a depth of the stack."""
    if depth:
        return _calls_at_depth(depth - 1, calls)
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(calls):
        _little()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def _little() -> None:
    """Needs a frame."""


def _worst(calls: int) -> int:
    return max(_calls_at_depth(depth, calls) for depth in range(300))


@pytest.mark.skipif(sys.platform != "linux", reason="counts page faults as Linux does")
def test_no_call_on_one_stack_asks_for_memory_again_and_again() -> None:
    if sys.version_info < (3, 13):
        assert _worst(500) >= 500, "some call lies at the edge of a piece of memory"
    assert on_one_stack(lambda: _worst(500)) < 100


def test_what_is_done_on_one_stack_returns_and_raises() -> None:
    assert on_one_stack(lambda: 7) == 7
    with pytest.raises(RuntimeError, match="in it"):
        on_one_stack(_fail)


def _fail() -> None:
    raise RuntimeError("in it")
