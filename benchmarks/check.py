"""Check what a run wrote, whoever wrote it: sizes, target, groups, rows. Holds no split in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

EVALUATION = ("train_dev", "dev", "test")
SPLITS = ("train", *EVALUATION)


@dataclass(frozen=True)
class Findings:
    """What a run's output holds.

    Attributes:
        rows: the rows of each split.
        outside_target: rows of dev and test that are not of the app.
        shared_groups: users found in more than one split.
        unaccounted: rows of the input that the output does not hold.
        digest: what two runs share only if every split holds the same keys (up to a collision of 64 bits).
    """

    rows: dict[str, int]
    outside_target: int
    shared_groups: int
    unaccounted: int
    digest: str


def one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    """Runs a query that answers with one row."""
    row = connection.execute(query).fetchone()
    if row is None:
        raise RuntimeError(f"no answer to: {query}")
    return row


def check(out: Path, split_glob: str, extra_globs: tuple[str, ...], data: Path, scratch: Path) -> Findings:
    """Looks through one run's output.

    Args:
        out: the folder it wrote.
        split_glob: where a split's files lie in it, with `{split}` in place of the name.
        extra_globs: files that hold rows set aside on purpose.
        data: the input, with its folders `web` and `app`.
        scratch: a folder for the query engine's spills.

    Returns:
        The findings.

    Raises:
        FileNotFoundError: if a split has no file.
    """
    connection = duckdb.connect(config={"memory_limit": "6GB", "temp_directory": str(scratch)})
    connection.execute("SET enable_progress_bar = false")
    for split in SPLITS:
        pattern = split_glob.format(split=split)
        if not any(out.glob(pattern)):
            raise FileNotFoundError(f"no file {pattern} in {out}, where the split {split} was expected")
        connection.execute(f"CREATE VIEW {split} AS SELECT image_id, user_id FROM read_parquet('{out / pattern}')")
    digest = "SELECT count(*), coalesce(bit_xor(hash(image_id)), 0) FROM"
    digests = {split: one(connection, f"{digest} {split}") for split in SPLITS}
    not_app = f"ANTI JOIN read_parquet('{data}/app/*.parquet') AS app USING (image_id)"
    outside = sum(one(connection, f"SELECT count(*) FROM {split} {not_app}")[0] for split in ("dev", "test"))
    connection.execute(
        "CREATE TEMP TABLE drawn AS SELECT user_id, count(*) AS splits FROM ("
        + " UNION ALL ".join(f"SELECT DISTINCT user_id FROM {split}" for split in EVALUATION)
        + ") GROUP BY user_id"
    )
    (shared,) = one(
        connection,
        "SELECT count(*) FROM drawn WHERE splits > 1 "
        "OR user_id IN (SELECT user_id FROM train SEMI JOIN drawn USING (user_id))",
    )
    (read,) = one(connection, f"SELECT count(*) FROM read_parquet('{data}/*/*.parquet')")
    aside = sum(
        one(connection, f"SELECT count(*) FROM read_parquet('{out / pattern}', union_by_name = true)")[0]
        for pattern in extra_globs
        if any(out.glob(pattern))
    )
    connection.close()
    rows = {split: found[0] for split, found in digests.items()}
    return Findings(rows, outside, shared, read - sum(rows.values()) - aside, repr(digests))
