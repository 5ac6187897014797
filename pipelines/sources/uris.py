"""URIs of object stores and clusters: their parts, what lies under them, and what must not stand in them."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from splitting.errors import SpecError

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://")
_QUERY = re.compile(r"\?[A-Za-z_][A-Za-z0-9_.-]*=")
_PASSWORD = re.compile(r"//[^/@?&\s]*:[^/@?&\s]*@")
_SECRET = re.compile(r"access_?key.*|.*secret.*|.*password.*|.*token|sig|signature|sas|.*_key|key", re.IGNORECASE)
_LEGAL = "/!$&'()*+,;=:@-._~"
_CHAIN = (
    "give them by the environment instead: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE for s3://, "
    "GOOGLE_APPLICATION_CREDENTIALS for gs://, AZURE_STORAGE_ACCOUNT_KEY or AZURE_CLIENT_ID and its like for abfs://, "
    "kinit for hdfs://, or the role of the machine"
)


def scheme_of(path: str) -> str | None:
    """The scheme of a path, as in `s3`; None for a local path."""
    found = _SCHEME.match(path)
    return found[1] if found else None


def is_uri(path: str) -> bool:
    """Whether a path names its file system."""
    return scheme_of(path) is not None


def split_query(uri: str) -> tuple[str, str]:
    """A URI without its query, and the query with its `?`.

    A `?` that begins no `name=value` is part of the path, as in `s3://bucket/part-?.parquet`.

    Examples:
        >>> split_query("s3://bucket/data?region=eu-north-1")
        ('s3://bucket/data', '?region=eu-north-1')
    """
    found = _QUERY.search(uri) if is_uri(uri) else None
    return (uri[: found.start()], uri[found.start() :]) if found else (uri, "")


def split_root(stem: str) -> tuple[str, str]:
    """A URI without query as its scheme and authority, and the path after them, without the slash between."""
    scheme, _, rest = stem.partition("://")
    authority, _, path = rest.partition("/")
    return f"{scheme}://{authority}", path


def normalize(uri: str) -> str:
    """The URI with every character escaped that may not stand in one: people write object names as they see them."""
    stem, query = split_query(uri)
    root, path = split_root(stem)
    escaped = quote(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", path), safe=_LEGAL + "%")
    return (f"{root}/{escaped}" if escaped or stem != root else root) + query


def join(folder: str, name: str) -> str:
    """The URI or path of what lies in a folder; a query stays at the end.

    Args:
        folder: URI or local path.
        name: of a file or folder in it, as the file system lists it; may have slashes.

    Examples:
        >>> join("s3://bucket/run?region=eu-north-1", "plan/plan 1.json")
        's3://bucket/run/plan/plan%201.json?region=eu-north-1'
        >>> join("/data/run", "plan/plan 1.json")
        '/data/run/plan/plan 1.json'
    """
    if not name:
        return folder
    if not is_uri(folder):
        return f"{folder.rstrip('/')}/{name}"
    stem, query = split_query(folder)
    return f"{stem.rstrip('/')}/{quote(name, safe=_LEGAL)}{query}"


def shown(uri: str) -> str:
    """A URI as people know it: no query, nothing escaped."""
    return unquote(split_query(uri)[0]) if is_uri(uri) else uri


def refuse_secrets(uri: str) -> None:
    """Makes sure that no key and no password stands in a URI: it is stored in plans, and told in messages.

    Raises:
        SpecError: one does; the message does not repeat it.
    """
    stem, query = split_query(uri)
    names = [part.partition("=")[0] for part in query[1:].split("&")] if query else []
    found = [unquote(name) for name in names if _SECRET.fullmatch(unquote(name))]
    if not found and not _PASSWORD.search(unquote(uri)):
        return
    scheme, _, rest = stem.partition("://")
    authority, slash, path = rest.partition("/")
    plain = f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
    what = f"{', '.join(found)} in its query" if found else "a password"
    raise SpecError(
        f"{plain}: the URI holds {what}; URIs are stored with the run, so secrets do not belong in them: {_CHAIN}"
    )
