"""How alike generated voices are to those that were asked for, in the space of a network that tells speakers apart.

The network is GE2E's encoder as published in the package resemblyzer, of which only the weights are read: three LSTM layers over mel
spectra of 40 bands, then a linear map, whose positive part has unit length. The baseline is another of the voices, the ceiling held-out
recordings of the voice.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.data.dataset import Dataset, choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.audio.cleaning import resampled
from gansmith.kinds.audio.transforms import Mel, mel_filters
from gansmith.metrics.registry import NotApplicableError
from gansmith.networks.pretrained.installed import brought_by

METRICS = {"voice_similarity": ("higher", "cosine of the voice that was asked for and the one that is heard (Wan et al. 2018)")}
SAYS = "quality"
BASELINE = "another voice"
FEWEST = 2
SPECTRUM = Mel(16_000, 400, 160, 40)
LEVEL = 10 ** (-30 / 20)
"""The root mean square to which softer sounds are brought."""
KNOWN = 100
"""Training recordings of each voice whose mean is the voice."""
AT_ONCE = 32


class SpeakerEncoder(nn.Module):
    """Waves of 16 kHz to unit vectors of 256 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(SPECTRUM.bands, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)
        self.register_buffer("filters", mel_filters(SPECTRUM), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 256"]:
        size = wave.square().mean(1, keepdim=True).sqrt().clamp_min(1e-9)
        wave = wave * (LEVEL / size).clamp_min(1)
        spectrum = torch.stft(
            wave,
            SPECTRUM.n_fft,
            SPECTRUM.hop,
            window=torch.hann_window(SPECTRUM.n_fft),
            center=True,
            pad_mode="constant",
            return_complex=True,
        )
        last = self.lstm((self.filters @ spectrum.abs().square()).mT)[1][0][-1]
        made = self.linear(last).relu()
        return made / made.norm(dim=1, keepdim=True).clamp_min(1e-9)


@lru_cache(maxsize=1)
def encoder() -> SpeakerEncoder:
    """The published network. Raises NotApplicableError where the package that brings its weights is not installed."""
    path = brought_by("resemblyzer", "pretrained.pt")
    if path is None:
        raise NotApplicableError(
            'voice_similarity needs the weights of the package resemblyzer: pip install --no-deps "resemblyzer>=0.1.4".'
        )
    network = SpeakerEncoder()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["model_state"], strict=False)
    return network.eval().requires_grad_(False)


@torch.inference_mode()
def voices_of(data: Dataset) -> Float[Tensor, "examples 256"]:
    """The voice of every example."""
    network, rate = encoder(), data.codec.spec.rate
    found = []
    for start in range(0, len(data), AT_ONCE):
        waves = data.batch(slice(start, start + AT_ONCE))["wave"].float()
        if rate != SPECTRUM.rate:
            waves = torch.from_numpy(np.stack([resampled(wave, rate, SPECTRUM.rate) for wave in waves.numpy()]))
        found.append(network(waves))
    return torch.cat(found)


def measure(side: Side) -> dict[str, Measured]:
    """Every sound against the mean of the training recordings of its voice. Raises NotApplicableError for sounds without voices."""
    spec = side.real.train.codec.spec
    if spec.task != "domains":
        raise NotApplicableError("voice_similarity asks whose voice is heard, and these data tell no voices apart.")
    labels = _labels(side.real.train)
    count = len(spec.classes)
    means = []
    for voice in range(count):
        places = np.flatnonzero(labels == voice)
        own = side.real.train.subset(places[choose(len(places), min(KNOWN, len(places)), side.real.seed)])
        means.append(voices_of(own).mean(0))
    known = torch.stack(means)
    known = known / known.norm(dim=1, keepdim=True)
    data = side.real.held_out if side.name in ("baseline", "held-out") else side.data
    asked = _labels(data)
    if side.name == "baseline":
        asked = (asked + 1) % count
    values = (voices_of(data) * known[asked]).sum(1).numpy()
    value, low, high = jackknife(lambda kept: float(values[kept].mean()), len(values), side.real.seed)
    return {
        "voice_similarity": Measured(
            value=value, low=low, high=high, samples=len(values), reference_samples=len(labels), space="ge2e"
        )
    }


def _labels(data: Dataset) -> np.ndarray:
    """The voice of every example."""
    parts = [data.batch(slice(start, start + AT_ONCE))["label"].numpy() for start in range(0, len(data), AT_ONCE)]
    return np.concatenate(parts)
