"""Sources of sounds: measured as images are, with speakers as groups."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from pipelines import api
from pipelines.ingest.audio import QUIETEST, measure_audio
from pipelines.ingest.rejects import Limits, UnreadableError
from tests.support.pictures import write

DIGITS = Path(__file__).resolve().parents[3] / "shared/data/spoken_digits"
RATE = 8_000


def sound(samples: np.ndarray, kind: str = "WAV", subtype: str = "PCM_16", rate: int = RATE) -> bytes:
    sink = io.BytesIO()
    soundfile.write(sink, samples, rate, format=kind, subtype=subtype)
    return sink.getvalue()


def sine(seconds: float = 1.0, hertz: float = 440.0, peak: float = 0.5) -> np.ndarray:
    return peak * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


@pytest.mark.parametrize(
    ("kind", "subtype"), [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "PCM_24"), ("FLAC", "PCM_16")]
)
def test_a_sine_has_the_level_that_it_should_have(kind: str, subtype: str) -> None:
    found = measure_audio(sound(sine(), kind, subtype), f"a.{kind.lower()}", Limits())
    assert (found["duration"], found["sample_rate"], found["channels"]) == (1.0, RATE, 1)
    assert (found["format"], found["subtype"]) == (kind, subtype)
    assert found["level"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert found["peak"] == pytest.approx(20 * np.log10(0.5), abs=0.01)
    assert found["zero_crossings"] == pytest.approx(880, abs=3)
    assert (found["silence"], found["clipped"]) == (0.0, 0.0)


def test_silence_and_clipping() -> None:
    half = np.concatenate([sine(0.5), np.zeros(RATE // 2)])
    assert measure_audio(sound(half), "a.wav", Limits())["silence"] == pytest.approx(0.5, abs=0.03)
    nothing = measure_audio(sound(np.zeros(RATE)), "a.wav", Limits())
    assert (nothing["level"], nothing["peak"], nothing["silence"]) == (QUIETEST, QUIETEST, 1.0)
    loud = np.clip(sine(peak=2.0), -1, 1)
    assert measure_audio(sound(loud), "a.wav", Limits())["clipped"] == pytest.approx(2 / 3, abs=0.02)


def test_the_same_samples_have_one_hash_whatever_packs_them() -> None:
    samples = np.rint(sine() * 32_767).astype(np.int16)
    wav, flac = (measure_audio(sound(samples, kind), f"a.{kind.lower()}", Limits()) for kind in ("WAV", "FLAC"))
    assert wav["sample_hash"] == flac["sample_hash"]
    assert wav["content_hash"] != flac["content_hash"]


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"", "a.wav", "empty file"),
        (b"hello, world", "a.wav", "not a sound"),
        (sound(sine())[:5_000], "a.wav", "broken sound: is cut off"),
        (sound(sine(), "FLAC")[:3_000], "a.flac", "broken sound"),
        (sound(sine(), "FLAC"), "a.wav", "mislabelled sound: is FLAC, and its name ends in .wav"),
        (sound(np.zeros(0)), "a.wav", "broken sound: has no samples"),
        (sound(sine(3)), "a.wav", "sound too long: 3 seconds, more than max_seconds 2"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "a.wav", "broken sound"),
    ],
)
def test_what_is_no_sound(data: bytes, name: str, told: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        measure_audio(data, name, Limits(max_seconds=2))
    assert str(raised.value).startswith(told)


@pytest.mark.e2e
def test_folders_of_sounds_are_split(tmp_path: Path) -> None:
    for number in range(60):
        name = f"{'studio' if number % 2 else 'phone'}/{'yes' if number % 3 else 'no'}/{number:02d}.wav"
        write(tmp_path / "sounds" / name, sound(sine(0.2, 200 + 7 * number, 0.1 + number / 100)))
    write(tmp_path / "sounds/phone/no/broken.wav", b"RIFF nothing")
    spec = """
sources:
  studio: {path: sounds/studio, format: audio, label: {from: directory}}
  phone: {path: sounds/phone, format: audio, label: {from: directory}}
label: label
target: {source: phone}
splits: {test: 6, dev: 6}
checks: {probe: false}
"""
    assert api.run(write(tmp_path / "spec.yaml", spec.encode()), tmp_path / "run").success
    dev = pl.read_parquet(tmp_path / "run/data/dev-*.parquet")
    assert set(dev["source"]) == {"phone"}
    assert {"duration", "level", "audio_uri", "content_hash"} <= set(dev.columns)
    (lines,) = (tmp_path / "run/rejected").glob("lines-*.parquet")
    assert pl.read_parquet(lines)["text"].to_list() == ["no/broken.wav"]


@pytest.mark.e2e
@pytest.mark.skipif(not DIGITS.exists(), reason="the shared data is not here")
def test_spoken_digits_with_speakers_as_groups(tmp_path: Path) -> None:
    spec = f"""
sources:
  digits: {{path: {DIGITS}, format: audio, table: {DIGITS}/manifest.csv}}
source_column: input
group: speaker
label: label
target: {{where: "source = 'speech_commands'"}}
splits: {{test: 10, dev: 10, train: rest}}
checks: {{probe: false, min_rows: 30}}
"""
    assert api.run(write(tmp_path / "spec.yaml", spec.encode()), tmp_path / "run").success
    names = ("train", "dev", "test")
    data = {name: pl.read_parquet(tmp_path / f"run/data/{name}-*.parquet") for name in names}
    held_out = pl.concat(
        [pl.read_parquet(file) for file in (tmp_path / "run/held_out").glob("*.parquet")] or [data["dev"][:0]],
        how="diagonal",
    )
    assert sum(map(len, data.values())) + len(held_out) == 350
    speakers = {name: set(frame["speaker"]) for name, frame in data.items()}
    assert not speakers["train"] & speakers["dev"]
    assert not speakers["train"] & speakers["test"]
    assert not speakers["dev"] & speakers["test"]
    whole = pl.concat(data.values())
    assert (whole["duration"] - whole["seconds"]).abs().max() < 0.001
    assert (whole["sample_rate"] == whole["sample_rate_given"]).all()
    assert (whole["content_hash"] == whole["sha256"]).all()
    assert whole.filter(source="speech_commands")["sample_rate"].unique().to_list() == [16_000]
