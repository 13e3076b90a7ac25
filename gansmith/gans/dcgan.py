"""DCGAN: deep convolutional players with batch norm (Radford et al. 2016).

Strided convolutions against transposed ones, batch norm in both players, the non-saturating loss. Square images of 8, 16, 28,
32, 64, 128 or 256 pixels.

    gansmith train digits --gan dcgan

MNIST, 376 CPU seconds (0.6 million samples): Frechet distance 0.24, coverage 0.82, one thread, seed 0.

Fashion-MNIST, 118 CPU seconds (146,880 images), one thread, seed 0: Frechet distance 2.2 (a Gaussian per class 11.5, real 0.04), coverage
0.53, recall 0.70; the requested class is read from 86% of the images (from 91% of real ones).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.augment.instance_noise import instance_noise
from gansmith.data.spec import Spec
from gansmith.game import GAN, Draw, Move, Preset
from gansmith.gans._players import strided_players
from gansmith.training.schedules import Linear
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of DCGAN; the defaults are the paper's (section 4)."""

    width: int = 128
    """Channels of the generator before its last layer; twice as many at each halving of the side, at most eight times."""
    critic_width: int = 64
    """Channels of the critic after its first layer."""
    noise: int = 100
    """Dimensions of the latent noise."""
    learning_rate: float = 2e-4
    """Adam's step size for both players."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""
    label_smoothing: float = 0.0
    """How far the critic's target for real examples lies below 1 (Salimans et al. 2016: 0.1)."""
    instance_noise: float = 0.0
    """Deviation of the noise on all that the critic sees, at the start; it falls to 0 (Sonderby et al. 2017: 0.1)."""
    neighbour_kernels: int = 0
    """Kernels of minibatch discrimination in the critic (Salimans et al. 2016); 0 leaves it out."""


class DCGAN(GAN):
    """The non-saturating game between strided convolutional players."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the width, a quarter of the batch",
            batch=32,
            minutes=2.5,
            config={"width": 32, "critic_width": 32, "learning_rate": 5e-4},
        ),
        "paper": Preset(about="the paper's widths and batch", batch=128, samples=10_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.generator, self.critic = strided_players(
            config, spec, gan="dcgan", batch_norm=True, kernels=config.neighbour_kernels
        )
        self.noise = Linear(config.instance_noise, 0.0)

    def seen(self, examples: Tensor, label: Tensor | None) -> Tensor:
        """The critic's logits for examples under instance noise."""
        return self.critic(instance_noise(examples, self.noise(self.clock)), label)

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)
        real_logits, fake_logits = self.seen(real, label), self.seen(fake.detach(), label)
        yield self.critic.minimizes(non_saturating=non_saturating_critic(real_logits, fake_logits, self.config.label_smoothing))
        yield self.generator.minimizes(non_saturating=non_saturating_generator(self.seen(fake, label)))
