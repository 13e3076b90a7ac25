"""Pairs of sounds: damaged and clean waves, or mel spectra and the waves that they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.paired import PairedCodec
from gansmith.errors import UserError
from gansmith.kinds.audio.preview import picture_of
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import log_mel


@dataclass(frozen=True)
class AudioPairs(PairedCodec):
    """The side given and the wave to be made, under "a" and "b"."""

    @property
    def previewed(self) -> int:
        """Fewer sentences than short sounds."""
        return 3 if self.spec.source is not None and self.spec.source.axes == ("phoneme",) else 6


@dataclass(frozen=True)
class MelCodec:
    """Logarithmic mel spectra [bands, frames], float32 packed and unpacked. A raw spectrum is a NumPy array."""

    suffixes = (".npy", ".npz")
    previewed = 12
    spec: AudioSpec

    def pack(self, raw: np.ndarray) -> dict[str, np.ndarray]:
        if raw.shape != self.spec.shape:
            raise UserError(f"a mel spectrum of {self.spec.shape} bands and frames is needed, but it has {raw.shape}.")
        return {"mel": np.asarray(raw, np.float32)}

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        return {"mel": torch.from_numpy(np.ascontiguousarray(packed["mel"], np.float32))}

    def repack(self, batch: Batch) -> dict[str, np.ndarray]:
        return {"mel": batch["mel"].detach().cpu().float().numpy()}

    def encode(self, raw: np.ndarray) -> Batch:
        return self.unpack({"mel": self.pack(raw)["mel"][None]})

    def decode(self, batch: Batch) -> list[np.ndarray]:
        return list(self.repack(batch)["mel"])

    def conditions(self, n: int, rng: torch.Generator, /, **where: str) -> Batch:
        return {}

    def save(self, raws: Sequence[np.ndarray], folder: Path) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        first = len(list(folder.glob("*.npy")))
        paths = [folder / f"{first + place:06d}.npy" for place in range(len(raws))]
        for raw, path in zip(raws, paths, strict=True):
            np.save(path, raw)
        return paths

    def write(self, raws: Sequence[np.ndarray], path: Path) -> None:
        if path.suffix == ".npy":
            np.save(path, np.stack(raws))
        else:
            np.savez(path, mel=np.stack(raws), **{name: getattr(self.spec, name) for name in ("rate", "n_fft", "hop")})

    def preview(self, raws: Sequence[np.ndarray]) -> Image.Image:
        pictures = [picture_of(raw) for raw in raws]
        sheet = Image.new("RGB", (sum(each.width for each in pictures), pictures[0].height), "white")
        for place, each in enumerate(pictures):
            sheet.paste(each, (place * each.width, 0))
        return sheet

    def sketch(self, batch: Batch) -> Float[Tensor, "batch features"]:
        return batch["mel"].flatten(1)

    def to_json(self) -> dict[str, Any]:
        return {"spec": self.spec.to_json()}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        return cls(AudioSpec.from_json(facts["spec"]))


@dataclass(frozen=True)
class Spectra:
    """Gathered waves of 16 bits [n, samples] to their logarithmic mel spectra [n, bands, frames]."""

    spec: AudioSpec

    def __call__(self, waves: np.ndarray) -> np.ndarray:
        if not len(waves):
            return np.empty((0, self.spec.bands, waves.shape[1] // self.spec.hop), np.float32)
        wave = torch.from_numpy(waves.astype(np.float32)) / 32768
        return log_mel(wave, self.spec.mel).numpy()
