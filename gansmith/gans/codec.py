"""Codec: sound as a few codes a frame, and back (Zeghidour et al. 2021, SoundStream; Siuzdak 2023, Vocos).

An encoder sees the mel spectrum of a wave, residual vector quantisation leaves one code of each of a few codebooks for every frame, and a
decoder makes the spectrum anew, with a critic against the mean of all sounds of a code. The wave follows by Griffin and Lim's iterations,
or, with `--gan.head spectrum`, from magnitudes and phases as in Vocos, with that paper's critics and losses, for a GPU.

    gansmith train voice/ --gan codec                        # a folder of recordings: 2 kbit/s at 16 kHz
    gansmith translate RUN in.wav --out codes.npz            # codes [codebooks, frames]; the bit rate is printed
    gansmith translate RUN codes.npz --out back.wav
    gansmith translate RUN in.wav --out back.wav             # through the codes at once

Where SoundStream has strided convolutions, ConvNeXt blocks run along the frames of the spectrum, as in Vocos. Figures: docs/audio.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import log, log2
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gansmith.adversarial import hinge_critic, hinge_generator
from gansmith.augment.sounds import varied
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.gans._waves import MakingWaves, mean_logits
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import FLOOR, log_mel
from gansmith.layers.convnext import FrameNetwork
from gansmith.layers.patch_critic import PatchCritic
from gansmith.layers.residual_quantiser import ResidualQuantiser
from gansmith.layers.sounding import MAGNIFIED, ComplexHead, GriffinLim, LogMel
from gansmith.layers.wave_critics import WaveCritics, feature_distance
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of the codec."""

    codebooks: int = 4
    """Codebooks, each of which takes what the ones before it left."""
    codes: int = 256
    """Codes of each."""
    depth: int = 32
    """Numbers of a code."""
    width: int = 192
    """Channels inside encoder and decoder."""
    blocks: int = 3
    """ConvNeXt blocks of each."""
    head: Literal["phases", "spectrum"] = "phases"
    """What makes the wave: Griffin-Lim iterations on a spectrum of mel bands, or a complex spectrum at once."""
    iterations: int = 32
    """Griffin-Lim iterations."""
    decay: float = 0.95
    """How much of a code stays in a round."""
    commitment: float = 0.25
    """Weight of the distance of what is encoded from its codes."""
    adversarial: float = 0.02
    """Weight of the adversarial term where Griffin-Lim follows."""
    mel: float = 45.0
    """Weight of the L1 distance of logarithmic mel spectra where none follows."""
    features: float = 2.0
    """Weight of feature matching there."""
    critic_begins: float = 0.5
    """The share of the budget after which the critics join."""
    critic_width: int = 16
    """Channels of the critics' first layers."""
    pace: float = 0.0
    """How much faster or slower, and so higher or lower, the sounds are learned, at random: 0.1 for hours of training on few recordings."""
    quieter: float = 0.0
    """By up to how many decibels they are quieter then."""
    learning_rate: float = 1e-3
    """Adam's step size for the generator, which falls to a tenth."""
    critic_learning_rate: float = 4e-4
    """Adam's step size for the critics."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in samples."""

    def __post_init__(self) -> None:
        if not 2 <= self.codes <= 65_536:
            raise UserError(f"--gan.codes must be from 2 to 65536, but it is {self.codes}.")


class Coder(nn.Module):
    """A wave to codes, and codes to a wave; called, it does both."""

    def __init__(self, config: Config, spec: AudioSpec) -> None:
        super().__init__()
        self.multiple, self.low = spec.hop, log(FLOOR)
        self.spectrum = LogMel(spec.mel)
        self.encoder = FrameNetwork(spec.bands, config.width, config.blocks, config.depth)
        self.quantiser = ResidualQuantiser(config.codebooks, config.codes, config.depth, decay=config.decay, rare=0.05)
        self.inner = FrameNetwork(
            config.depth, config.width, config.blocks, spec.bands if config.head == "phases" else spec.n_fft + 2
        )
        self.phases = GriffinLim(spec.mel, spec.shape[0] // spec.hop, config.iterations) if config.head == "phases" else None
        self.head = None if self.phases else ComplexHead(spec.n_fft, spec.hop)
        if self.phases is not None:
            self.tolerance = MAGNIFIED

    def encoded(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch depth frames"]:
        return self.encoder((self.spectrum(wave) - self.low) / 4 - 1)

    def bands(self, code: Float[Tensor, "batch depth frames"]) -> Float[Tensor, "batch bands frames"]:
        """The logarithmic mel spectrum of codes, where Griffin-Lim follows."""
        return (self.inner(code).float() + 1) * 4 + self.low

    def decoded(self, code: Float[Tensor, "batch depth frames"]) -> Float[Tensor, "batch samples"]:
        if self.phases is None:
            assert self.head is not None
            return self.head(self.inner(code).float())
        return self.phases(self.bands(code).exp() - 0.999 * FLOOR).clamp(-1, 1)

    def codes(self, wave: Float[Tensor, "batch samples"]) -> Int[Tensor, "batch codebooks frames"]:
        return self.quantiser.nearest(self.encoded(wave))

    def from_codes(self, codes: Int[Tensor, "batch codebooks frames"]) -> Float[Tensor, "batch samples"]:
        return self.decoded(self.quantiser.look_up(codes))

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch samples"]:
        return self.from_codes(self.codes(wave))


class Codec(MakingWaves):
    """The distance of mel spectra, commitment, and hinge losses: of patches of spectra, or of Vocos' critics."""

    Config = Config
    opens: ClassVar[Mapping[str, str]] = {"degrade": "same"}
    probed = 32
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="a voice in minutes on a CPU, 2 kbit/s at 16 kHz", kind="audio", batch=16, minutes=10.0),
        "wide": Preset(
            about="a complex spectrum at once, with critics of waves, for a GPU",
            kind="audio",
            batch=32,
            samples=8_000_000,
            config={"head": "spectrum", "width": 512, "blocks": 8, "codes": 1024, "critic_begins": 0.0, "critic_width": 32},
        ),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        assert isinstance(spec, AudioSpec)
        self.generator = Player(
            Coder(config, spec),
            learning_rate=Cosine(config.learning_rate, config.learning_rate / 10),
            betas=(0.8, 0.99),
            average=partial(Average, half_life=config.half_life),
            max_gradient_norm=5.0 if config.head == "phases" else 100.0,
        )
        if config.head == "phases":
            critic: nn.Module = PatchCritic(1, width=config.critic_width, layers=2, batch_norm=False)
        else:
            critic = WaveCritics((2, 3, 5, 7, 11), (512, 1024, 2048), config.critic_width, config.critic_width)
        self.critic = Player(critic, learning_rate=config.critic_learning_rate, betas=(0.5, 0.9))
        self.absorbed = -1

    @property
    def coder(self) -> Coder:
        """The network that learns."""
        assert isinstance(self.generator.network, Coder)
        return self.generator.network

    @property
    def bits_per_second(self) -> float:
        spec, config = self.spec, self.config
        return config.codebooks * log2(config.codes) * spec.rate / spec.hop

    @property
    def books(self) -> tuple[int, int]:
        """(codebooks, codes of each)."""
        return self.config.codebooks, self.config.codes

    def codes(self, wave: Float[Tensor, "batch samples"]) -> Int[Tensor, "batch codebooks frames"]:
        """Those of the averaged network, one a codebook and hop."""
        network = self.generator.averaged
        assert isinstance(network, Coder)
        return network.codes(wave)

    def from_codes(self, codes: Int[Tensor, "batch codebooks frames"]) -> Float[Tensor, "batch samples"]:
        network = self.generator.averaged
        assert isinstance(network, Coder)
        return network.from_codes(codes)

    def play(self, draw: Draw) -> Iterator[Move]:
        real, config = draw()["b"], self.config
        if config.pace or config.quieter:
            real = varied(real, pace=config.pace, decibels=(-config.quieter, 0.0))
        if self.absorbed != self.clock.rounds:  # once a round, however many games are played in lockstep
            self.coder.quantiser.absorb()
            self.absorbed = self.clock.rounds
        code, distance = self.coder.quantiser(self.coder.encoded(real))
        moves = self.on_spectra if config.head == "phases" else self.on_waves
        yield from moves(real, code, config.commitment * distance, self.clock.progress() >= config.critic_begins)

    def on_spectra(self, real: Tensor, code: Tensor, commitment: Tensor, with_critic: bool) -> Iterator[Move]:
        """Moves where Griffin-Lim follows the game."""
        fake, true = self.coder.bands(code), log_mel(real, self.spec.mel)
        terms = {"l1": (fake - true).abs().mean(), "commitment": commitment}
        if with_critic:
            true, made = ((each[:, None] - log(FLOOR)) / 4 - 1 for each in (true, fake))
            yield self.critic.minimizes(hinge=hinge_critic(self.critic(true), self.critic(made.detach())))
            terms["hinge"] = self.config.adversarial * hinge_generator(self.critic(made))
        yield self.generator.minimizes(**terms)

    def on_waves(self, real: Tensor, code: Tensor, commitment: Tensor, with_critic: bool) -> Iterator[Move]:
        """Moves where the network makes the wave."""
        fake = self.coder.decoded(code)
        distance = (log_mel(fake, self.spec.mel) - log_mel(real, self.spec.mel)).abs().mean()
        terms = {"mel": self.config.mel * distance, "commitment": commitment}
        if with_critic:
            pairs = zip(self.critic(real), self.critic(fake.detach()), strict=True)
            yield self.critic.minimizes(hinge=torch.stack([hinge_critic(true, made) for (true, _), (made, _) in pairs]).mean())
            with torch.no_grad():
                true = self.critic(real)
            made = self.critic(fake)
            terms["hinge"] = torch.stack([hinge_generator(logits) for logits, _ in made]).mean()
            terms["features"] = self.config.features * feature_distance(true, made)
        yield self.generator.minimizes(**terms)

    def scores(self, batch: Batch) -> Tensor:
        wave = batch["b"].float()
        if self.config.head == "phases":
            shown = (log_mel(wave, self.spec.mel)[:, None] - log(FLOOR)) / 4 - 1
            return self.critic(shown).flatten(1).mean(1)
        return mean_logits(self.critic, wave)

    def gauges(self) -> Mapping[str, float]:
        """How evenly the codebooks are used, from 0 to 1."""
        return {"codebook_use": round(self.coder.quantiser.used(), 4)}
