"""Sources and runs on object storage: a store that fails at times, two launchers, what a reader sees of half a run."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines import api, claims
from pipelines.claims import claimed
from pipelines.cli.main import run_command
from pipelines.run_directory import RunDirectory
from splitting.errors import RunDirectoryError
from tests.support.command import check_same, start
from tests.support.corpus import FULL_SPEC, web_and_app, write_parquet, write_spec
from tests.support.corpus import SPEC as SPEC_TEXT
from tests.support.object_store import (
    BUCKET,
    SECRET,
    environment,
    faulty_proxy,
    object_names,
    objects,
    upload,
)

pytestmark = pytest.mark.e2e
FAULTS = 0.05


@pytest.fixture(scope="module")
def corpus(store: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two generations of a corpus, each with its spec: on disk, and by the same names in the store."""
    folder = tmp_path_factory.mktemp("corpus")
    for name, tables, text in (("first", web_and_app(), FULL_SPEC), ("grown", web_and_app(3_300, 700), SPEC_TEXT)):
        write_parquet(folder / name, tables, row_group_size=500)
        write_spec(folder / name, text)
        upload(store, folder / name, name)
    return folder


@pytest.fixture(scope="module")
def on_disk(corpus: Path) -> Path:
    """What runs on disk give: `RUN`, and `RUN2` that continues it."""
    api.run(corpus / "first" / "spec.yaml", corpus / "RUN")
    api.run(corpus / "grown" / "spec.yaml", corpus / "RUN2", previous=corpus / "RUN")
    return corpus


def test_history_and_diff_are_the_same_in_a_store(store: int, on_disk: Path) -> None:
    runs = on_disk / "RUNS"
    for name in ("RUN", "RUN2"):
        shutil.copytree(on_disk / name, runs / name)
    upload(store, runs, "side/RUNS")
    assert api.history(f"s3://{BUCKET}/side/RUNS", scan=True) == f"s3://{BUCKET}/side/RUNS/index.html"
    api.history(runs, scan=True)
    assert objects(store, "side/RUNS")["index.html"] == (runs / "index.html").read_bytes()
    moves = api.diff(f"s3://{BUCKET}/side/RUNS/RUN", runs / "RUN2").moves
    assert (moves.basis, moves.moved) == ("files", 0)
    assert moves == api.diff(runs / "RUN", runs / "RUN2").moves
    shutil.rmtree(runs)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims of dead launchers are found in a second."""
    monkeypatch.setattr(claims, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(claims, "LEASE_SECONDS", 1.0)


def test_a_store_that_fails_at_times_holds_the_run_that_a_disk_holds(
    store: int, on_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request in twenty fails: by 500, by a reset before or after it was done, or amid the answer."""
    with faulty_proxy(store, FAULTS) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", environment(proxy.server_address[1])["AWS_ENDPOINT_URL"])
        api.run(f"s3://{BUCKET}/first/spec.yaml", f"s3://{BUCKET}/RUN")
        api.run(f"s3://{BUCKET}/grown/spec.yaml", f"s3://{BUCKET}/RUN2", previous=f"s3://{BUCKET}/RUN")
        assert api.validate(f"s3://{BUCKET}/RUN2").success
    assert proxy.failures > 20
    check_same(objects(store, "RUN"), on_disk / "RUN")
    check_same(objects(store, "RUN2"), on_disk / "RUN2")


def test_polars_and_pyarrow_read_a_run_by_the_same_environment(store: int, corpus: Path) -> None:
    uri = f"s3://{BUCKET}/first/web/part.parquet"
    by_polars = pl.read_parquet(uri, storage_options={"aws_allow_http": "true"})
    assert_frame_equal(by_polars, pl.read_parquet(corpus / "first" / "web" / "part.parquet"))


def test_no_credentials_are_stored_or_told(store: int, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", f"s3://{BUCKET}/first/spec.yaml", "-o", f"s3://{BUCKET}/SECRET"]) == 0
    assert run_command(["--log-format=json", "run", f"s3://{BUCKET}/no/spec.yaml", "-o", f"s3://{BUCKET}/SECRET2"]) == 2
    captured = capsys.readouterr()
    assert "s3://bucket/no/spec.yaml" in captured.err
    texts = [captured.out.encode(), captured.err.encode()]
    for secret in (SECRET, environment(store)["AWS_ACCESS_KEY_ID"]):
        assert not [text for text in texts if secret.encode() in text]
        assert not [name for name, data in objects(store, "SECRET").items() if secret.encode() in data]


def test_half_a_run_is_no_run(store: int, on_disk: Path, impatient: None) -> None:
    run = f"s3://{BUCKET}/HALF"
    process = start(["run", f"s3://{BUCKET}/first/spec.yaml", "-o", run, "-q"])
    try:
        end = time.monotonic() + 120
        while not [name for name in object_names(store, "HALF") if name.startswith("data/")]:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    half = objects(store, "HALF")
    assert "_SUCCESS" not in half
    assert [name for name in half if name.startswith("_claim-")]
    for name, data in half.items():
        if name.endswith(".parquet"):
            pl.read_parquet(data)  # an object is there whole or not at all
    with pytest.raises(RunDirectoryError, match="not a finished run"):
        api.validate(run)
    with pytest.raises(RunDirectoryError, match="not a finished run"):
        api.plan(f"s3://{BUCKET}/grown/spec.yaml", f"s3://{BUCKET}/NEXT", previous=run)
    api.run(f"s3://{BUCKET}/first/spec.yaml", run)
    check_same(objects(store, "HALF"), on_disk / "RUN")


def test_of_launchers_that_start_at_once_one_wins_and_the_others_say_so(store: int, impatient: None) -> None:
    run = RunDirectory.at(f"s3://{BUCKET}/CLAIMED")
    at_work, most, told, begin = [0], [0], [], threading.Barrier(5)

    def launch() -> None:
        begin.wait()
        try:
            with claimed(run, lambda: None):
                at_work[0] += 1
                most[0] = max(most[0], at_work[0])
                time.sleep(3)
                at_work[0] -= 1
        except RunDirectoryError as error:
            told.append(str(error))

    threads = [threading.Thread(target=launch) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert most == [1]
    assert told
    assert all("another launcher is writing s3://bucket/CLAIMED" in text for text in told)
    assert objects(store, "CLAIMED") == {}


def test_a_launcher_that_was_taken_for_dead_does_not_finish_the_run(store: int, impatient: None) -> None:
    run = RunDirectory.at(f"s3://{BUCKET}/LOST")
    with claimed(run, lambda: None):
        claims.check_claim(run)
        run.clear([name for name in run.names() if name.startswith("_claim-")])
        time.sleep(1)
        with pytest.raises(RunDirectoryError, match="another launcher took over"):
            claims.check_claim(run)
