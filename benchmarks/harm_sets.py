"""The five labelled sets of more than one source: columns as a user has them, and features for the real models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy.io import wavfile
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from validation.settings import ColumnRoles


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """One set.

    Attributes:
        name: of it.
        frame: its rows, as a user would give them; the column `source` tells the source.
        roles: of its columns.
        features: Float64, rows by columns: what the real models see, made apart from targetsplit's own encoder.
    """

    name: str
    frame: pl.DataFrame
    roles: ColumnRoles
    features: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """Codes of the classes, one a row."""
        return np.unique(self.frame[self.roles.label].to_numpy(), return_inverse=True)[1]

    @property
    def sources(self) -> np.ndarray:
        """The source of every row."""
        return self.frame["source"].to_numpy()


def labelled_sets(folder: Path) -> Iterator[LabelledSet]:
    """The sets that lie in the folder, one after the other."""
    for read in (heart, wine, flights, sentences, digits):
        yield read(folder)


def heart(folder: Path) -> LabelledSet:
    """Four hospitals: whether a patient has heart disease."""
    frame = pl.read_csv(folder / "heart_4hospitals/heart.csv", infer_schema_length=None).drop("num")
    return LabelledSet("heart", frame, ColumnRoles(key=("row_id",), label="label"), _numbers(frame, "row_id", "label"))


def wine(folder: Path) -> LabelledSet:
    """White and red wine: whether it is good. Rows that are there twice are taken once."""
    frame = pl.read_csv(folder / "wine_red_white/wine.csv", infer_schema_length=None)
    values = [name for name in frame.columns if name != "row_id"]
    frame = frame.unique(values, keep="first", maintain_order=True).drop("quality")
    return LabelledSet("wine", frame, ColumnRoles(key=("row_id",), label="good"), _numbers(frame, "row_id", "good"))


def flights(folder: Path) -> LabelledSet:
    """Three airports: whether a flight is late, from what is known before it departs."""
    known = [
        "row_id",
        "source",
        "month",
        "day",
        "sched_dep_time",
        "sched_arr_time",
        "distance",
        "hour",
        "carrier",
        "late",
    ]
    frame = pl.read_csv(folder / "nycflights_3airports/flights.csv", infer_schema_length=None).select(known)
    coded = frame.with_columns(pl.col("carrier").rank("dense"))
    return LabelledSet("flights", frame, ColumnRoles(key=("row_id",), label="late"), _numbers(coded, "row_id", "late"))


def sentences(folder: Path) -> LabelledSet:
    """Three web sites: whether a sentence is kind."""
    frame = pl.read_csv(folder / "sentences_3sites/sentences.csv", infer_schema_length=None)
    words = TfidfVectorizer(min_df=2, sublinear_tf=True).fit_transform(frame["text"].to_list())
    axes = TruncatedSVD(100, random_state=0).fit_transform(words)
    return LabelledSet("sentences", frame, ColumnRoles(key=("row_id",), label="label"), axes)


def digits(folder: Path) -> LabelledSet:
    """Seven speakers or crowds: which digit is said, from the energy in 16 bands and 5 stretches of time."""
    root = folder / "spoken_digits"
    manifest = pl.read_csv(root / "manifest.csv", infer_schema_length=None).select("file", "source", "label")
    bands = np.array([spectrum(root / file) for file in manifest["file"]])
    frame = manifest.with_columns(pl.Series("spectrum", bands.tolist(), dtype=pl.List(pl.Float64)))
    return LabelledSet("digits", frame, ColumnRoles(key=("file",), label="label"), bands)


def spectrum(path: Path) -> np.ndarray:
    """Log energies: 5 stretches of time by 16 bands up to 4 kHz, of a recording of 8 or 16 kHz."""
    rate, sound = wavfile.read(path)
    sound = (sound[:, 0] if sound.ndim > 1 else sound).astype(float) / 32768
    sound = sound[:: rate // 8_000]
    window, step = 200, 80
    count = max(8, (len(sound) - window) // step)
    sound = np.pad(sound, (0, max(0, (count - 1) * step + window - len(sound))))
    frames = np.stack([sound[at * step : at * step + window] for at in range(count)])
    power = np.log(np.abs(np.fft.rfft(frames * np.hanning(window), 256)) ** 2 + 1e-6)[:, :128]
    in_bands = power.reshape(count, 16, 8).mean(axis=2)
    return np.concatenate([stretch.mean(axis=0) for stretch in np.array_split(in_bands, 5)])


def _numbers(frame: pl.DataFrame, key: str, label: str) -> np.ndarray:
    """All other columns as Float64, gaps as NaN."""
    return frame.drop(key, label, "source").cast(pl.Float64).to_numpy()
