"""AdVoc: mel spectra to waves by adversarial vocoding (Neekhara et al. 2019, "Expediting TTS synthesis with adversarial vocoding").

What a mel spectrum has lost of the magnitudes is made by a network and judged by a critic of patches; phases follow by Griffin and
Lim's iterations, which the network does at its end. It begins at the quality of Griffin-Lim, where networks that make waves as a whole
begin at noise.

    gansmith train voice/ --gan advoc                       # a folder of recordings is enough
    gansmith translate RUN recordings/ --out made/          # through the mel spectrum and back
    gansmith translate RUN mels/ --out made/                # .npy [bands, frames], logarithmic

Where the paper has a U-Net in two dimensions, here ConvNeXt blocks run along time (as in Vocos, Siuzdak 2023), and the bands of what is
made are held to those that are given. Figures: docs/audio.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import log
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.adversarial import hinge_critic, hinge_generator
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.game import Draw, Move, Player, Preset
from gansmith.gans._waves import MakingWaves
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import FLOOR, magnitude, mel_filters, stft
from gansmith.layers.convnext import FrameNetwork
from gansmith.layers.patch_critic import PatchCritic
from gansmith.layers.sounding import MAGNIFIED, GriffinLim
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine

QUIETEST = 1e-3
"""Magnitudes below this are not told apart."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of AdVoc."""

    width: int = 384
    """Channels inside the generator."""
    blocks: int = 4
    """ConvNeXt blocks of the generator."""
    iterations: int = 64
    """Griffin-Lim iterations that find the phases (the paper: local weighted sums)."""
    critic_width: int = 16
    """Channels of the critic's first layer."""
    critic_layers: int = 2
    """Halvings of the critic."""
    adversarial: float = 0.05
    """Weight of the adversarial term."""
    critic_begins: float = 0.3
    """The share of the budget after which the critic plays along."""
    bands: float = 1.0
    """Weight of the L1 distance of logarithmic mel bands from those given."""
    learning_rate: float = 1e-3
    """Adam's step size for the generator, which falls to a tenth."""
    critic_learning_rate: float = 4e-4
    """Adam's step size for the critic."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in samples."""


class Vocoder(nn.Module):
    """A logarithmic mel spectrum to a wave."""

    tolerance = MAGNIFIED

    def __init__(self, config: Config, spec: AudioSpec) -> None:
        super().__init__()
        bins = spec.n_fft // 2 + 1
        frames = spec.source_shape[1]
        self.network = FrameNetwork(spec.bands, config.width, config.blocks, bins, start=0.0)
        self.phases = GriffinLim(spec.mel, frames, config.iterations)

    def logarithms(self, mel: Float[Tensor, "batch bands frames"]) -> Float[Tensor, "batch bins frames"]:
        """Logarithmic magnitudes: the least-squares inverse of the mel bands, times what the network answers."""
        inverse = self.phases.spread(mel.float().exp())
        return inverse.clamp_min(QUIETEST).log() + self.network((mel - log(FLOOR)) / 4 - 1).float()

    def forward(self, mel: Float[Tensor, "batch bands frames"]) -> Float[Tensor, "batch samples"]:
        size = self.logarithms(mel).exp() - QUIETEST
        return self.phases.wave(size.clamp_min(1e-7), mel.float().exp()).clamp(-1, 1)


class AdVoc(MakingWaves):
    """Hinge losses on patches of logarithmic magnitudes, with their L1 distance and that of their mel bands."""

    Config = Config
    source_axes = (("band", "frame"),)
    opens: ClassVar[Mapping[str, str]] = {"degrade": "mel"}
    probed = 32
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="a voice in minutes on a CPU", kind="audio", batch=16, minutes=10.0),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        assert isinstance(spec, AudioSpec)
        self.mel = spec.mel
        self.register_buffer("filters", mel_filters(self.mel), persistent=False)
        self.generator = Player(
            Vocoder(config, spec),
            learning_rate=Cosine(config.learning_rate, config.learning_rate / 10),
            betas=(0.8, 0.99),
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(
            PatchCritic(1, width=config.critic_width, layers=config.critic_layers, batch_norm=False),
            learning_rate=config.critic_learning_rate,
            betas=(0.5, 0.9),
        )

    def picture(self, wave: Tensor) -> Float[Tensor, "batch bins frames"]:
        """Logarithmic magnitudes of real waves."""
        return magnitude(stft(wave.float(), self.mel.n_fft, self.mel.hop)).clamp_min(QUIETEST).log()

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        given, real = batch["a"], self.picture(batch["b"])
        fake = self.generator.network.logarithms(given)
        terms = {"l1": (fake - real).abs().mean()}
        if self.config.bands:
            with torch.autocast(fake.device.type, enabled=False):
                made = (self.filters @ fake.clamp(max=8).exp()).clamp_min(FLOOR).log()
            terms["bands"] = self.config.bands * (made - given.clamp_min(log(QUIETEST))).abs().mean()
        if self.clock.progress() >= self.config.critic_begins:
            shown, true = (each.clamp_min(log(QUIETEST))[:, None] / 4 for each in (fake, real))
            yield self.critic.minimizes(hinge=hinge_critic(self.critic(true), self.critic(shown.detach())))
            terms["hinge"] = self.config.adversarial * hinge_generator(self.critic(shown))
        yield self.generator.minimizes(**terms)

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(self.picture(batch["b"])[:, None] / 4).flatten(1).mean(1)
