"""A kind of data from outside the package: tones, each a pitch and a loudness, which are seen, heard and written down."""

import io
import math
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.data.options import DataOptions
from gansmith.data.preview import Medium, Preview
from gansmith.data.source import Source
from gansmith.kinds.kind import Kind, Match
from gansmith.kinds.points.codec import PointCodec
from gansmith.kinds.points.spec import PointSpec

HEARD = 3
"""Tones of a preview that are played; all of them are written down."""


@dataclass(frozen=True, kw_only=True)
class ToneSpec(PointSpec):
    kind: str = "tones"


@dataclass(frozen=True)
class ToneCodec(PointCodec):
    """Tones are points of pitch and loudness, both about 0."""

    @classmethod
    def fit(cls, points: np.ndarray, columns: Sequence[str]) -> "ToneCodec":
        found = super().fit(points, columns)
        return replace(found, spec=ToneSpec(shape=found.spec.shape))  # pyright: ignore[reportReturnType]

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "ToneCodec":
        return replace(super().from_json(facts), spec=ToneSpec.from_json(facts["spec"]))  # pyright: ignore[reportReturnType]

    @property
    def previewed(self) -> int:
        return 12


class Tones(Kind[DataOptions, ToneCodec]):
    """Tones: short sounds."""

    Options = DataOptions
    Codec = ToneCodec
    Spec = ToneSpec
    gan = "gan"
    metrics = ("frechet",)

    def recognise(self, source: Source) -> Match | None:
        return None

    def open(self, source: Source, options: DataOptions, *, cache: Path, like: Any = None, originals: bool = False) -> Dataset:
        return tones()

    def toys(self) -> Mapping[str, Dataset]:
        return {"tones": tones()}

    def preview(self, codec: ToneCodec, raws: Sequence[np.ndarray]) -> Preview:
        heard = [Medium(f"{i}.wav", "audio/wav", sound(raw)) for i, raw in enumerate(raws[:HEARD])]
        written = "".join(f"<{pitch:.3f} & {loudness:.3f}>\n" for pitch, loudness in raws)
        return Preview(codec.preview(raws), (*heard, Medium("tones.txt", "text/plain", written.encode())))


def tones(count: int = 256) -> Dataset:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((count, 2)).astype(np.float32)
    arrays = {"point": values}
    codec = ToneCodec.fit(values, ["pitch", "loudness"])
    return Dataset(name="tones", codec=codec, arrays=arrays, fingerprint=fingerprint(arrays))


def sound(raw: np.ndarray, seconds: float = 0.05, rate: int = 8000) -> bytes:
    """A WAV file of a sine, an octave from 440 Hz for every unit of pitch."""
    times = np.arange(int(seconds * rate)) / rate
    samples = np.sin(2 * math.pi * 440 * 2.0 ** float(raw[0]) * times) / (1 + math.exp(-float(raw[1])))
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return content.getvalue()
