"""Small pictures of a run's images, made once, when the run is judged, and kept with it: the report shows them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from pipelines.ingest.names import PATH
from pipelines.output.media.files import FileReader
from pipelines.report.pictures import Thumbnail
from pipelines.report.shift_rows import shift_row
from pipelines.run_directory import PROFILE, RunDirectory
from pipelines.thumbnail_choice import Choice, choose
from splitting.columns import pick
from splitting.errors import DataError, RunDirectoryError
from validation.profile.sample import SOURCE, Sample

if TYPE_CHECKING:
    from PIL.Image import Image

THUMBNAILS = f"{PROFILE}/thumbnails.parquet"
LONGEST_SIDE = 96
MOST_BYTES = 150_000
_QUALITIES = (78, 60, 42, 25)
_SCHEMA = pl.Schema(
    {
        "split": pl.String(),
        "place": pl.String(),
        "column": pl.String(),
        "value": pl.Float64(),
        "source": pl.String(),
        "path": pl.String(),
        "width": pl.Int64(),
        "height": pl.Int64(),
        "data": pl.Binary(),
    }
)

Decode = Callable[[bytes, int], "Image | None"]
"""Decodes an untrusted image, its longer side scaled down; None where it is not to be shown."""


def mismatch_columns(document: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The splits that differ by design, and the columns whose values carry that.

    Args:
        document: `validation.json`, parsed.

    Returns:
        The splits, and the columns beyond their thresholds, the heaviest first.
    """
    rows = [(shift_row(one), one["expected"]) for one in document["results"] if one["role"] == "mismatch"]
    splits = dict.fromkeys(name for _, told in rows for name in (told["reference"], told["observed"]))
    carrying = [row for row, _ in rows if row.tone == "warn" and not row.about]
    carrying.sort(key=lambda row: (-row.weight, row.name))
    return tuple(splits), tuple(dict.fromkeys(row.name for row in carrying))


def make_thumbnails(
    sample: Sample,
    splits: Sequence[str],
    document: Mapping[str, Any],
    files: FileReader,
    decode: Decode,
    label: str | None = None,
) -> tuple[Thumbnail, ...]:
    """Makes the pictures of a report.

    Args:
        sample: the keyed sample of the run.
        splits: all, in the order in which they are shown.
        document: `validation.json`, parsed.
        files: reads the images.
        decode: decodes them.
        label: the column of the label; None without one.

    Returns:
        JPEG files of 96 pixels at most, 150,000 bytes together at most; images that cannot be read any more, or not be
        decoded, are left out.
    """
    compared, columns = mismatch_columns(document)
    found = list(_opened(sample, choose(sample, splits, compared, columns, label), files, decode))
    for quality in _QUALITIES:
        packed = [replace(one, data=_jpeg(image, quality)) for one, image in found]
        if sum(len(one.data) for one in packed) <= MOST_BYTES:
            break
    kept: list[Thumbnail] = []
    for one in packed:
        if sum(len(other.data) for other in kept) + len(one.data) <= MOST_BYTES:
            kept.append(one)
    return tuple(kept)


def _opened(
    sample: Sample, choices: Sequence[Choice], files: FileReader, decode: Decode
) -> Iterator[tuple[Thumbnail, Image]]:
    """The chosen images with what is said of them; each is read once."""
    images: dict[int, Image | None] = {}
    for choice in choices:
        if choice.row not in images:
            images[choice.row] = _open(sample, choice.row, files, decode)
        image = images[choice.row]
        if image is None:
            continue
        row = sample.rows.row(choice.row, named=True)
        yield (
            Thumbnail(
                split=choice.split,
                place=choice.place,
                column=choice.column,
                value=float(row[choice.column]) if choice.column else None,
                source=sample.about[SOURCE][choice.row],
                path=row[PATH],
                width=image.width,
                height=image.height,
                data=b"",
            ),
            image,
        )


def _open(sample: Sample, row: int, files: FileReader, decode: Decode) -> Image | None:
    located = pick(sample.rows[[row]], files.location)
    source = sample.about[SOURCE].gather([row]).alias(files.source_column)
    table: pa.Table = located.with_columns(source).to_arrow(compat_level=pl.CompatLevel.oldest())
    try:
        (data,) = files.of_each(table, files.read)
    except DataError:
        return None
    return decode(data, LONGEST_SIDE)


def _jpeg(image: Image, quality: int) -> bytes:
    sink = io.BytesIO()
    image.save(sink, "JPEG", quality=quality, optimize=True)
    return sink.getvalue()


def write_thumbnails(run: RunDirectory, thumbnails: Sequence[Thumbnail]) -> None:
    """Keeps them with the run."""
    rows = [tuple(getattr(one, name) for name in _SCHEMA) for one in thumbnails]
    run.write_frame(THUMBNAILS, pl.DataFrame(rows, schema=_SCHEMA, orient="row"))


def read_thumbnails(run: RunDirectory) -> tuple[Thumbnail, ...]:
    """What `write_thumbnails` kept; empty where it kept none.

    Raises:
        RunDirectoryError: the file is not what was written.
    """
    if not run.has(THUMBNAILS):
        return ()
    try:
        frame = run.read_frame(THUMBNAILS)
        return tuple(Thumbnail(**row) for row in frame.select(list(_SCHEMA)).cast(_SCHEMA).iter_rows(named=True))
    except (pl.exceptions.PolarsError, pa.ArrowException, OSError, TypeError) as error:
        raise RunDirectoryError(
            f"{run.uri}/{THUMBNAILS} cannot be read; write the run again: targetsplit apply {run.uri} --overwrite"
        ) from error
