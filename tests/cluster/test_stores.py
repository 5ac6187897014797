"""Sources, runs and their continuation on Google's and Microsoft's object stores: the bytes that a disk holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines import api
from pipelines.cli.main import run_command
from pipelines.run_directory import RunDirectory
from splitting.errors import RunDirectoryError
from tests.cluster import stores
from tests.cluster.processes import Processes
from tests.support.command import check_same
from tests.support.corpus import FULL_SPEC, web_and_app, write_parquet, write_spec
from tests.support.corpus import SPEC as SPEC_TEXT
from tests.support.object_store import EVERY_FAULT

_FAULTS = 0.05


@dataclass(frozen=True)
class Store:
    """A store that was started: its port, and how it is named and told of."""

    port: int
    environment: Callable[[int], dict[str, str]]
    at: Callable[[int, str], str]

    def uri(self, path: str) -> str:
        return self.at(self.port, path)


@pytest.fixture(scope="module", params=["google", "azure"])
def store(request: pytest.FixtureRequest, work: Path) -> Iterator[Store]:
    name = str(request.param)
    serve, environment, uri = {
        "google": (stores.google, stores.google_environment, stores.google_uri),
        "azure": (stores.azure, stores.azure_environment, stores.azure_uri),
    }[name]
    with Processes(work / name) as processes, serve(processes) as port, pytest.MonkeyPatch.context() as patch:
        for variable, value in environment(port).items():
            patch.setenv(variable, value)
        yield Store(port, environment, uri)


@pytest.fixture(scope="module")
def corpus(work: Path) -> Path:
    """Two generations of a corpus, and what runs of them on disk give: `RUN`, and `RUN2` that continues it."""
    folder = work / "corpus"
    for name, tables, text in (("first", web_and_app(), FULL_SPEC), ("grown", web_and_app(3_300, 700), SPEC_TEXT)):
        write_parquet(folder / name, tables, row_group_size=500)
        write_spec(folder / name, text)
    api.run(folder / "first" / "spec.yaml", folder / "RUN")
    api.run(folder / "grown" / "spec.yaml", folder / "RUN2", previous=folder / "RUN")
    return folder


@pytest.fixture
def uploaded(store: Store, corpus: Path) -> None:
    for name in ("first", "grown"):
        for path in sorted((corpus / name).rglob("*")):
            if path.is_file():
                stores.upload(store.uri(f"{name}/{path.relative_to(corpus / name).as_posix()}"), path.read_bytes())


@pytest.mark.usefixtures("uploaded")
def test_a_store_holds_the_runs_that_a_disk_holds(store: Store, corpus: Path) -> None:
    api.run(store.uri("first/spec.yaml"), store.uri("RUNS/RUN"))
    api.run(store.uri("grown/spec.yaml"), store.uri("RUNS/RUN2"), previous=store.uri("RUNS/RUN"))
    assert api.validate(store.uri("RUNS/RUN2")).success
    api.history(store.uri("RUNS"), scan=True)
    found = stores.objects(store.uri("RUNS/RUN"))
    check_same(found, corpus / "RUN")
    check_same(stores.objects(store.uri("RUNS/RUN2")), corpus / "RUN2")
    assert "index.html" in stores.objects(store.uri("RUNS"))
    assert not [name for name, data in found.items() if stores.KEY.encode() in data]


@pytest.mark.usefixtures("uploaded")
@pytest.mark.timeout(600)
def test_a_store_that_fails_at_times_holds_the_same(
    store: Store, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request in twenty fails: by 500, by a reset before or after the store did it, or amid the answer."""

    def tell_of(port: int) -> None:
        for variable, value in store.environment(port).items():
            monkeypatch.setenv(variable, value)

    with stores.failing(store.port, _FAULTS, EVERY_FAULT) as proxy:
        tell_of(proxy.port)
        api.run(store.at(proxy.port, "first/spec.yaml"), store.at(proxy.port, "FAULTY"))
        tell_of(store.port)
    print(f"\n{proxy.requests} requests, {proxy.failures} failed")
    assert proxy.failures > 5
    check_same(stores.objects(store.uri("FAULTY")), corpus / "RUN")


@pytest.mark.usefixtures("uploaded")
def test_half_a_run_is_no_run_and_its_launcher_is_not_waited_for(store: Store, corpus: Path) -> None:
    run = RunDirectory.at(store.uri("HALF"))
    api.plan(store.uri("first/spec.yaml"), store.uri("HALF"))
    with pytest.raises(RunDirectoryError, match="not a finished run"):
        api.validate(run.uri)
    api.apply(run.uri)
    check_same(stores.objects(run.uri), corpus / "RUN")


def test_no_key_is_told(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", store.uri("no/spec.yaml"), "-o", store.uri("NOTHING")]) == 2
    said = capsys.readouterr()
    assert "no/spec.yaml" in said.err
    assert stores.KEY not in said.out + said.err
