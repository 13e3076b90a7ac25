"""SpecGAN: sounds as pictures of their spectra (Donahue et al. 2019, "Adversarial audio synthesis", section 3.3).

Logarithmic mel spectra of 64 bands and about as many frames are learned in R3GAN's game (Huang et al. 2024), by few strided
convolutions; phases follow by Griffin and Lim's iterations, which the network does at its end. For sounds of a second or two: drums, words,
effects, notes.

    gansmith train drums                                    # built-in drum hits
    gansmith train sounds/ --minutes 15                     # sub-folders are classes
    gansmith generate RUN -n 16 --where class=snare --out snares/
    gansmith generate RUN --where pitch=60 --where instrument=violin    # of notes with a labels.csv

Spoken digits of six speakers after 640 CPU seconds (preset medium, seed 0): a classifier of real ones hears .914 of the requested classes
(of a Gaussian of spectra .769, of real ones .980), recall .94 (real .92). Of notes after 304 CPU seconds, .982 are within 50 cents of the
requested pitch (of real ones .946). More is in docs/audio.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import exp
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.transforms import Mel, log_mel
from gansmith.layers.harmonics import HarmonicCritic, HarmonicGenerator, IdealNote
from gansmith.layers.labels import Label
from gansmith.layers.plain import PlainCritic, PlainGenerator
from gansmith.layers.sounding import MAGNIFIED, GriffinLim
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine
from gansmith.training.seeds import normal_rows

LOUDEST = 1.0
"""The logarithmic magnitude that becomes 1 in a picture; a full sine reaches it."""
FRAMES = 56
"""A picture has at least so many frames, where windows would not be too short for that."""
SHORTEST = 0.03
"""Seconds of the shortest window: shorter ones do not part the harmonics of a voice."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of SpecGAN; those of the game are R3GAN's for small images."""

    bands: int | None = None
    """Mel bands of the spectra (the paper: 128 linear ones). None: 64, or 128 of notes with a pitch, whose low harmonics they part."""
    range: float = 12.5
    """How far below a full sine the quietest magnitude that is kept lies, in natural logarithms: 12.5 is 109 dB."""
    iterations: int = 48
    """Griffin-Lim iterations that find the phases (the paper: 16)."""
    noise: int = 64
    """Dimensions of the noise."""
    width: int = 12
    """The generator's channels at half the side of a picture, doubled at each halving up to eight times."""
    critic_width: int = 16
    """The critic's channels at half the side of a picture, doubled at each halving up to eight times."""
    class_embedding: int = 64
    """Dimensions of the critic's learned class vectors."""
    gamma: float | None = None
    """Weight of the gradient penalties at the start; None: the numbers of a picture over 800. It falls to a tenth."""
    learning_rate: float = 2e-3
    """Adam's step size for both players at the start; it falls to a tenth."""
    beta2: float = 0.99
    """Adam's second-moment decay; the first is 0."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples, at the end of the budget; it grows from 0."""

    def __post_init__(self) -> None:
        if self.bands is not None and (self.bands < 8 or self.bands % 8):
            raise UserError(f"--gan.bands must be a multiple of 8, but it is {self.bands}.")


class SoundGenerator(nn.Module):
    """Noise and label to a wave: a picture of its spectrum, then the phases."""

    tolerance = MAGNIFIED

    def __init__(self, config: Config, picture: Spec, mel: Mel, note: IdealNote | None) -> None:
        super().__init__()
        self.quietest = LOUDEST - config.range
        size = {"noise": config.noise, "width": config.width}
        self.pictures = PlainGenerator(picture, **size) if note is None else HarmonicGenerator(picture, note, **size)
        self.phases = GriffinLim(mel, picture.shape[2], config.iterations)

    def forward(self, noise: Float[Tensor, "batch noise"], label: Label | None = None) -> Float[Tensor, "batch samples"]:
        picture = self.pictures(noise, label)[:, 0].float()
        bands = ((picture + 1) / 2 * (LOUDEST - self.quietest) + self.quietest).exp()
        return self.phases(bands - 0.999 * exp(self.quietest)).clamp(-1, 1)  # what lies at the bottom is silence


def resolution(spec: AudioSpec) -> tuple[int, int]:
    """(window, hop), four hops a window: those of the data, or shorter ones where short sounds would have too few frames."""
    n_fft = spec.n_fft
    while spec.shape[0] // (n_fft // 4) < FRAMES and n_fft // 2 >= SHORTEST * spec.rate and n_fft >= 64:
        n_fft //= 2
    return n_fft, n_fft // 4


class SpecGAN(GAN):
    """R3GAN's relativistic pairing game with R1 and R2 on pictures of spectra, both players moving at once."""

    Config = Config
    kinds = ("audio",)
    probed = 64
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="sounds of a second in minutes on a CPU", kind="audio", batch=32, minutes=5.0),
        "medium": Preset(
            about="twice as wide, for a quarter of an hour and more",
            kind="audio",
            batch=32,
            minutes=15.0,
            config={"width": 16, "critic_width": 32},
        ),
        "wide": Preset(
            about="four times as wide, for hours or a GPU",
            kind="audio",
            batch=64,
            samples=2_000_000,
            config={"width": 32, "critic_width": 64},
        ),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        assert isinstance(spec, AudioSpec)
        place = spec.pitched
        bands = self.derived["bands"] = (64 if place is None else 128) if config.bands is None else config.bands
        self.mel = Mel(spec.rate, *resolution(spec), bands)
        shape = (1, bands, spec.shape[0] // self.mel.hop)
        picture = replace(spec, key="image", shape=shape, axes=("channel", "height", "width"))
        gamma = self.derived["gamma"] = bands * shape[2] / 800 if config.gamma is None else config.gamma
        note = None if place is None else IdealNote(self.mel, place, *spec.pitches)
        self.gamma = Cosine(gamma, gamma / 10)
        adam = {
            "learning_rate": Cosine(config.learning_rate, config.learning_rate / 10),
            "betas": (0.0, config.beta2),
        }
        self.generator = Player(
            SoundGenerator(config, picture, self.mel, note),
            average=partial(Average, half_life=Cosine(0, config.half_life)),
            **adam,
        )
        size = {"width": config.critic_width, "class_features": config.class_embedding}
        critic = PlainCritic(picture, **size) if note is None else HarmonicCritic(picture, note, **size)
        self.critic = Player(critic, **adam)

    def picture(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 1 bands frames"]:
        """What the game is played on: the spectrum of a wave, from -1 to 1."""
        spread = (log_mel(wave, self.mel)[:, None] - LOUDEST) / self.config.range
        return (2 * spread + 1).clamp(-1, 1)

    def play(self, draw: Draw) -> Iterator[tuple[Move, ...]]:
        batch = draw()
        real, label = self.picture(batch["wave"]), batch.get("label")
        labels = None if label is None else torch.cat([label, label])
        noise = normal_rows(len(real), self.config.noise, device=real.device)
        assert isinstance(self.generator.network, SoundGenerator)
        fake = self.generator.network.pictures(noise, label)
        logits, norms = with_gradient_norm(lambda x: self.critic(x, labels), torch.cat([real, fake]))
        gamma = self.gamma(self.clock)
        r1, r2 = (gamma * zero_centred(part) for part in norms.chunk(2))
        real_logits, fake_logits = logits.chunk(2)
        yield (
            self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits), r1=r1, r2=r2),
            self.generator.minimizes(relativistic=relativistic_generator(real_logits, fake_logits)),
        )

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(self.picture(batch["wave"]), batch.get("label"))
