"""The space of distances: a small network that is trained on mel spectra of the training sounds on the spot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.dataset import Dataset
from gansmith.data.spec import Spec
from gansmith.evaluation.extractors import Extractor
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import FLOOR, Mel, log_mel
from gansmith.kinds.images.features.classifier import Classifier

BANDS = 64
QUIETEST, LOUDEST = float(np.log(FLOOR)), 1.0
"""Logarithmic magnitudes that become -1 and 1."""


@dataclass(frozen=True)
class AsPictures:
    """A codec of sounds that unpacks their mel spectra [1, bands, frames] in place of waves."""

    spec: Spec
    mel: Mel

    def unpack(self, packed: Mapping[str, np.ndarray]) -> Batch:
        wave = torch.from_numpy(packed["b" if "b" in packed else "wave"].astype(np.float32)) / 32768
        return {"image": picture(wave, self.mel)}


def picture(wave: Tensor, mel: Mel) -> Tensor:
    """Logarithmic mel spectra [B, 1, bands, frames] from -1 to about 1."""
    return 2 * (log_mel(wave, mel) - QUIETEST)[:, None] / (LOUDEST - QUIETEST) - 1


def as_pictures(data: Dataset) -> Dataset:
    """The same examples as mel spectra, for networks that see images."""
    own = data.codec.spec
    assert isinstance(own, AudioSpec)
    mel = Mel(own.rate, own.n_fft, own.hop, min(BANDS, own.bands))
    spec = replace(own, key="image", shape=(1, mel.bands, own.shape[0] // mel.hop), axes=("channel", "height", "width"))
    return replace(data, codec=AsPictures(spec, mel), held_out=None)


class OfSpectra:
    """A classifier's features of mel spectra: of the classes, or of quarter turns of the spectra where there are none."""

    def __init__(self, train: Dataset, seed: int, folder: Path) -> None:
        self.classifier = Classifier.trained_on(as_pictures(train), seed, folder)
        self.name, self.key = self.classifier.name, f"mel {self.classifier.key}"

    def features(self, data: Dataset) -> Tensor:
        return self.classifier.features(as_pictures(data))


def features_of(train: Dataset, seed: int, folder: Path) -> Extractor:
    return OfSpectra(train, seed, folder)
