"""Write 2,000 "web" and 200 "app" photos as JPEG files, one folder a subject: what `images.yaml` splits.

They are cut from ten photographs that the package scikit-image brings along, each released by its photographer or
agency as CC0 or into the public domain. They are read from the package's own folder: nothing is downloaded, and the
package is not imported.

* A web photo is a cut of a photograph, some turned around, sharp and well lit, at one of several sizes.
* An app photo is a cut of another place, tilted, out of focus, in less light, with the noise of a small sensor.
* Copies are planted: 40 app photos are screenshots of web photos (made smaller, brighter or encoded anew), and 60 web
  photos are copies of other web photos. `planted.csv` lists them: what a search for near-duplicates should find.

Every choice is made by a hash of what it is for, so the same packages give the same bytes, whenever this is run.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.util
import io
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

HERE = Path(__file__).parent
SUBJECTS = {
    "astronaut": "astronaut.png",  # NASA, public domain
    "bricks": "brick.png",  # CC0Textures, CC0
    "cat": "chelsea.png",  # Stefan van der Walt, CC0
    "coffee": "coffee.png",  # Rachel Michetti, CC0
    "eye": "retina.jpg",  # Mikael Haeggstroem, CC0
    "galaxies": "hubble_deep_field.jpg",  # NASA, public domain
    "grass": "grass.png",  # linolafett, CC0
    "gravel": "gravel.png",  # CC0Textures, CC0
    "photographer": "camera.png",  # Lav Varshney, CC0
    "rocket": "rocket.jpg",  # SpaceX, public domain
}
WEB, APP, COPIES, SCREENSHOTS = 2_000, 200, 60, 40
SIZES = ((320, 240), (240, 320), (288, 288), (400, 300), (256, 192))
LEAST_CONTRAST = 18.0
LARGEST, SMALLEST = 0.62, 0.34


@dataclass(frozen=True)
class Photo:
    """One file that is written.

    Attributes:
        source: `web` or `app`.
        subject: names its folder.
        number: within source and subject.
    """

    source: str
    subject: str
    number: int

    @property
    def path(self) -> str:
        """Relative to the folder that is written."""
        return f"{self.source}/{self.subject}/{self.subject}-{self.number:04d}.jpg"


def share(*words: object) -> float:
    """A number from 0 up to 1 that the words decide, and nothing else."""
    digest = hashlib.blake2b("\0".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def between(low: float, high: float, *words: object) -> float:
    """A number between two others that the words decide."""
    return low + (high - low) * share(*words)


def halton(number: int, base: int) -> float:
    """The radical inverse of a number (Halton 1960): points of several bases fill a space evenly, none near another."""
    result, part = 0.0, 1.0
    while number:
        part /= base
        result += part * (number % base)
        number //= base
    return result


def read_photographs() -> dict[str, Image.Image]:
    """The ten photographs, by subject."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("The package scikit-image is not installed: run `make demo-images`, or pip install scikit-image")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    found = {}
    for subject, name in SUBJECTS.items():
        with Image.open(folder / name) as image:
            found[subject] = image.convert("RGB")
    return found


def cuts(photograph: Image.Image, shape: float) -> Iterator[Image.Image]:
    """Cuts of a photograph at places that lie apart, without those that show next to nothing, such as a black sky.

    Args:
        photograph: to cut from.
        shape: width by height of the cuts.

    Yields:
        Images without end; every other one is mirrored.
    """
    side = min(photograph.width, photograph.height)
    number = 0
    while True:
        number += 1
        height = side * (SMALLEST + (LARGEST - SMALLEST) * halton(number, 5)) / max(1.0, shape)
        width = height * shape
        left = (photograph.width - width) * halton(number, 2)
        top = (photograph.height - height) * halton(number, 3)
        cut = photograph.crop((round(left), round(top), round(left + width), round(top + height)))
        if np.asarray(cut.convert("L"), dtype=np.float64).std() >= LEAST_CONTRAST:
            yield ImageOps.mirror(cut) if number % 2 else cut


def as_web(cut: Image.Image, photo: Photo) -> Image.Image:
    """A cut as a web site shows it: sharp, bright, of a usual size."""
    image = ImageOps.fit(cut, SIZES[int(len(SIZES) * share("size", photo.path))], Image.Resampling.LANCZOS)
    image = ImageEnhance.Brightness(image).enhance(between(0.95, 1.2, "light", photo.path))
    return image.filter(ImageFilter.UnsharpMask(radius=1.5, percent=round(between(40, 120, "sharpen", photo.path))))


def as_app(cut: Image.Image, photo: Photo) -> Image.Image:
    """A cut as a hand-held phone sees it: tilted, out of focus, in little light, with noise, sent by a chat once."""
    size = SIZES[int(len(SIZES) * share("size", photo.path))]
    wide = ImageOps.fit(cut, (round(size[0] * 1.25), round(size[1] * 1.25)), Image.Resampling.LANCZOS)
    turned = wide.rotate(between(-7, 7, "tilt", photo.path), Image.Resampling.BICUBIC)
    image = ImageOps.fit(turned, (size[0] + 6, size[1] + 6), Image.Resampling.LANCZOS, bleed=0.1)
    image = image.filter(ImageFilter.GaussianBlur(between(1.4, 3.2, "focus", photo.path)))
    image = ImageEnhance.Brightness(image).enhance(between(0.3, 0.65, "light", photo.path))
    image = ImageEnhance.Contrast(image).enhance(between(1.3, 1.8, "contrast", photo.path))
    seed = int(2**32 * share("noise", photo.path))
    noise = np.random.RandomState(seed).normal(0, between(1, 4, "sensor", photo.path), (size[1] + 6, size[0] + 6, 3))
    noisy = Image.fromarray(np.clip(np.asarray(image, dtype=np.float64) + noise, 0, 255).round().astype(np.uint8))
    sent = io.BytesIO()
    noisy.save(sent, "JPEG", quality=round(between(55, 80, "sent", photo.path)))
    with Image.open(sent) as received:
        return received.crop((3, 3, size[0] + 3, size[1] + 3))


def as_copy(image: Image.Image, photo: Photo) -> tuple[Image.Image, str]:
    """A copy that people would call the same picture, and what was done to it."""
    done = ("smaller", "brighter", "encoded anew")[int(3 * share("copy", photo.path))]
    if done == "smaller":
        factor = between(0.5, 0.8, "smaller", photo.path)
        size = (round(image.width * factor), round(image.height * factor))
        return image.resize(size, Image.Resampling.LANCZOS), done
    if done == "brighter":
        return ImageEnhance.Brightness(image).enhance(between(1.05, 1.15, "brighter", photo.path)), done
    return image, done


def save(image: Image.Image, photo: Photo, out: Path) -> None:
    """Writes a photo as JPEG."""
    path = out / photo.path
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "JPEG", quality=round(between(78, 92, "quality", photo.path)))


def write_subject(subject: str, photograph: Image.Image, out: Path) -> list[tuple[str, str, str]]:
    """Writes all photos of a subject.

    Args:
        subject: names them.
        photograph: that they are cut from.
        out: the folder to write to.

    Returns:
        The planted copies: the copy, what it is a copy of, and what was done to it.
    """
    parts = len(SUBJECTS)
    web, app, copies, screenshots = WEB // parts, APP // parts, COPIES // parts, SCREENSHOTS // parts
    shape = 4 / 3 if photograph.width >= photograph.height else 3 / 4
    cut, planted = cuts(photograph, shape), []
    originals = [Photo("web", subject, number) for number in range(web - copies)]
    for photo in originals:
        save(as_web(next(cut), photo), photo, out)
    for number in range(app - screenshots):
        photo = Photo("app", subject, number)
        save(as_app(next(cut), photo), photo, out)
    made = [Photo("web", subject, number) for number in range(web - copies, web)]
    made += [Photo("app", subject, number) for number in range(app - screenshots, app)]
    order = sorted(originals, key=lambda photo: share("planted", photo.path))
    for photo, original in zip(made, order, strict=False):
        with Image.open(out / original.path) as image:
            copy, done = as_copy(image.convert("RGB"), photo)
        save(copy, photo, out)
        planted.append((photo.path, original.path, done))
    return planted


def main() -> None:
    """Writes everything in place of what was there, and says how much it is."""
    parser = argparse.ArgumentParser(description="Write web and app photos as JPEG files, one folder a subject.")
    parser.add_argument("--out", type=Path, default=HERE / "data", help="the folder to write (default: %(default)s)")
    out: Path = parser.parse_args().out

    new = out.with_name(out.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    planted = []
    for subject, photograph in read_photographs().items():
        planted += write_subject(subject, photograph, new)
    with (new / "planted.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([("copy", "original", "done"), *planted])
    shutil.rmtree(out, ignore_errors=True)
    new.rename(out)
    across = sum(copy.startswith("app/") for copy, _, _ in planted)
    print(f"{WEB:,} web and {APP:,} app photos in {out}, among them {len(planted)} planted copies, {across} in the app")


if __name__ == "__main__":
    main()
