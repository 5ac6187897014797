"""Keys of Azure accounts: from the environment to the file system that signs with them, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from pyarrow import fs

from pipelines.sources.azure import with_account_key
from pipelines.sources.filesystems import locate

URI = "abfs://account@127.0.0.1:10000/container/data?enable_tls=false"
KEY = "c2VjcmV0"


def settings(filesystem: fs.FileSystem) -> dict[str, Any]:
    """What a file system was made from."""
    found: dict[str, Any] = filesystem.__reduce__()[1][0]
    return found


@pytest.mark.parametrize(
    ("environment", "key", "token"),
    [
        ({}, "", ""),
        ({"AZURE_STORAGE_ACCOUNT_KEY": KEY}, KEY, ""),
        ({"AZURE_STORAGE_ACCESS_KEY": KEY}, KEY, ""),
        ({"AZURE_STORAGE_SAS_TOKEN": "sv=1&sig=2"}, "", "sv=1&sig=2"),
        ({"AZURE_STORAGE_ACCOUNT_KEY": "", "AZURE_STORAGE_SAS_KEY": "sv=1&sig=2"}, "", "sv=1&sig=2"),
        ({"AZURE_STORAGE_ACCOUNT_KEY": KEY, "AZURE_STORAGE_SAS_TOKEN": "sv=1&sig=2"}, KEY, ""),
    ],
)
def test_the_first_that_is_there_counts(environment: dict[str, str], key: str, token: str) -> None:
    plain, _ = fs.FileSystem.from_uri(URI)
    found = settings(with_account_key(plain, environment))
    assert (found["account_key"], found["sas_token"]) == (key, token)
    server = {name: value for name, value in found.items() if name not in {"account_key", "sas_token"}}
    assert server == {name: settings(plain)[name] for name in server}


def test_the_key_is_in_no_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    place = locate(URI)
    assert settings(place.filesystem)["account_key"] == KEY
    assert (place.uri, place.path) == (URI, "container/data")
