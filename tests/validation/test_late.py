"""Modules that load late: not at their import, and whole once they are used."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from validation.late import load_late

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
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
