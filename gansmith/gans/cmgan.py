"""CMGAN: clean speech of noisy speech, with a critic that measures it (Cao et al. 2022, "CMGAN: conformer-based metric GAN").

A network answers, for every frequency and time of a compressed spectrum, how much stays and what is added, at first that all stays; a
critic learns a measure of quality of pairs of clean and made speech, and the network asks it for the best mark (MetricGAN, Fu et al.
2019). Where the damage is a sound that was added, the preset of CPUs sees mel bands and answers how much of each stays.
Noise, hum, reverberation, clipping and lost high notes are all learned alike. Where noise was added, every round gives each recording that
of another one (Defossez et al. 2020), at other paces and levels.

    gansmith train voice/ --gan cmgan                       # clean recordings are enough: noise is mixed in
    gansmith train voice/ --degrade noise0 --noises street/ --minutes 20
    gansmith train speech/ --degrade noise0 --noises noises/ # train/ and test/ in both: what is judged is of new voices and noises
    gansmith train voice/ --degrade lowpass4000             # bandwidth extension from 8 to 16 kHz
    gansmith translate RUN noisy.wav --out clean/

What is wrong with the wave is learned in decibels besides. In place of conformers, ConvNeXt blocks run along time (as in Vocos), and the
measure is STOI, which speech of any rate has, in place of PESQ, which is no Python and fails on silence. Figures: docs/audio.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import log
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import instance_norm, leaky_relu

from gansmith.augment.sounds import varied
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.data.values import CountOrNone
from gansmith.game import Draw, Move, Player, Preset
from gansmith.gans._waves import MakingWaves
from gansmith.kinds.audio.intelligibility import stoi
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import Mel, log_mel, mel_filters
from gansmith.layers.convnext import FrameNetwork
from gansmith.layers.sounding import Fourier
from gansmith.layers.spectral import normalize_spectra
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine
from gansmith.training.seeds import uniform_rows

MOST = 1.2
"""The greatest share of a magnitude that stays (as in MetricGAN)."""
SEEN = 40
"""Mel bands that the critic sees."""
QUIETEST = -15.0
"""Decibels by which what is remixed is quieter at most."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of CMGAN; the weights of the terms are the paper's (section III)."""

    width: int = 128
    """Channels inside the generator."""
    blocks: int = 6
    """ConvNeXt blocks of the generator, whose frames are 1, 2, 4 and 8 apart in turn."""
    expansion: int = 2
    """How much wider the inside of a block is."""
    bands: CountOrNone = 0
    """Where the damage is a sound that was added: mel bands that the generator sees, and of each of which it says how much stays; 0 for all
    frequencies, and what is added to them."""
    compression: float = 0.3
    """The power to which magnitudes are raised."""
    magnitudes: float = 0.9
    """Weight of the squared error of compressed magnitudes."""
    complexes: float = 0.1
    """Weight of the squared error of compressed complex spectra."""
    distortion: float = 0.05
    """Weight of the distortion of waves in decibels, in place of the paper's absolute error: compressed spectra alone make it too quiet."""
    adversarial: float = 0.05
    """Weight of what the critic's mark lacks to the best one."""
    measure: Literal["stoi", "mel"] = "stoi"
    """What the critic learns to mark: intelligibility, which speech has, or the distance of mel spectra, which every sound has."""
    critic_width: int = 16
    """Channels of the critic's first layer, doubled in each of four."""
    critic_begins: float = 0.3
    """The share of the budget after which the critic plays along."""
    critic_interval: int = 4
    """In one of how many rounds it then does; what it says counts that much more."""
    remix: bool = True
    """Where the damage is a sound that was added, whether every round adds that of another example, at another pace and level."""
    pace: float = 0.12
    """How much faster or slower both are then."""
    louder: float = 6.0
    """By how many decibels the added sound is then louder or quieter."""
    colour: float = 0.0
    """By how many decibels parts of the spectrum of the added sound are then louder or quieter, of the recording by half as many."""
    crowd: float = 0.0
    """The share of the examples to which two sounds are then added."""
    learning_rate: float = 2e-3
    """Adam's step size for the generator, which falls to a tenth."""
    critic_learning_rate: float = 1e-3
    """Adam's step size for the critic."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in samples."""


class Enhancer(nn.Module):
    """A damaged wave to a clean one, of any length from a window on."""

    def __init__(self, config: Config, n_fft: int, within: Mel | None = None) -> None:
        """It sees and answers all frequencies, or the bands of `within`, a mel spectrum of the same windows."""
        super().__init__()
        self.compression, bins = config.compression, n_fft // 2 + 1
        self.fourier = Fourier(n_fft, n_fft // 4)
        self.multiple = n_fft // 4
        """Waves are multiples of so many samples long."""
        seen, answered = (within.bands, within.bands) if within else (bins, 3 * bins)
        self.network = FrameNetwork(
            seen, config.width, config.blocks, answered, expansion=config.expansion, start=0.0, apart=(1, 2, 4, 8)
        )
        self.in_bands = within is not None
        if within:
            filters = mel_filters(within)
            far = (torch.arange(bins) - filters.argmax(1)[:, None]).square()
            near = filters + 1e-9 / (1 + far)  # frequencies outside of all bands go with the nearest
            self.register_buffer("filters", filters / filters.sum(1, keepdim=True).clamp_min(1e-9), persistent=False)
            self.register_buffer("spread", (near / near.sum(0)).T.contiguous(), persistent=False)
        self.context = self.network.reach * (n_fft // 4) + 2 * n_fft
        """Samples on each side that a sample depends on."""

    def compressed(self, wave: Float[Tensor, "batch samples"]) -> tuple[Tensor, Tensor, Tensor]:
        """(magnitude, real, imaginary), each [batch, bins, frames], all three with magnitudes raised to the power."""
        real, imaginary = self.fourier.spectrum(wave)
        power = real.square() + imaginary.square() + 1e-9
        share = power ** ((self.compression - 1) / 2)
        return power ** (self.compression / 2), real * share, imaginary * share

    def enhanced(self, wave: Float[Tensor, "batch samples"]) -> tuple[Tensor, Tensor]:
        """The compressed spectrum of the clean wave as (real, imaginary)."""
        size, real, imaginary = self.compressed(wave)
        if self.in_bands:
            with torch.autocast(wave.device.type, enabled=False):
                power = (self.filters @ size.float() ** (2 / self.compression)).clamp_min(1e-9)
            mask = self.network((power.log() / 2 + 3) / 3).float()
            with torch.autocast(wave.device.type, enabled=False):
                mask = self.spread @ (MOST * (mask + log(5)).sigmoid())
            return real * mask, imaginary * mask
        seen = (size.log() / self.compression + 3) / 3  # logarithms: the norms of the network take no level away from them
        mask, add_real, add_imaginary = self.network(seen).float().chunk(3, 1)
        mask = MOST * (mask + log(5)).sigmoid()  # it begins at 1
        return real * mask + add_real, imaginary * mask + add_imaginary

    def wave(self, real: Tensor, imaginary: Tensor) -> Float[Tensor, "batch samples"]:
        """The wave of a compressed spectrum."""
        share = (real.square() + imaginary.square() + 1e-9) ** ((1 / self.compression - 1) / 2)
        return self.fourier.wave(real * share, imaginary * share)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch samples"]:
        return self.wave(*self.enhanced(wave)).clamp(-1, 1)


class MetricCritic(nn.Module):
    """Compressed magnitudes of the clean and the made wave to a mark from 0 to 1. It sees them in mel bands, as ears do."""

    def __init__(self, width: int, mel: Mel, compression: float) -> None:
        super().__init__()
        self.compression = compression
        widths = [2, width, 2 * width, 4 * width, 8 * width]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1, bias=False) for a, b in zip(widths, widths[1:], strict=False))
        self.first = nn.Linear(widths[-1], 4 * width)
        self.last = nn.Linear(4 * width, 1)
        normalize_spectra(self)
        filters = mel_filters(mel)
        self.register_buffer("filters", filters / filters.sum(1, keepdim=True).clamp_min(1e-9), persistent=False)

    def bands(self, size: Float[Tensor, "batch bins frames"]) -> Float[Tensor, "batch bands frames"]:
        with torch.autocast(size.device.type, enabled=False):
            return (self.filters @ size.float() ** (1 / self.compression)).clamp_min(1e-9) ** self.compression

    def forward(
        self, clean: Float[Tensor, "batch bins frames"], made: Float[Tensor, "batch bins frames"]
    ) -> Float[Tensor, " batch"]:
        clean, made = self.bands(clean), self.bands(made)
        x = torch.stack([made, 2 * (made - clean)], 1)  # with the difference at hand it learns the measure twice as fast
        for layer in self.layers:
            x = layer(x)
            x = leaky_relu(instance_norm(x) if min(x.shape[2:]) > 1 else x, 0.2)
        x = x.amax((2, 3)) / x.shape[1] ** 0.5  # maxima of many channels would saturate the sigmoid from the start
        return self.last(leaky_relu(self.first(x), 0.2)).float().sigmoid()[:, 0]


def distortion(wave: Float[Tensor, "batch samples"], clean: Float[Tensor, "batch samples"]) -> Float[Tensor, " batch"]:
    """Decibels of what is wrong over what is clean, from -30 dB on; silence counts as -30 dB a sample."""
    wrong, power = (wave - clean).square().mean(1), clean.square().mean(1)
    return 10 * ((wrong + 1e-7) / (power + 1e-5) + 1e-3).log10()


class CMGAN(MakingWaves):
    """Errors of spectra and waves, and the marks of a critic that learns a measure (equations 4 to 9)."""

    Config = Config
    opens: ClassVar[Mapping[str, str]] = {"degrade": "noise0"}
    probed = 64
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="speech in minutes on a CPU",
            kind="audio",
            batch=8,
            minutes=10.0,
            config={"bands": 64, "colour": 8.0, "crowd": 0.4},
        ),
        "wide": Preset(
            about="for a GPU",
            kind="audio",
            batch=16,
            samples=2_000_000,
            config={"width": 512, "blocks": 12, "critic_width": 16, "learning_rate": 5e-4},
        ),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        assert isinstance(spec, AudioSpec) and isinstance(spec.source, AudioSpec)
        size = spec.n_fft // 2  # 32 ms, as speech is enhanced in
        within = Mel(spec.rate, size, size // 4, config.bands) if config.bands and spec.source.added else None
        self.generator = Player(
            Enhancer(config, size, within),
            learning_rate=Cosine(config.learning_rate, config.learning_rate / 10),
            average=partial(Average, half_life=config.half_life),
            max_gradient_norm=5.0,
        )
        seen = Mel(spec.rate, spec.n_fft // 2, spec.n_fft // 8, SEEN)
        self.critic = Player(
            MetricCritic(config.critic_width, seen, config.compression), learning_rate=config.critic_learning_rate
        )

    def marks(self, clean: Float[Tensor, "batch samples"], made: Float[Tensor, "batch samples"]) -> Float[Tensor, " batch"]:
        """What the critic is to learn: 1 is best."""
        mel = self.spec.mel
        near = (-(log_mel(clean, mel) - log_mel(made, mel)).abs().mean((1, 2))).exp()
        if self.config.measure == "mel":
            return near
        pairs = zip(clean.double().cpu().numpy(), made.detach().double().cpu().numpy(), strict=True)
        found = torch.tensor(np.array([stoi(one, other, self.spec.rate) for one, other in pairs])).to(near)
        return torch.where(found.isfinite(), found.clamp(0, 1), near)  # clips of silence have no intelligibility

    def drawn(self, draw: Draw) -> tuple[Tensor, Tensor]:
        """(given, clean) waves [B, samples]; what was added to them is that of others in the batch, if it is known to be added."""
        batch, config = draw(), self.config
        given, clean = batch["a"].float(), batch["b"].float()
        if not (config.remix and self.spec.source.added):
            return given, clean
        noises = given - clean
        added = self.other(noises)
        if config.crowd:
            there = uniform_rows(len(clean), 1, device=clean.device) < config.crowd
            added = torch.where(there, (added + self.other(noises)) * 0.5**0.5, added)
        clean = varied(clean, pace=config.pace, colour=config.colour / 2)
        given = clean + added
        level = 10 ** (QUIETEST / 20 * uniform_rows(len(clean), 1, device=clean.device))
        level = level / (given.abs().amax(1, keepdim=True) * level).clamp_min(1)
        return given * level, clean * level

    def other(self, noises: Tensor) -> Tensor:
        """The sounds that were added to other examples, at other paces and levels."""
        config = self.config
        added = noises[uniform_rows(len(noises), 1, device=noises.device)[:, 0].argsort()]
        return varied(added, pace=config.pace, decibels=(-config.louder, config.louder), colour=config.colour)

    def play(self, draw: Draw) -> Iterator[Move]:
        config, network = self.config, self.generator.network
        given, clean = self.drawn(draw)
        true_size, true_real, true_imaginary = network.compressed(clean)
        real, imaginary = network.enhanced(given)
        size = (real.square() + imaginary.square() + 1e-9).sqrt()
        wave = network.wave(real, imaginary).float()
        terms = {
            "magnitudes": config.magnitudes * (size - true_size).square().mean(),
            "complexes": config.complexes * ((real - true_real).square() + (imaginary - true_imaginary).square()).mean(),
            "distortion": config.distortion * distortion(wave, clean).mean(),
        }
        if self.clock.progress() >= config.critic_begins and self.clock.every(config.critic_interval):
            with torch.no_grad():
                noisy_size = network.compressed(given)[0]
                marks = torch.cat([self.marks(clean, wave), self.marks(clean, given), torch.ones_like(clean[:, 0])])
            seen = torch.cat([size.detach(), noisy_size, true_size])
            yield self.critic.minimizes(mark=(self.critic(true_size.repeat(3, 1, 1), seen) - marks).square().mean())
            weight = config.adversarial * config.critic_interval
            terms["mark"] = weight * (self.critic(true_size, size) - 1).square().mean()
        yield self.generator.minimizes(**terms)

    def scores(self, batch: Batch) -> Tensor:
        network = self.generator.network
        clean, made = (network.compressed(each.float())[0] for each in (batch.get("target", batch["b"]), batch["b"]))
        return self.critic(clean, made)
