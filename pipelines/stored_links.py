"""Links as workers know them: by the run directory that holds them, read once a process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from pipelines.run_directory import RunDirectory
from splitting.errors import DataError
from splitting.linking.links import Links


@dataclass(frozen=True)
class StoredLinks:
    """Links that lie in a run directory. Workers read them from there, once a process: they can be too many to travel.

    Attributes:
        run: URI of the run directory.
        name: of the file in it.
        digest: of the table.
    """

    run: str
    name: str
    digest: str

    @property
    def links(self) -> Links:
        """The links, read where they were not yet."""
        return _stored(self.run, self.name, self.digest)

    def clusters_of(self, nodes: pl.Series) -> pl.Series:
        """The clusters of groups, as `Links.clusters_of`."""
        return self.links.clusters_of(nodes)


@lru_cache(maxsize=2)
def _stored(run: str, name: str, digest: str) -> Links:
    try:
        links = Links.of(RunDirectory(run).read_frame(name))
    except (pl.exceptions.PolarsError, OSError) as error:
        told = str(error).splitlines()[0][:200]
        raise DataError(f"{run}/{name} cannot be read: {told}; plan again") from error
    if links.digest() != digest:
        raise DataError(f"{run}/{name} is not the one that the plan was written with; plan again")
    return links
