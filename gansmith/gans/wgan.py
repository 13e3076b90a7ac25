"""WGAN: the critic's score difference estimates a distance (Arjovsky et al. 2017, "Wasserstein GAN", algorithm 1).

The critic's weights are clipped to a small box and it moves several times a round; RMSProp, no logarithms.

    gansmith train digits --gan wgan

MNIST, 639 CPU seconds (1.3 million samples): Frechet distance 2.3, coverage 0.46, one thread, seed 0: the slowest to learn of ours.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch

from gansmith.adversarial import wasserstein_critic, wasserstein_generator
from gansmith.data.spec import Spec
from gansmith.data.values import Moves
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.flat import FlatCritic, FlatGenerator
from gansmith.layers.strided import StridedCritic, StridedGenerator
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of WGAN; the defaults are the paper's (algorithm 1)."""

    critic_moves: Moves = 5
    """Moves of the critic in each round."""
    clip: float = 0.01
    """The critic's weights are kept in [-clip, clip]."""
    width: int = 64
    """Channels of both convolutional players at the highest stage; units times eight for points."""
    noise: int = 100
    """Dimensions of the latent noise."""
    learning_rate: float = 5e-5
    """RMSProp's step size for both players."""
    half_life: int = 50_000
    """Half-life of the generator's moving average in samples."""


class WGAN(GAN):
    """The Wasserstein game with weight clipping."""

    Config = Config
    kinds = ("images", "points")
    axes = (("dimension",),)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: half the width, larger steps, three critic moves",
            batch=64,
            minutes=2.5,
            config={"width": 32, "learning_rate": 5e-4, "critic_moves": 3},
        ),
        "paper": Preset(about="the paper's widths and steps", batch=64, samples=30_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if spec.axes == ("dimension",):
            generator = FlatGenerator(spec, noise=config.noise, width=8 * config.width)
            critic = FlatCritic(spec, width=8 * config.width)
        else:
            generator = StridedGenerator(spec, noise=config.noise, width=config.width, gan="wgan")
            critic = StridedCritic(spec, width=config.width, batch_norm=True, gan="wgan")
        rmsprop = partial(torch.optim.RMSprop, lr=config.learning_rate)
        self.generator = Player(
            generator,
            learning_rate=config.learning_rate,
            optimizer=rmsprop,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(critic, learning_rate=config.learning_rate, optimizer=rmsprop)

    def play(self, draw: Draw) -> Iterator[Move]:
        for _ in range(self.config.critic_moves):
            batch = draw()
            real, label = batch[self.spec.key], batch.get("label")
            noise = normal_rows(len(real), self.config.noise, device=real.device)
            with torch.no_grad():
                fake = self.generator(noise, label)
            yield self.critic.minimizes(wasserstein=wasserstein_critic(self.critic(real, label), self.critic(fake, label)))
            self.critic.clamp(self.config.clip)

        fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)
        yield self.generator.minimizes(wasserstein=wasserstein_generator(self.critic(fake, label)))
