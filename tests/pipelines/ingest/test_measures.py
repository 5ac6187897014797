"""Measures against their formulas, and what they are to tell: sharp from blurred, noisy from clean."""

from __future__ import annotations

import io
import math

import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageEnhance, ImageFilter
from scipy import ndimage

from pipelines.ingest.hashes import looks
from pipelines.ingest.images import measure_image, measure_small, read_image
from pipelines.ingest.measures.detail import blockiness, sharpness_and_noise
from pipelines.ingest.measures.tone import colourfulness, mean_and_deviation, saturation, tone
from pipelines.ingest.rejects import Limits
from tests.support.pictures import encoded, picture

GREY = arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20)))


def measured(image: Image.Image, kind: str = "PNG", **options: object) -> dict[str, float]:
    return measure_image(encoded(image, kind, **options), "x", Limits())


@given(GREY)
def test_tone_is_what_numpy_says(grey: np.ndarray) -> None:
    brightness, contrast, entropy = tone(np.bincount(grey.ravel(), minlength=256).tolist())
    shares = np.unique(grey, return_counts=True)[1] / grey.size
    assert brightness == pytest.approx(grey.mean() / 255)
    assert contrast == pytest.approx(grey.std() / 255, abs=1e-9)
    assert entropy == pytest.approx(-(shares * np.log2(shares)).sum(), abs=1e-9)


@given(arrays(np.int16, st.integers(1, 50), elements=st.integers(-1_023, 1_023)))
def test_mean_and_deviation_in_any_order(values: np.ndarray) -> None:
    mean, deviation = mean_and_deviation(values)
    assert mean == pytest.approx(values.mean())
    assert deviation == pytest.approx(values.std(), abs=1e-6)
    assert (mean, deviation) == mean_and_deviation(np.sort(values)) == mean_and_deviation(values[::-1])


@given(arrays(np.uint8, st.tuples(st.integers(3, 20), st.integers(3, 20))))
def test_sharpness_and_noise_are_what_their_masks_say(grey: np.ndarray) -> None:
    values = grey.astype(np.float64)
    laplace = ndimage.convolve(values, np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]]))[1:-1, 1:-1]
    mask = ndimage.convolve(values, np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]))[1:-1, 1:-1]
    sharp, noise = sharpness_and_noise(grey)
    assert sharp == pytest.approx(math.log10(1 + laplace.var()), abs=1e-6)
    assert noise == pytest.approx(math.sqrt(math.pi / 2) / 6 * np.abs(mask).mean(), abs=1e-9)


@given(GREY)
def test_small_images_have_measures_too(grey: np.ndarray) -> None:
    sharp, noise = sharpness_and_noise(grey)
    assert sharp >= 0
    assert noise >= 0
    assert blockiness(grey) > 0


def test_colourfulness_is_hasler_and_suesstrunk_s() -> None:
    rgb = np.asarray(picture(3), dtype=np.float64)
    red, green, blue = (rgb[..., i] for i in range(3))
    rg, yb = red - green, (red + green) / 2 - blue
    expected = math.hypot(rg.std(), yb.std()) + 0.3 * math.hypot(rg.mean(), yb.mean())
    assert colourfulness(np.asarray(picture(3))) == pytest.approx(expected)


def test_saturation_of_pure_and_grey() -> None:
    for colour, expected in (((255, 0, 0), 1.0), ((90, 90, 90), 0.0)):
        assert saturation(np.asarray(Image.new("RGB", (4, 4), colour))) == expected


@given(arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))))
def test_saturation_is_that_of_pillow(pixels: np.ndarray) -> None:
    levels = np.asarray(Image.fromarray(pixels).convert("HSV"))[..., 1]
    assert saturation(pixels) == int(levels.sum(dtype=np.int64)) / levels.size / 255


def test_noise_is_about_what_was_added() -> None:
    rng = np.random.default_rng(1)
    flat = np.full((200, 200), 128.0) + rng.normal(0, 6, (200, 200))
    assert sharpness_and_noise(np.clip(np.rint(flat), 0, 255).astype(np.uint8))[1] == pytest.approx(6, rel=0.05)


def test_blocks_show() -> None:
    smooth = picture(4, 256, 256)
    crude = Image.open(io.BytesIO(encoded(smooth, "JPEG", quality=5)))
    assert measured(smooth)["blockiness"] == pytest.approx(1, abs=0.1)
    assert measured(crude)["blockiness"] > 1.5
    assert measured(smooth, "JPEG", quality=5)["blockiness"] == pytest.approx(measured(crude)["blockiness"], rel=0.01)


def test_measures_go_the_way_they_should() -> None:
    plain = picture(5, 300, 200)
    dark, dull = ImageEnhance.Brightness(plain).enhance(0.5), ImageEnhance.Color(plain).enhance(0.3)
    blurred = plain.filter(ImageFilter.GaussianBlur(3))
    noisy = Image.fromarray(
        np.clip(np.asarray(plain) + np.random.default_rng(1).normal(0, 20, (200, 300, 3)), 0, 255).astype(np.uint8)
    )
    base = measured(plain)
    assert measured(dark)["brightness"] < base["brightness"]
    assert measured(dull)["saturation"] < base["saturation"]
    assert measured(dull)["colourfulness"] < base["colourfulness"]
    assert measured(blurred)["sharpness"] < base["sharpness"] - 0.3
    assert measured(noisy)["noise"] > 2 * base["noise"]
    assert measured(plain.convert("L"))["colourfulness"] == 0


def test_measures_are_taken_at_one_scale() -> None:
    large, small = picture(6, 1_024, 768), picture(6, 1_024, 768).resize((512, 384), Image.Resampling.LANCZOS)
    one, two = measured(large), measured(small)
    for name in ("brightness", "contrast", "saturation", "colourfulness"):
        assert one[name] == pytest.approx(two[name], rel=0.02)
    assert one["sharpness"] == pytest.approx(two["sharpness"], abs=0.2)


def test_a_hash_is_that_of_the_library() -> None:
    small = picture(7, 64, 48).convert("L")
    assert [f"{one:016x}" for one in looks([small])[0]] == [str(imagehash.phash(small)), str(imagehash.dhash(small))]
    large = picture(7, 256, 192).convert("L")
    square = large.resize((32, 32), Image.Resampling.LANCZOS, reducing_gap=3.0)
    assert [f"{one:016x}" for one in looks([large])[0]] == [str(imagehash.phash(square)), str(imagehash.dhash(square))]


def test_hashes_of_many_are_those_of_the_library() -> None:
    images = [picture(seed, 32 + seed, 50).convert("L") for seed in range(40)]
    expected = [(int(str(imagehash.phash(one)), 16), int(str(imagehash.dhash(one)), 16)) for one in images]
    assert looks(images) == expected
    assert looks([]) == []


def test_images_that_are_measured_together_are_measured_as_each_alone() -> None:
    plain = picture(8, 300, 200)
    images = [plain, plain.convert("L"), Image.new("RGB", (90, 80), "red"), picture(9, 20, 500), Image.new("L", (1, 1))]
    small = [read_image(encoded(image, "PNG"), "x", Limits())[1] for image in images]
    together = measure_small(small)
    assert together == [measure_small([one])[0] for one in small]
    assert [row["perceptual_hash"] is None for row in together] == [False, False, True, False, True]
    assert measure_small([]) == []


@pytest.mark.parametrize("seed", range(10))
def test_a_hash_is_near_that_of_the_library_of_the_whole_image(seed: int) -> None:
    whole = picture(seed, 600, 400)
    one = measured(whole)
    for name, known in (("perceptual_hash", imagehash.phash(whole)), ("difference_hash", imagehash.dhash(whole))):
        assert (int(one[name]) ^ int(str(known), 16)).bit_count() <= 4


@pytest.mark.parametrize("seed", range(10))
def test_copies_look_alike_and_others_do_not(seed: int) -> None:
    plain = picture(seed, 400, 300)
    one = measured(plain)
    for copy in (
        measured(plain.resize((200, 150))),
        measured(plain, "JPEG", quality=40),
        measured(ImageEnhance.Brightness(plain).enhance(1.1)),
    ):
        assert (one["perceptual_hash"] ^ copy["perceptual_hash"]).bit_count() <= 4
    other = measured(picture(seed + 100, 400, 300))
    assert (one["perceptual_hash"] ^ other["perceptual_hash"]).bit_count() > 10
