"""Embeddings of images: by a user's function, or by an ONNX file."""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ingest.extras import load
from pipelines.sources.filesystems import Location, first_line, locate, read_bytes
from splitting.errors import DataError, SpecError

if TYPE_CHECKING:
    from PIL.Image import Image

EMBEDDING = pa.field("embedding", pa.list_(pa.float32()))
ALLOWED = "TARGETSPLIT_FUNCTIONS"
"""The environment variable that names the modules whose functions a spec may call: `a,b.c`, or `*`."""
AT_ONCE = 64
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as models of images expect
Arrays: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]
Vectors: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Embedding:
    """What makes vectors of images.

    Attributes:
        function: `module:function`; None for a model.
        onnx: URI of an ONNX file; None for a function.
        size: images are brought to a square of so many pixels: the shorter side scaled to it, the middle cut out.
        digest: of the ONNX file.
    """

    function: str | None
    onnx: str | None
    size: int
    digest: str = ""

    def fingerprint(self) -> str:
        """What tells whether a vector that was made before still counts; a changed function does not change it."""
        return f"{self.function or self.digest} {self.size}"

    def array(self, image: Image) -> Arrays:
        """An image as models see it: uint8, `size` by `size` by 3.

        Args:
            image: RGB, turned.
        """
        from PIL import Image as Images  # noqa: PLC0415, an extra
        from PIL import ImageOps  # noqa: PLC0415

        fitted = ImageOps.fit(image, (self.size, self.size), Images.Resampling.BILINEAR)
        return np.asarray(fitted, dtype=np.uint8)

    def vectors(self, arrays: list[Arrays]) -> Vectors:
        """The vectors of some images.

        Args:
            arrays: at least one.

        Returns:
            Float32, a row an image.

        Raises:
            DataError: the function or the model fails, or gives something else than a vector of numbers for each.
        """
        batch = np.stack(arrays)
        name = self.function or str(self.onnx)
        call = _function(self.function) if self.function is not None else _model(str(self.onnx))
        try:
            given = np.asarray(call(batch))
        except (Exception, SystemExit) as error:
            told = f"{type(error).__name__}: {first_line(error)}"
            raise DataError(f"images.embedding: {name} fails on an array of shape {batch.shape}: {told}") from error
        if given.dtype.kind not in "biuf":
            raise DataError(f"images.embedding: {name} gave an array of {given.dtype}, expected real numbers")
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and told below
            found = given.astype(np.float32)
        if found.ndim != 2 or len(found) != len(batch) or not found.shape[1] or not np.isfinite(found).all():
            raise DataError(
                f"images.embedding: {name} gave an array of shape {found.shape} for {len(batch)} images, expected "
                "finite numbers, a row an image"
            )
        return found


def check_lengths(lengths: Collection[int]) -> None:
    """Makes sure that vectors have one length.

    Raises:
        DataError: they have several.
    """
    if len(found := sorted(set(lengths))) > 1:
        told = ", ".join(map(str, found[:5]))
        raise DataError(
            f"images.embedding gives vectors of different lengths ({told} numbers), expected one; if its function was "
            "changed since the images were measured, give it another name, which measures them anew"
        )


def vector_lengths(table: Location) -> set[int]:
    """The lengths of the vectors of an ingested table, from its footer alone; those of a row group are of one."""
    meta = pq.read_metadata(table.path, filesystem=table.filesystem)
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    columns = [(group.num_rows, group.column(i)) for group in groups for i in range(group.num_columns)]
    ours = [(rows, one) for rows, one in columns if one.path_in_schema.partition(".")[0] == EMBEDDING.name]
    return {one.num_values // rows for rows, one in ours if rows}


def make_embedding(function: str | None, onnx: str | None, size: int, root: str) -> Embedding:
    """Makes sure that an embedding can be made.

    Args:
        function: `module:function`, or None.
        onnx: path of an ONNX file, or None.
        size: see there.
        root: the folder that a relative path is against.

    Raises:
        SpecError: the function may not be called or is not there, or the model cannot be loaded.
        DataError: the model cannot be read.
    """
    if function is not None:
        module = function.partition(":")[0]
        allowed = {one.strip() for one in os.environ.get(ALLOWED, "").split(",")}
        if not allowed & {"*", module}:
            raise SpecError(
                f"got function {function}, and a spec runs no code unless its user says so; set the environment "
                f"variable {ALLOWED}={module}, for the launcher and its workers",
                "images.embedding",
            )
        _function(function)
        return Embedding(function, None, size)
    location = locate(str(onnx), root)
    digest = hashlib.sha256(read_bytes(location)).hexdigest()
    _model(location.uri)
    return Embedding(None, location.uri, size, digest)


@lru_cache(maxsize=4)
def _function(name: str) -> Callable[[Arrays], Any]:
    module, _, function = name.partition(":")
    with suppress(ImportError):
        pa.nulls(0).to_pandas()  # pyarrow remembers whether there is pandas, and may have looked while that was hidden
    try:
        found: Callable[[Arrays], Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        told = f"{name} cannot be imported ({first_line(error)}); put its module on the PYTHONPATH, of workers too"
        raise SpecError(told, "images.embedding") from error
    except (Exception, SystemExit) as error:
        told = f"{name} cannot be imported: its module fails with {type(error).__name__}: {first_line(error)}"
        raise SpecError(told, "images.embedding") from error
    if not callable(found):
        raise SpecError(f"{name} is {type(found).__name__}, expected a function", "images.embedding")
    return found


@lru_cache(maxsize=2)
def _model(uri: str) -> Callable[[Arrays], Any]:
    runtime = load("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # a worker has a core
    try:
        session = runtime.InferenceSession(read_bytes(locate(uri)), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise SpecError(
            f"{uri} is no ONNX model that can be loaded: {first_line(error)}", "images.embedding"
        ) from error
    given, wanted = session.get_inputs()[0], session.get_outputs()[0].name
    as_bytes, channels_first = given.type == "tensor(uint8)", len(given.shape) == 4 and given.shape[1] == 3

    def run(batch: Arrays) -> Any:
        values: Any = batch if as_bytes else ((batch / 255.0 - _MEAN) / _DEVIATION).astype(np.float32)
        values = values.transpose(0, 3, 1, 2) if channels_first else values
        found = session.run([wanted], {given.name: np.ascontiguousarray(values)})[0]
        return found.reshape(len(batch), -1)

    return run
