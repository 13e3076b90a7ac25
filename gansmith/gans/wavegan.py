"""WaveGAN: raw waves by strided convolutions (Donahue et al. 2019, "Adversarial audio synthesis").

DCGAN stretched out along time: kernels of 25 samples that enlarge four times. The critic's layers are shifted at random (phase shuffle), so
that it cannot tell generated waves by the phase of their artefacts.

    gansmith train drums --gan wavegan
    gansmith train sounds/ --gan wavegan --preset paper
    gansmith generate RUN -n 16 --where class=kick --out kicks/

Classes and attributes, which the paper has not, join the noise, and enter the critic by projection (Miyato & Koyama 2018). `specgan` learns
more in the same time of a CPU: docs/audio.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from gansmith.adversarial import wasserstein_critic, wasserstein_generator
from gansmith.data.spec import Spec
from gansmith.data.values import Moves
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.dense import Judge
from gansmith.layers.labels import Label, with_label
from gansmith.penalties import gradient_penalty
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows, uniform_rows

SIZE, STRIDE = 25, 4
FEWEST = 4
"""Samples that are not divided further."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of WaveGAN; the defaults are the paper's (appendix D)."""

    width: int = 64
    """Channels before the last layer, doubled at each quarter of the length up to sixteen times."""
    noise: int = 100
    """Dimensions of the noise."""
    phase_shuffle: int = 2
    """The most samples by which the critic's layers are shifted; 0 for none."""
    critic_moves: Moves = 5
    """Critic moves for each generator move."""
    penalty: float = 10.0
    """Weight of the gradient penalty."""
    learning_rate: float = 1e-4
    """Adam's step size for both players."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""


def quarters(samples: int) -> tuple[int, int]:
    """How often a length can be divided by four, and what is left."""
    count = 0
    while samples % STRIDE == 0 and samples // STRIDE >= FEWEST:
        samples, count = samples // STRIDE, count + 1
    return count, samples


class WaveGenerator(nn.Module):
    """Noise and label to a wave (table 3)."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        count, length = quarters(spec.shape[0])
        widths = [config.width * min(16, 2**place) for place in reversed(range(count))]
        self.lowest = (widths[0] if widths else 1, length)
        self.first = nn.Linear(config.noise + spec.label_width, self.lowest[0] * length)
        self.layers = nn.ModuleList(
            nn.ConvTranspose1d(a, b, SIZE, STRIDE, padding=11, output_padding=1)
            for a, b in zip(widths, [*widths[1:], 1], strict=True)
        )

    def forward(self, noise: Float[Tensor, "batch noise"], label: Label | None = None) -> Float[Tensor, "batch samples"]:
        x = self.first(with_label(noise, label, self.spec)).unflatten(1, self.lowest)
        for layer in self.layers:
            x = layer(relu(x))
        return x[:, 0].float().tanh()


class WaveCritic(nn.Module):
    """A wave and its label to a logit (table 4)."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.most = config.phase_shuffle
        count, length = quarters(spec.shape[0])
        widths = [config.width * min(16, 2**place) for place in range(count)]
        self.layers = nn.ModuleList(
            nn.Conv1d(a, b, SIZE, STRIDE, padding=11) for a, b in zip([1, *widths[:-1]], widths, strict=True)
        )
        self.judge = Judge((widths[-1] if widths else 1) * length, widths[-1] if widths else 1, spec)

    def forward(self, wave: Float[Tensor, "batch samples"], label: Label | None = None) -> Float[Tensor, " batch"]:
        x = wave[:, None]
        for place, layer in enumerate(self.layers):
            x = leaky_relu(layer(x), 0.2)
            if self.training and self.most and place + 1 < len(self.layers):
                x = shuffled(x, self.most)
        return self.judge(x.flatten(1), label)


def shuffled(x: Float[Tensor, "batch channels samples"], most: int) -> Float[Tensor, "batch channels samples"]:
    """Every example shifted by up to `most` samples, mirrored where it begins and ends (section 3.3)."""
    shift = (uniform_rows(len(x), 1, device=x.device) * (2 * most + 1)).long().clamp(max=2 * most) - most
    last = x.shape[2] - 1
    places = (torch.arange(x.shape[2], device=x.device) + shift).abs()
    places = last - (last - places).abs()
    return x.gather(2, places[:, None].expand_as(x))


class WaveGAN(GAN):
    """WGAN-GP on waves (section 3.2)."""

    Config = Config
    kinds = ("audio",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the width, two critic moves, larger steps",
            kind="audio",
            batch=32,
            minutes=10.0,
            config={"width": 16, "noise": 64, "critic_moves": 2, "learning_rate": 4e-4},
        ),
        "paper": Preset(about="the paper's networks", kind="audio", batch=64, samples=64 * 5 * 200_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        adam = {"learning_rate": config.learning_rate, "betas": (0.5, 0.9)}
        average = partial(Average, half_life=config.half_life)
        self.generator = Player(WaveGenerator(config, spec), average=average, **adam)
        self.critic = Player(WaveCritic(config, spec), **adam)

    def fake(self, label: Tensor | None, n: int) -> Tensor:
        return self.generator(normal_rows(n, self.config.noise, device=self.device), label)

    def play(self, draw: Draw) -> Iterator[Move]:
        for _ in range(self.config.critic_moves):
            batch = draw()
            real, label = batch["wave"], batch.get("label")
            fake = self.fake(label, len(real)).detach()
            penalty = gradient_penalty(lambda x, label=label: self.critic(x, label), real, fake)
            wasserstein = wasserstein_critic(self.critic(real, label), self.critic(fake, label))
            yield self.critic.minimizes(wasserstein=wasserstein, penalty=self.config.penalty * penalty)
        yield self.generator.minimizes(wasserstein=wasserstein_generator(self.critic(self.fake(label, len(real)), label)))
