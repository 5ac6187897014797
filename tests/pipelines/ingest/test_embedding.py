"""Vectors of images: by a user's function, which must be allowed, or by an ONNX model."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines import api
from pipelines.ingest.embedding import ALLOWED, make_embedding
from pipelines.ingest.folders import folder_of
from pipelines.ingest.reuse import earlier_parts
from pipelines.run_directory import RunDirectory
from splitting.errors import DataError, SpecError
from tests.support.ingesting import ingest, task_of
from tests.support.pictures import encoded, picture, write, write_pictures

MODULE = """
import numpy as np
calls = []
def mean(images):
    calls.append(images.shape)
    assert images.dtype == np.uint8
    return images.reshape(len(images), -1, 3).mean(axis=1)
def fails(images):
    raise RuntimeError("no memory")
def flat(images):
    return images.mean(axis=(1, 2, 3))
def few(images):
    return np.zeros((len(images) - 1, 4))
def odd(images):
    return np.full((len(images), 2), np.nan)
def leaves(images):
    raise SystemExit(3)
def complex_ones(images):
    return np.ones((len(images), 2), complex)
def words(images):
    return [["1", "2"]] * len(images)
def huge(images):
    return np.full((len(images), 2), 1e300)
def varies(images):
    return np.ones((len(images), 2 if len(images) == 64 else 3))
no_function = 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"vectors_{abs(hash(tmp_path.name))}"
    write(tmp_path / "code" / f"{name}.py", MODULE.encode())
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    monkeypatch.setenv(ALLOWED, f"other, {name}")
    return name


def field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2, len(data)]) + data


def number(at: int, value: int) -> bytes:
    return bytes([at << 3, value])


def onnx_model(path: Path) -> Path:
    """A model of one node: the mean of each channel, of images n by 3 by height by width."""

    def tensor(name: bytes, sides: list[bytes]) -> bytes:
        shape = b"".join(field(1, side) for side in sides)
        return field(1, name) + field(2, field(1, number(1, 1) + field(2, shape)))

    free = [field(2, b"n"), number(1, 3), field(2, b"h"), field(2, b"w")]
    node = field(1, b"x") + field(2, b"y") + field(4, b"GlobalAveragePool")
    pooled = tensor(b"y", [field(2, b"n"), number(1, 3), number(1, 1), number(1, 1)])
    graph = field(1, node) + field(2, b"g") + field(11, tensor(b"x", free)) + field(12, pooled)
    return write(path, number(1, 8) + field(7, graph) + field(8, number(2, 13)))


def test_a_function_gives_a_column_of_vectors(tmp_path: Path, module: str) -> None:
    write_pictures(tmp_path / "photos", 5)
    write(tmp_path / "photos/red.png", encoded(picture(1).convert("L"), "PNG"))
    write(tmp_path / "photos/broken.jpg", b"\xff\xd8")
    embedding = make_embedding(f"{module}:mean", None, 32, str(tmp_path))
    found = ingest(task_of(tmp_path, "photos", embedding=embedding))
    vectors = np.array(found.rows["embedding"].to_list())
    assert vectors.shape == (6, 3)
    grey = vectors[found.rows["path"].to_list().index("red.png")]
    assert grey[0] == grey[1] == grey[2] == pytest.approx(np.asarray(picture(1).convert("L")).mean(), abs=15)
    assert list(found.rejected) == ["broken.jpg"]


def test_a_spec_runs_no_code_that_its_user_does_not_allow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALLOWED, raising=False)
    with pytest.raises(SpecError, match=r"a spec runs no code unless its user says so; set .*TARGETSPLIT_FUNCTIONS=os"):
        make_embedding("os:system", None, 32, str(tmp_path))
    monkeypatch.setenv(ALLOWED, "nothing_of_that_name")
    with pytest.raises(SpecError, match=r"nothing_of_that_name:f cannot be imported"):
        make_embedding("nothing_of_that_name:f", None, 32, str(tmp_path))


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("fails", r"fails on an array of shape \(3, 16, 16, 3\): RuntimeError: no memory"),
        ("flat", r"gave an array of shape \(3,\) for 3 images, expected finite numbers, a row an image"),
        ("few", r"gave an array of shape \(2, 4\) for 3 images"),
        ("odd", r"expected finite numbers"),
        ("huge", r"expected finite numbers"),
        ("leaves", r"fails on an array of shape .*: SystemExit: 3"),
        ("complex_ones", r"gave an array of complex128, expected real numbers"),
        ("words", r"gave an array of <U1, expected real numbers"),
    ],
)
def test_a_function_that_fails_is_told(tmp_path: Path, module: str, function: str, told: str) -> None:
    write_pictures(tmp_path / "photos", 3)
    embedding = make_embedding(f"{module}:{function}", None, 16, str(tmp_path))
    with pytest.raises(DataError, match=told):
        ingest(task_of(tmp_path, "photos", embedding=embedding))


def test_an_onnx_model_gives_vectors(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    onnx_model(tmp_path / "model.onnx")
    write_pictures(tmp_path / "photos", 3)
    embedding = make_embedding(None, "model.onnx", 48, str(tmp_path))
    found = ingest(task_of(tmp_path, "photos", embedding=embedding))
    vectors = np.array(found.rows["embedding"].to_list())
    assert vectors.shape == (3, 3)
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    shown = np.asarray(picture(0)).reshape(-1, 3).mean(axis=0) / 255
    assert vectors[0] == pytest.approx((shown - mean) / deviation, abs=0.4)
    write(tmp_path / "broken.onnx", b"nothing")
    with pytest.raises(SpecError, match=r"broken\.onnx is no ONNX model that can be loaded"):
        make_embedding(None, "broken.onnx", 48, str(tmp_path))


def test_vectors_are_taken_over_and_not_from_another_model(tmp_path: Path, module: str) -> None:
    write_pictures(tmp_path / "photos", 4)
    run = RunDirectory.at(str(tmp_path / "run"))
    embedding = make_embedding(f"{module}:mean", None, 32, str(tmp_path))
    task = replace(task_of(tmp_path, "photos", embedding=embedding), folder=run.path(folder_of("s")).uri)
    first = ingest(task)
    again = ingest(replace(task, earlier=tuple(earlier_parts(run, "s", task.fingerprint()))))
    assert again.counts.total("s", "reused") == 4
    assert again.rows.equals(first.rows)
    other = replace(task, embedding=replace(embedding, size=16))
    assert not list(earlier_parts(run, "s", other.fingerprint()))
    assert not list(earlier_parts(run, "s", replace(task, embedding=None).fingerprint()))


def test_vectors_have_one_length(tmp_path: Path, module: str) -> None:
    write_pictures(tmp_path / "photos", 67)
    embedding = make_embedding(f"{module}:varies", None, 16, str(tmp_path))
    with pytest.raises(DataError, match=r"vectors of different lengths \(2, 3 numbers\).* give it another name"):
        ingest(task_of(tmp_path, "photos", embedding=embedding))


def test_vectors_of_two_sources_have_one_length(tmp_path: Path, module: str) -> None:
    write_pictures(tmp_path / "web", 64)
    write_pictures(tmp_path / "app", 30, first=100)
    sources = "{web: {path: web, format: images}, app: {path: app, format: images}}"
    text = (
        f"sources: {sources}\ntarget: {{source: app}}\nsplits: {{test: 3, dev: 3, train: rest}}\n"
        f'images: {{embedding: {{function: "{module}:varies", size: 16}}}}\n'
    )
    spec = write(tmp_path / "spec.yaml", text.encode())
    with pytest.raises(DataError, match=r"vectors of different lengths \(2, 3 numbers\)"):
        api.plan(spec, tmp_path / "run")


def test_a_module_that_fails_and_a_name_that_is_no_function_are_told(
    tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "code/fails_to_load.py", b"1 / 0")
    monkeypatch.setenv(ALLOWED, "*")
    with pytest.raises(SpecError, match=r"fails_to_load:f cannot be imported: its module fails with ZeroDivisionError"):
        make_embedding("fails_to_load:f", None, 16, str(tmp_path))
    with pytest.raises(SpecError, match=r"no_function is int, expected a function"):
        make_embedding(f"{module}:no_function", None, 16, str(tmp_path))


PANDAS = """
from pipelines.cli.tuning import tune_process

tune_process()
import sys

import pipelines.jobs

assert "pandas" not in sys.modules
from pipelines.ingest.embedding import _function

null_count = _function("lookalike:null_count")
assert null_count() == 1, null_count()
"""

LOOKALIKE = """
import pyarrow as pa


def null_count():
    import pandas as pd

    return pa.array(pd.Series([1.0, None])).null_count
"""


def test_functions_find_pandas_in_pyarrow_whatever_the_command_line_did_without(tmp_path: Path) -> None:
    (tmp_path / "lookalike.py").write_text(LOOKALIKE)
    paths = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", PANDAS],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
