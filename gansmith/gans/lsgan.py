"""LSGAN: least squares instead of cross entropy (Mao et al. 2017, "Least squares generative adversarial networks").

The generator also learns from examples that the critic takes for real but that lie far from the real ones' target. Strided players;
square images of 8, 16, 28, 32, 64, 128 or 256 pixels.

    gansmith train digits --gan lsgan

Fashion-MNIST, 134 CPU seconds (185,536 images), one thread, seed 0: Frechet distance 2.5 (a Gaussian per class 11.5, real 0.04), coverage
0.55, recall 0.69; the requested class is read from 87% of the images (from 91% of real ones).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from gansmith.adversarial import least_squares_critic, least_squares_generator
from gansmith.data.spec import Spec
from gansmith.game import GAN, Draw, Move, Preset
from gansmith.gans._players import strided_players
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of LSGAN; the defaults are the paper's for scenes (section 4.1), with DCGAN's widths."""

    width: int = 128
    """Channels of the generator before its last layer; twice as many at each halving of the side, at most eight times."""
    critic_width: int = 64
    """Channels of the critic after its first layer."""
    noise: int = 1024
    """Dimensions of the latent noise."""
    learning_rate: float = 1e-3
    """Adam's step size for both players."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""


class LSGAN(GAN):
    """The least squares game between strided convolutional players."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the width, half the batch and step",
            batch=32,
            minutes=2.5,
            config={"width": 32, "critic_width": 32, "noise": 100, "learning_rate": 5e-4},
        ),
        "paper": Preset(about="the paper's steps and batch", batch=64, samples=10_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.generator, self.critic = strided_players(config, spec, gan="lsgan", batch_norm=True)

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)
        yield self.critic.minimizes(
            least_squares=least_squares_critic(self.critic(real, label), self.critic(fake.detach(), label))
        )
        yield self.generator.minimizes(least_squares=least_squares_generator(self.critic(fake, label)))
