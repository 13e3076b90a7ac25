"""How near a sound that was made of another one is to the real one that belongs there.

The baseline is the best of what needs no training: of damaged waves these themselves and spectral gating, of mel spectra Griffin-Lim, plain
or with magnitudes that move along.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.audio.intelligibility import stoi
from gansmith.kinds.audio.pitch import VOICED, yin
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import Mel, log_mel, magnitude, stft
from gansmith.kinds.audio.trivial_restorations import trivial
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "mel_l1": ("lower", "mean difference of logarithmic mel spectra from the real ones"),
    "mr_stft": (
        "lower",
        "spectral convergence and difference of logarithmic magnitudes at three resolutions (Yamamoto et al. 2020)",
    ),
    "si_sdr": ("higher", "signal-to-distortion ratio in dB, whatever the level (Le Roux et al. 2019)"),
    "stoi": ("higher", "how intelligible speech is, from 0 to 1 (Taal et al. 2011)"),
    "mcd": ("lower", "mel cepstral distortion in dB: the difference of 13 cepstra, whatever the level (Kubichek 1993)"),
    "f0_error": ("lower", "root mean squared difference of fundamental frequencies in cents, where both are voiced, by YIN"),
    "voicing": ("higher", "F1 score of which frames are voiced, by YIN"),
}
SAYS = "quality"
BASELINE = "the best without training"
FEWEST = 1
CEPSTRA = 13
LOW, HIGH = 60.0, 500.0
"""Hertz between which voices lie."""
RESOLUTIONS = ((1024, 256), (2048, 512), (512, 128))
"""Windows and hops at 16 kHz; they scale with the rate."""
AT_ONCE = 32


def measure(side: Side) -> dict[str, Measured]:
    """Every example against its own partner. Raises NotApplicableError where nothing belongs to what is generated."""
    return beside_partners(side, values_of, METRICS)


def beside_partners(
    side: Side, values: Callable[[Dataset, Dataset], dict[str, np.ndarray]], metrics: Mapping[str, tuple[str, str]]
) -> dict[str, Measured]:
    """What `values` says of every example and its partner, of the baseline that of the best trivial restoration for each metric.

    Raises NotApplicableError where nothing belongs to what is generated.
    """
    spec = side.real.train.codec.spec
    if spec.source is None or not spec.aligned:
        raise NotApplicableError("these compare sounds with the real ones that belong there, and these data have no such pairs.")
    if side.name == "held-out" or (side.name != "baseline" and "target" not in side.data.arrays):
        raise NotApplicableError("real sounds are equal to themselves.")
    if side.name == "baseline":
        all_made = [values(made, side.real.held_out) for made in trivial(side.real.held_out).values()]
        found = {}
        for name in metrics:
            rows = [own[name] for own in all_made if name in own and np.isfinite(own[name]).any()]
            if rows:
                best = max if metrics[name][0] == "higher" else min
                found[name] = best(rows, key=lambda own: float(np.nanmean(own)))
    else:
        found = values(side.data, side.data)
    return {name: _measured(own, side) for name, own in found.items() if np.isfinite(own).any()}


def _measured(values: np.ndarray, side: Side) -> Measured:
    values = values[np.isfinite(values)]
    value, low, high = jackknife(lambda kept: float(values[kept].mean()), len(values), side.real.seed)
    return Measured(value=value, low=low, high=high, samples=len(values), reference_samples=len(values), space="wave")


@torch.inference_mode()
def values_of(made: Dataset, real: Dataset) -> dict[str, np.ndarray]:
    """The metrics of every example of `made` against the example at its position in `real`, "target" or its own."""
    parts: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(made), AT_ONCE):
        first, second = (data.batch(slice(start, start + AT_ONCE)) for data in (made, real))
        wave, truth = first["b"].float(), second.get("target", second["b"]).float()
        for name, own in compared(wave, truth, made.codec.spec).items():
            parts.setdefault(name, []).append(own)
    return {name: np.concatenate(own) for name, own in parts.items()}


def compared(wave: Tensor, truth: Tensor, spec: AudioSpec) -> dict[str, np.ndarray]:
    """The metrics [B] of waves [B, samples] against the true ones."""
    mel = spec.mel
    return {
        "mel_l1": (log_mel(wave, mel) - log_mel(truth, mel)).abs().mean((1, 2)).numpy(),
        "mr_stft": spectral_distance(wave, truth, spec.rate).numpy(),
        "si_sdr": si_sdr(wave, truth).numpy(),
        **prosody(wave.double().numpy(), truth.double().numpy(), spec.rate),
        "mcd": cepstral_distortion(wave, truth, spec).numpy(),
        "stoi": np.array([stoi(a, b, spec.rate) for a, b in zip(truth.double().numpy(), wave.double().numpy(), strict=True)]),
    }


def cepstral_distortion(wave: Tensor, truth: Tensor, spec: AudioSpec) -> Tensor:
    """[B] in dB: 10 sqrt(2) / ln 10 times the distance of cepstra 1 to 13 of logarithmic mel spectra, the mean over frames."""
    count = spec.bands
    row, column = torch.arange(1, min(CEPSTRA, count - 1) + 1)[:, None], torch.arange(count)[None]
    cosines = (2 / count) ** 0.5 * torch.cos(torch.pi * row * (column + 0.5) / count)
    made, real = (cosines @ log_mel(each, spec.mel) for each in (wave, truth))
    return 10 * 2**0.5 / float(np.log(10)) * (made - real).norm(dim=1).mean(1)


def prosody(made: np.ndarray, truth: np.ndarray, rate: int) -> dict[str, np.ndarray]:
    """The metrics of fundamental frequency [B] of waves [B, samples]; NaN where nothing is voiced."""
    errors, scores = [], []
    for waves in zip(made, truth, strict=True):
        hertz, voiced = [], []
        for wave in waves:
            found, aperiodicity = yin(wave, rate, low=LOW, high=min(HIGH, rate / 8))
            hertz.append(found)
            voiced.append(aperiodicity < VOICED)
        both = voiced[0] & voiced[1]
        cents = 1200 * np.log2(hertz[0][both] / hertz[1][both])
        errors.append(float(np.sqrt(np.square(cents).mean())) if both.any() else np.nan)
        total = voiced[0].sum() + voiced[1].sum()
        scores.append(float(2 * both.sum() / total) if total else np.nan)
    return {"f0_error": np.array(errors), "voicing": np.array(scores)}


def spectral_distance(wave: Tensor, truth: Tensor, rate: int) -> Tensor:
    """[B]: the mean over three resolutions of spectral convergence plus the L1 distance of logarithmic magnitudes."""
    total = torch.zeros(len(wave))
    scale = Mel.usual(rate).n_fft / 1024
    for size, hop in RESOLUTIONS:
        n_fft, step = max(32, int(size * scale)), max(8, int(hop * scale))
        if n_fft > wave.shape[1]:
            continue
        made, real = (magnitude(stft(each, n_fft, step)) for each in (wave, truth))
        convergence = (made - real).flatten(1).norm(dim=1) / real.flatten(1).norm(dim=1).clamp_min(1e-6)
        total += convergence + (made.clamp_min(1e-5).log() - real.clamp_min(1e-5).log()).abs().mean((1, 2))
    return total / len(RESOLUTIONS)


def si_sdr(wave: Tensor, truth: Tensor) -> Tensor:
    """[B] in dB; the means are taken away first. A silent truth gives NaN."""
    wave, truth = (each.double() - each.double().mean(1, keepdim=True) for each in (wave, truth))
    power = truth.square().sum(1, keepdim=True)
    part = (wave * truth).sum(1, keepdim=True) / power.clamp_min(1e-12) * truth
    ratio = part.square().sum(1) / (wave - part).square().sum(1).clamp_min(1e-12)
    return torch.where(power[:, 0] > 1e-6, 10 * torch.log10(ratio.clamp_min(1e-12)), torch.nan)
