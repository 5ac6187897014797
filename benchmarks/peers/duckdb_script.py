"""The simplest script with DuckDB: hash the user, name the split, and COPY partitioned by it."""

import sys
from pathlib import Path

import duckdb

EVALUATION_ROWS = 2500

data, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
web, app = (f"read_parquet('{data}/{source}/*.parquet')" for source in ("web", "app"))

connection = duckdb.connect()
counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in (web, app)]
web_rows, app_rows = counts

span = 2**64 - 1
test_below = int(span * EVALUATION_ROWS / app_rows)
dev_below = 2 * test_below
train_dev_below = dev_below + int(span * EVALUATION_ROWS / (web_rows + app_rows))

connection.execute(f"""
    COPY (
        SELECT *, CASE
            WHEN hash(user_id) < {test_below} THEN 'test'
            WHEN hash(user_id) < {dev_below} THEN 'dev'
            WHEN hash(user_id) < {train_dev_below} THEN 'train_dev'
            ELSE 'train' END AS split
        FROM (FROM {app} UNION ALL FROM {web} WHERE hash(user_id) >= {dev_below})
    ) TO '{out}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (split), OVERWRITE_OR_IGNORE)
""")
