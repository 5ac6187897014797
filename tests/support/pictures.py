"""Builds small pictures and sounds, each unlike the others and the same every time."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def picture(seed: int, width: int = 96, height: int = 64) -> Image.Image:
    """A picture of soft shapes in colour, with a little noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth, dtype=np.int16) + rng.integers(-4, 5, (height, width, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a file of a picture."""
    sink = io.BytesIO()
    image.save(sink, kind, **options)
    return sink.getvalue()


def write(path: Path, data: bytes) -> Path:
    """Writes a file, and the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def write_pictures(folder: Path, count: int, *, first: int = 0, labels: tuple[str, ...] = ("cat", "dog")) -> list[Path]:
    """Writes JPEGs into a folder a label: `cat/000.jpg`, `dog/001.jpg`, …"""
    numbers = range(first, first + count)
    names = [(number, f"{labels[number % len(labels)]}/{number:03d}.jpg") for number in numbers]
    return [write(folder / name, encoded(picture(number))) for number, name in names]


def heic() -> bytes:
    """`picture(1)` as HEIC, which the decoder that we use cannot write."""
    return base64.b64decode(_HEIC)


_HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9j"
    "AAAAAERAAAEAAQAAAAABegABAAAAAAAAATkAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA1mlw"
    "cnAAAAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AA"
    "AAMAkAAAAwAAAwAeoDCBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAA"
    "AABgAAAAQAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAAUFtZGF0AAABNSgBr1j5DV4WSyuvYzepLrikm+6U4489"
    "vzuO6K9d6DvoStFMBlB765CboIQ//+MeD8BxGQLce2s2/mhLVMKTbnat7aEj5PRpQhDFyW8DLPu367lfKUe+s02MsZ4jzuo9ylcR8GneA1rB"
    "XOZqUdnnJ+oD86AjglwbATj2CVITfRdrdt9W2XOKNwwLJW/cN9QBE3fv2maluwD8+yqW6VQiuwnFrJaaa6oWSiNCff/WniKbMkprjpEbz+iy"
    "J0nwB8mKb07pjAw0LkpHHnVzYgj2Z7GO+VTW7HDaQMaslK1fjnkAbsKgiQckiFblPxcnIyKVLOmqyf/uZSKYwUIeZAups0mwT8aLCRIcacyQ"
    "6AIg0+lgBUfOusz84udnqgFni0INdFndmIrwBoOk8CKuJPQbXghUt1m22A=="
)
