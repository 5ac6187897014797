"""Places in S3: pyarrow's own, of one client a bucket."""

from __future__ import annotations

import pytest
from pyarrow import fs

from pipelines.sources.filesystems import locate
from pipelines.sources.uris import normalize
from tests.support.object_store import environment


@pytest.fixture(autouse=True)
def nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(9).items():
        monkeypatch.setenv(name, value)


PATHS = [
    "",
    "/",
    "/a",
    "/a/",
    "/a//b",
    "//a",
    "/a%20b/c",
    "/a b/c",
    "/100%",
    "/%25x",
    "/a%2Fb",
    "/a%3Fb%23c",
    "/a+b;c=d:e",
    "/å/日本",
    "/part-?.parquet",
    "/x?region=eu-north-1",
    "/a/?region=eu-north-1&scheme=http",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_what_pyarrow_makes_of_it(path: str) -> None:
    assert locate(f"s3://bucket{path}").path == fs.FileSystem.from_uri(normalize(f"s3://bucket{path}"))[1]


def test_a_bucket_has_one_client_until_the_environment_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = locate("s3://bucket/a").filesystem, locate("s3://bucket/b/c").filesystem
    assert one is other
    assert locate("s3://bucket/a?region=eu-north-1").filesystem.region == "eu-north-1"
    assert one.region == "us-east-1"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:10")
    assert locate("s3://bucket/a").filesystem != one
