"""The simplest script with Spark: `randomSplit`, which knows neither users nor exact sizes. Needs Java."""

import shutil
import sys
from pathlib import Path

if shutil.which("java") is None:
    print("skipped: Spark needs Java, and there is no `java` on the PATH")
    sys.exit(77)

from pyspark.sql import SparkSession
from pyspark.sql.functions import lit

EVALUATION_ROWS = 2500

data, out = Path(sys.argv[1]), Path(sys.argv[2])
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "localhost")
    .config("spark.driver.bindAddress", "localhost")
    .config("spark.driver.memory", "4g")
    .config("spark.sql.parquet.compression.codec", "zstd")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")

web = spark.read.parquet(str(data / "web")).withColumn("source", lit("web"))
app = spark.read.parquet(str(data / "app")).withColumn("source", lit("app"))

share = EVALUATION_ROWS / app.count()
test, dev, app_rest = app.randomSplit([share, share, 1 - 2 * share], seed=2026)
both = web.unionByName(app_rest)
share = EVALUATION_ROWS / both.count()
train_dev, train = both.randomSplit([share, 1 - share], seed=2026)

for split, frame in {"train": train, "train_dev": train_dev, "dev": dev, "test": test}.items():
    frame.write.mode("overwrite").parquet(str(out / split))
spark.stop()
