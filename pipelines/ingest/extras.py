"""Libraries that come with an extra: imported when they are needed, and missed with one clear message."""

from __future__ import annotations

import importlib
from types import ModuleType

from splitting.errors import SpecError

_OF = {"PIL.Image": "images", "imagehash": "images", "xxhash": "images", "soundfile": "audio", "onnxruntime": "onnx"}
NEEDED = {"images": ("PIL.Image", "imagehash", "xxhash"), "audio": ("soundfile",)}


def load(name: str) -> ModuleType:
    """Imports a library of an extra.

    Args:
        name: of the module, as in `soundfile`.

    Raises:
        SpecError: it is not installed, or cannot be loaded; names the extra.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        extra = _OF[name]
        what = "images.embedding: onnx" if extra == "onnx" else f"format: {extra}"
        raise SpecError(
            f"{what} needs the library {name.partition('.')[0]}, which cannot be loaded ({error}); install it with: "
            f"pip install 'targetsplit[{extra}]'"
        ) from error


def check_extra(kind: str) -> None:
    """Makes sure that what a kind of source needs is installed.

    Args:
        kind: `images` or `audio`.

    Raises:
        SpecError: it is not; names the extra.
    """
    for name in NEEDED[kind]:
        load(name)
