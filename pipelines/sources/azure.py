"""Keys of Azure storage accounts, by the variables that other readers of Azure know too."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pyarrow import fs

SCHEMES = ("abfs", "abfss")
_KEYS = ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY")
_TOKENS = ("AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY")


def with_account_key(found: fs.AzureFileSystem, environment: Mapping[str, str] = os.environ) -> fs.AzureFileSystem:
    """A file system that signs with what the environment holds.

    pyarrow knows the identities of Azure's own chain (a principal, a workload, the machine, the command line), but
    reads no key of an account from the environment; polars, and much else that reads Azure, does.

    Args:
        found: what pyarrow made of a URI, which names the account and the server and holds no secret.
        environment: variables; the first of `AZURE_STORAGE_ACCOUNT_KEY`, `AZURE_STORAGE_ACCESS_KEY` and
            `AZURE_STORAGE_SAS_TOKEN`, `AZURE_STORAGE_SAS_KEY` that is there counts.

    Returns:
        One that signs with the key or the token; the same one where there is neither.
    """
    key, token = _first(environment, _KEYS), _first(environment, _TOKENS)
    if not key and not token:
        return found
    _, (settings,) = found.__reduce__()
    secret = {"account_key": key} if key else {"sas_token": token}
    kept = {name: value for name, value in settings.items() if value}
    return fs.AzureFileSystem(**{**kept, **secret})


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((environment[name] for name in names if environment.get(name)), "")
