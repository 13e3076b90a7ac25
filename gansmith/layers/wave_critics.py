"""Critics of waves at several periods (Kong et al. 2020, HiFi-GAN, section 2.3), and of their spectra at several resolutions (Jang et al.
2021, UnivNet, section 2.2)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad

from gansmith.kinds.audio.transforms import magnitude, stft

SLOPE = 0.1
Judged = tuple[Tensor, list[Tensor]]
"""Logits of any shape [B, ...], and the features of every layer."""


class PeriodCritic(nn.Module):
    """A wave folded to rows of `period` samples, convolved along the rows' order alone."""

    def __init__(self, period: int, width: int, layers: int = 4) -> None:
        super().__init__()
        self.period = period
        widths = [1, *(min(width * 4**place, width * 32) for place in range(layers))]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, (5, 1), (3, 1), (2, 0)) for a, b in zip(widths, widths[1:], strict=False))
        self.score = nn.Conv2d(widths[-1], 1, (3, 1), 1, (1, 0))

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Judged:
        x = pad(wave[:, None], (0, -wave.shape[1] % self.period), mode="reflect").unflatten(2, (-1, self.period))
        return _judged(x, self.layers, self.score)


class SpectrumCritic(nn.Module):
    """Logarithmic magnitudes of one resolution, convolved over time and frequency, which is halved."""

    def __init__(self, n_fft: int, width: int, layers: int = 3) -> None:
        super().__init__()
        self.n_fft = n_fft
        widths = [1, *([width] * layers)]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, (5, 3), (2, 1), (2, 1)) for a, b in zip(widths, widths[1:], strict=False))
        self.score = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Judged:
        size = magnitude(stft(wave.float(), self.n_fft, self.n_fft // 4))
        return _judged((size + 1e-4).log()[:, None] / 5, self.layers, self.score)


def _judged(x: Tensor, layers: nn.ModuleList, score: nn.Module) -> Judged:
    features = []
    for layer in layers:
        x = leaky_relu(layer(x), SLOPE)
        features.append(x)
    return score(x), features


class WaveCritics(nn.Module):
    """Critics at all these periods and windows; each sees waves without their mean."""

    def __init__(self, periods: Sequence[int], windows: Sequence[int], width: int, spectrum_width: int) -> None:
        super().__init__()
        parts = [PeriodCritic(period, width) for period in periods]
        self.parts = nn.ModuleList([*parts, *(SpectrumCritic(n_fft, spectrum_width) for n_fft in windows)])

    def forward(self, wave: Float[Tensor, "batch samples"]) -> list[Judged]:
        wave = wave - wave.mean(1, keepdim=True)
        return [part(wave) for part in self.parts]


def feature_distance(real: Sequence[Judged], fake: Sequence[Judged]) -> Float[Tensor, ""]:
    """The mean L1 distance of the critics' features (Larsen et al. 2016; HiFi-GAN, equation 4), those of real waves held still."""
    pairs = [(a.detach(), b) for (_, own), (_, made) in zip(real, fake, strict=True) for a, b in zip(own, made, strict=True)]
    return torch.stack([(a - b).abs().mean() for a, b in pairs]).mean()
