"""BEGAN: boundary equilibrium, a critic that is an autoencoder (Berthelot et al. 2017).

The critic learns to reconstruct real images better than generated ones, the generator makes images that are reconstructed well; a
controller weighs the two so that the errors keep a fixed ratio, which trades diversity for quality. Images of any even size.

    gansmith train digits --gan began

Fashion-MNIST, 200 CPU seconds (167,200 images), one thread, seed 0: Frechet distance 4.1 (a Gaussian per class 11.5, real 0.04), coverage
0.46, recall 0.38; the requested class is read from 86% of the images (from 91% of real ones). With the paper's convolutions (`--gan.network
elu`, `--gan.width 16`, patches of two pixels) it stood at 36.6 after 49 seconds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.autoencoder import autoencoding_networks
from gansmith.training.distributed import average
from gansmith.training.ema import Average
from gansmith.training.schedules import Geometric
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of BEGAN; the defaults are the paper's (section 4.1)."""

    diversity: float = 0.5
    """Gamma: the error of generated images over that of real ones at the equilibrium; more is more diverse, less is sharper."""
    gain: float = 1e-3
    """Lambda of the controller: how fast the weight of generated images moves."""
    network: Literal["elu", "plain"] = "elu"
    """The players: BEGAN's convolutions of 3x3 with ELU, or a few strided convolutions, which learn most in a second of a CPU."""
    width: int = 128
    """Channels of the decoders, and of the encoder's first stage."""
    patch: int = 1
    """Side of the pixel patches that the networks see as one position; 2 spares a CPU the highest resolution."""
    noise: int = 64
    """Dimensions of the latent noise and of the critic's code. Noise is normal, where the paper has uniform noise."""
    learning_rate: float = 1e-4
    """Adam's step size for both players at the start."""
    learning_rate_end: float = 1e-5
    """Step size at the end; it falls by equal factors, where the paper halves it when progress stalls."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""


class BEGAN(GAN):
    """The boundary equilibrium game (section 3.4)."""

    Config = Config
    balance: Tensor
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: plain and narrow players, larger steps, more diversity",
            batch=32,
            minutes=2.5,
            config={
                "network": "plain",
                "width": 24,
                "learning_rate": 1e-3,
                "learning_rate_end": 2e-4,
                "diversity": 0.95,
                "gain": 0.1,
            },
        ),
        "paper": Preset(about="the paper's steps and batch", batch=16, samples=8_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        generator, critic = autoencoding_networks(config, spec)
        falling = Geometric(config.learning_rate, config.learning_rate_end)
        adam: dict[str, Any] = {"learning_rate": falling, "betas": (config.beta1, 0.999)}
        self.generator = Player(generator, **adam, average=partial(Average, half_life=config.half_life))
        self.critic = Player(critic, **adam)
        self.register_buffer("balance", torch.zeros(()))

    def error(self, examples: Tensor, label: Tensor | None) -> Float[Tensor, " batch"]:
        """The mean absolute error of the reconstruction of each example."""
        return (self.critic(examples, label)[1] - examples).abs().flatten(1).mean(1)

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)
        real_error, fake_error = self.error(real, label).mean(), self.error(fake.detach(), label).mean()
        yield self.critic.minimizes(real_error=real_error, fake_error=-self.balance.clone() * fake_error)
        generator_error = self.error(fake, label).mean()
        yield self.generator.minimizes(error=generator_error)
        with torch.no_grad():
            surplus = average(self.config.diversity * real_error - generator_error)
            self.balance.add_(self.config.gain * surplus).clamp_(0, 1)

    def scores(self, batch: Batch) -> Tensor:
        """Minus the error: what is reconstructed well counts as real."""
        return -self.error(batch[self.spec.key], batch.get("label"))
