"""How many copies of real photographs are linked, by what was done to them, and how many links are wrong.

    .venv/bin/python benchmarks/duplicates.py FOLDER...

Every image under the folders is copied in each of the ways below, all are measured as an ingest measures them, and the
default link of images (perceptual hash within 4 bits, difference hash within 10) is asked of every copy and its
original, and of every two images. Prints a table in Markdown.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from pipelines.ingest.images import measure_image
from pipelines.ingest.rejects import Limits

Change = Callable[[Image.Image], bytes]
DISTANCE, VERIFY = 4, 10
COPIES = "| copy | linked | bits apart: median, 90 % | at most 2 | 6 | 8 |\n|---|---|---|---|---|---|"
LINKS = "| distance | links of two images | wrong | without the second hash | wrong |\n|---|---|---|---|---|"
ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


def saved(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    sink = io.BytesIO()
    image.save(sink, kind, **({"quality": 90} | options if kind != "PNG" else options))
    return sink.getvalue()


def scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize(
        (max(8, round(image.width * factor)), max(8, round(image.height * factor))), Image.Resampling.LANCZOS
    )


def cropped(image: Image.Image, share: float) -> Image.Image:
    x, y = round(image.width * share / 2), round(image.height * share / 2)
    return image.crop((x, y, image.width - x, image.height - y))


def gamma(image: Image.Image, power: float) -> Image.Image:
    return image.point([round(255 * (i / 255) ** power) for i in range(256)] * 3)


def noisy(image: Image.Image, sigma: float) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, sigma, (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def marked(image: Image.Image, share: float) -> Image.Image:
    """A half transparent white text over so much of the width, at the lower right."""
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    width = max(8, round(image.width * share))
    text = Image.new("L", (64, 12), 0)
    ImageDraw.Draw(text).text((1, 0), "(c) example", fill=160)
    text = text.resize((width, max(2, width * 12 // 64)))
    layer.paste((255, 255, 255, 160), (image.width - text.width, image.height - text.height), text)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


CHANGES: dict[str, Change] = {
    "the same pixels, as PNG": lambda i: saved(i, "PNG"),
    "JPEG, quality 90": saved,
    "JPEG, quality 50": lambda i: saved(i, quality=50),
    "JPEG, quality 20": lambda i: saved(i, quality=20),
    "WebP, quality 80": lambda i: saved(i, "WEBP", quality=80),
    "resized to 75 %": lambda i: saved(scaled(i, 0.75)),
    "resized to 50 %": lambda i: saved(scaled(i, 0.5)),
    "resized to 25 %": lambda i: saved(scaled(i, 0.25)),
    "resized to 200 %": lambda i: saved(scaled(i, 2)),
    "squeezed by 5 % in width": lambda i: saved(i.resize((round(i.width * 0.95), i.height))),
    "cropped by 1 %": lambda i: saved(cropped(i, 0.01)),
    "cropped by 2 %": lambda i: saved(cropped(i, 0.02)),
    "cropped by 5 %": lambda i: saved(cropped(i, 0.05)),
    "cropped by 10 %": lambda i: saved(cropped(i, 0.10)),
    "brightened by 10 %": lambda i: saved(ImageEnhance.Brightness(i).enhance(1.1)),
    "brightened by 30 %": lambda i: saved(ImageEnhance.Brightness(i).enhance(1.3)),
    "darkened by 30 %": lambda i: saved(ImageEnhance.Brightness(i).enhance(0.7)),
    "more contrast, 20 %": lambda i: saved(ImageEnhance.Contrast(i).enhance(1.2)),
    "gamma 1.3": lambda i: saved(gamma(i, 1.3)),
    "in grey": lambda i: saved(ImageOps.grayscale(i).convert("RGB")),
    "blurred, radius 1": lambda i: saved(i.filter(ImageFilter.GaussianBlur(1))),
    "sharpened": lambda i: saved(i.filter(ImageFilter.SHARPEN)),
    "noise of 8 grey levels": lambda i: saved(noisy(i, 8)),
    "watermark, a third of the width": lambda i: saved(marked(i, 1 / 3)),
    "watermark, all of the width": lambda i: saved(marked(i, 1)),
    "turned by 1 degree": lambda i: saved(i.rotate(1, Image.Resampling.BICUBIC, fillcolor=(128, 128, 128))),
    "mirrored": lambda i: saved(ImageOps.mirror(i)),
}


def images(folders: list[str]) -> Iterator[Image.Image]:
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix.lower() in ENDINGS:
                yield ImageOps.exif_transpose(Image.open(path)).convert("RGB")


def hashes(data: bytes) -> tuple[int, int] | None:
    found = measure_image(data, "copy", Limits())
    seen = found["perceptual_hash"], found["difference_hash"]
    return None if None in seen else seen


def apart(mine: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.bitwise_count(mine[:, None, :] ^ others[None, :, :])


def main() -> None:
    originals = [image for image in images(sys.argv[1:]) if hashes(saved(image, "PNG")) is not None]
    names = ["original", *CHANGES]
    table = np.zeros((len(names), len(originals), 2), dtype=np.uint64)
    for number, image in enumerate(originals):
        for row, change in enumerate([lambda i: saved(i, "PNG"), *CHANGES.values()]):
            table[row, number] = hashes(change(image)) or (0, 0)
    print(f"{len(originals):,} photographs\n\n{COPIES}")
    for row, name in enumerate(names[1:], 1):
        bits = np.bitwise_count(table[row] ^ table[0]).astype(int)
        near = {d: np.mean((bits[:, 0] <= d) & (bits[:, 1] <= VERIFY)) for d in (2, DISTANCE, 6, 8)}
        spread = f"{np.median(bits[:, 0]):.0f}, {np.quantile(bits[:, 0], 0.9):.0f}"
        print(f"| {name} | {near[DISTANCE]:.1%} | {spread} | {near[2]:.1%} | {near[6]:.1%} | {near[8]:.1%} |")
    print(f"\n{LINKS}")
    every = table.reshape(-1, 2)
    owner = np.tile(np.arange(len(originals)), len(names))
    for distance in (2, DISTANCE, 6, 8):
        counts = {True: [0, 0], False: [0, 0]}
        for start in range(0, len(every), 500):
            bits = apart(every[start : start + 500], every)
            later = np.arange(len(every))[None, :] > np.arange(start, start + len(bits))[:, None]
            same = owner[start : start + len(bits), None] == owner[None, :]
            for verified, found in counts.items():
                linked = later & (bits[:, :, 0] <= distance) & ((bits[:, :, 1] <= VERIFY) | (not verified))
                found[0] += int(linked.sum())
                found[1] += int((linked & ~same).sum())
        told = " | ".join(f"{links:,} | {wrong:,}" for links, wrong in (counts[True], counts[False]))
        print(f"| {distance} | {told} |")


if __name__ == "__main__":
    main()
