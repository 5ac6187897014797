"""Listing: URIs that keep all their parts, secrets that are refused, globs as people expect them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from pipelines.sources import filesystems, uris
from pipelines.sources.fragments import SourceRequest, take_inventory
from pipelines.sources.listing import list_source, takes
from pipelines.sources.reading import read_fragment
from splitting.errors import DataError, SpecError

ROWS = pa.table({"a": [1, 2, 3]})


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for every object store; a URI is found only with all its parts."""

    def from_uri(uri: str) -> tuple[fs.FileSystem, str]:
        assert " " not in uri
        assert "[" not in uri
        stem, _, query = uri.partition("?")
        scheme, _, rest = stem.partition("://")
        authority, _, path = rest.partition("/")
        inner = unquote(path)
        if scheme == "abfs":
            container, _, host = authority.partition("@")
            assert host == "account.dfs.core.windows.net"
            inner = f"{container}/{inner}"
        elif scheme == "s3":
            assert query == "endpoint_override=http://127.0.0.1:9000&region=eu-north-1"
            inner = f"{authority}/{inner}"
        else:
            assert authority == "host:9000"
        return fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), inner.strip("/")

    monkeypatch.setattr(filesystems, "_resolve", from_uri)
    return tmp_path


QUERY = "?endpoint_override=http://127.0.0.1:9000&region=eu-north-1"


@pytest.mark.parametrize(
    ("start", "query", "folder"),
    [
        ("abfs://box@account.dfs.core.windows.net", "", "box"),
        ("s3://bucket", QUERY, "bucket"),
        ("hdfs://host:9000", "", ""),
    ],
)
@pytest.mark.parametrize("path", ["/data", "/data/*.parquet", "/data/a b[1] 100%.parquet", "/d*/**"])
def test_files_are_read_by_the_uri_that_is_stored(store: Path, start: str, query: str, folder: str, path: str) -> None:
    (store / folder / "data").mkdir(parents=True)
    pq.write_table(ROWS, store / folder / "data" / "a b[1] 100%.parquet")
    found = take_inventory([SourceRequest("s", (start + path + query,))])
    (file,) = found.files
    assert file.uri == f"{start}/data/a%20b%5B1%5D%20100%25.parquet{query}"
    assert file.file == f"{start}/data/a b[1] 100%.parquet"
    assert [c.table for f in found.fragments for c in read_fragment(f, found.schema)] == [ROWS]


def test_paths_are_relative_to_a_base_with_a_query(store: Path) -> None:
    (store / "bucket" / "in").mkdir(parents=True)
    pq.write_table(ROWS, store / "bucket" / "in" / "x.parquet")
    for path in ("in/x.parquet", "in", "*/x.*", "**"):
        (file,) = list_source("s", (path,), "s3://bucket" + QUERY)
        assert file.uri == f"s3://bucket/in/x.parquet{QUERY}"


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/data?access_key=HIDDEN&secret_key=HIDDEN",
        "s3://bucket/*.parquet?region=x&secret_key=HIDDEN",
        "s3://AKIA:HIDDEN@bucket/data",
        "s3://bucket/data?endpoint_override=http%3A%2F%2Fme%3AHIDDEN%40host",
        "abfs://account:HIDDEN@box/data",
        "abfs://box@account.dfs.core.windows.net/d?client_secret=HIDDEN",
    ],
)
def test_secrets_in_uris_are_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(SpecError, match="AWS_ACCESS_KEY_ID") as told:
        list_source("s", (uri,), None)
    assert "HIDDEN" not in str(told.value)
    assert told.value.__cause__ is None


def test_uris_without_secrets_are_not_refused() -> None:
    for uri in (
        "gs://anonymous@bucket/x",
        "abfs://box@account.dfs.core.windows.net/x",
        "hdfs://h:9000/x",
        "s3://b" + QUERY,
    ):
        uris.refuse_secrets(uri)


def names(folder: Path, *paths: str) -> list[str]:
    return [file.file for file in list_source("s", paths, str(folder))]


@pytest.fixture(params=["plain", "ba[se] *"])
def tree(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    root = tmp_path / request.param
    for name in (
        "top.csv",
        "notes.txt",
        "README.md",
        "web-1/a.csv",
        "web-1/deep/b.csv",
        "web-2/c.csv",
        "web-2/README.md",
        "app/d.csv",
        "app/_hidden/e.csv",
        "x.parquet/part-0.csv",
        "odd[1]/f.csv",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("a\n1\n")
    return root


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("web-*", ["web-1/a.csv", "web-1/deep/b.csv", "web-2/c.csv"]),
        ("web-*/", ["web-1/a.csv", "web-1/deep/b.csv", "web-2/c.csv"]),
        ("./web-*/*.csv", ["web-1/a.csv", "web-2/c.csv"]),
        ("web-?/**/*.csv", ["web-1/a.csv", "web-1/deep/b.csv", "web-2/c.csv"]),
        ("web-1/**", ["web-1/a.csv", "web-1/deep/b.csv"]),
        ("**/deep/*.csv", ["web-1/deep/b.csv"]),
        ("**/deep", ["web-1/deep/b.csv"]),
        ("*.csv", ["top.csv"]),
        ("*.parquet", ["x.parquet/part-0.csv"]),
        ("*.txt", ["notes.txt"]),
        ("odd[1]", ["odd[1]/f.csv"]),
        ("odd[1]/*.csv", ["odd[1]/f.csv"]),
        ("app/*", ["app/d.csv"]),
        ("[wx]*-2/*", ["web-2/c.csv"]),
        ("odd[[]1[]]/*", ["odd[1]/f.csv"]),
    ],
)
def test_globs_find_what_a_person_expects(tree: Path, glob: str, expected: list[str]) -> None:
    assert names(tree, glob) == expected
    absolute = [file.uri for file in list_source("s", (f"{tree}/{glob}",), None)]
    assert absolute == [f"{tree}/{name}" for name in expected]
    assert [file.uri for file in list_source("s", (f"file://{tree}/{glob}",), None)] == absolute


def test_two_stars_find_all_data(tree: Path) -> None:
    assert names(tree, "**") == names(tree, ".")
    assert names(tree, "**/*.csv", "*.csv") == names(tree, ".")


def test_a_glob_that_matches_nothing_is_told(tree: Path) -> None:
    with pytest.raises(DataError, match=r"no file at nowhere-\*"):
        names(tree, "nowhere-*")


def test_a_folder_of_documents_alone_tells_how_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/rows.txt").write_text("id\n1\n")
    with pytest.raises(DataError, match=r"no file at app .*in a folder documents such as \.md and \.txt; .* \*\.txt"):
        list_source("app", ["app"], str(tmp_path))
    assert [file.file for file in list_source("app", ["app/*.txt"], str(tmp_path))] == ["app/rows.txt"]


@pytest.mark.parametrize(
    ("path", "inner", "taken"),
    [
        ("data", "data/run/data/a.parquet", True),
        ("data", "data2/a.parquet", False),
        ("data", "data/_run/a.parquet", False),
        ("data", "data/notes.md", False),
        ("data/*", "data/run/data/a.parquet", True),
        ("data/*.csv", "data/run/data/a.parquet", False),
        ("data/**/*.parquet", "data/run/data/a.parquet", True),
        ("**", "runs/1/a.parquet", True),
        ("data/a.parquet", "data/a.parquet", True),
        ("data/a.parquet", "data/b.parquet", False),
    ],
)
def test_what_would_be_listed_is_known_before_it_is_there(tmp_path: Path, path: str, inner: str, taken: bool) -> None:
    (tmp_path / "data").mkdir()
    assert takes(path, str(tmp_path), str(tmp_path / inner)) == taken
    (tmp_path / inner).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / inner).write_text("x")
    try:
        listed = [file.uri for file in list_source("s", (path,), str(tmp_path))]
    except DataError:
        listed = []
    assert (str(tmp_path / inner) in listed) == taken


@pytest.mark.parametrize(("one", "other"), [("web", "app"), ("web", "web/rows.csv"), ("web", "linked")])
def test_no_file_is_read_twice(tmp_path: Path, one: str, other: str) -> None:
    for name in ("web", "app"):
        (tmp_path / name).mkdir()
    (tmp_path / "web" / "rows.csv").write_text("id\n1\n")
    (tmp_path / "app" / "own.csv").write_text("id\n2\n")
    (tmp_path / "app" / "web.csv").symlink_to(tmp_path / "web" / "rows.csv")
    (tmp_path / "linked").symlink_to(tmp_path / "web")
    requests = [SourceRequest(name, (path,)) for name, path in (("first", one), ("second", other))]
    with pytest.raises(DataError, match=r"\(source 'second'\) and web/rows\.csv \(source 'first'\) are the same file"):
        take_inventory(requests, str(tmp_path))


def test_no_file_of_one_source_is_read_twice(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id\n1\n")
    (tmp_path / "latest.csv").symlink_to("rows.csv")
    with pytest.raises(DataError, match=r"no row may be read twice"):
        take_inventory([SourceRequest("s", (".",))], str(tmp_path))
    assert len(take_inventory([SourceRequest("s", ("rows.csv", "rows.*"))], str(tmp_path)).files) == 1
