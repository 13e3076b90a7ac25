"""DRAGAN: a gradient penalty around real data (Kodali et al. 2017, "On convergence and stability of GANs").

The non-saturating game with a critic that is held to unit slope near real examples, where sharp ones lead to collapse. The critic
has no batch norm, so that its slope at one example does not depend on the others. Square images of 8, 16, 28, 32, 64, 128 or 256
pixels.

    gansmith train digits --gan dragan

Fashion-MNIST, 141 CPU seconds (146,400 images), one thread, seed 0: Frechet distance 2.4 (a Gaussian per class 11.5, real 0.04), coverage
0.55, recall 0.64; the requested class is read from 89% of the images (from 91% of real ones). With the paper's penalty of 10 and batches of
64 it stood at 18.1 after 41 seconds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.data.spec import Spec
from gansmith.game import GAN, Draw, Move, Preset
from gansmith.gans._players import strided_players
from gansmith.terms.dragan import dragan_penalty
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of DRAGAN; the defaults are the paper's penalty (algorithm 1) with DCGAN's widths and steps."""

    penalty: float = 10.0
    """Weight of the gradient penalty."""
    perturbation: float = 0.5
    """How far around real examples the penalty acts, in deviations of their numbers."""
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


class DRAGAN(GAN):
    """The non-saturating game with a penalty around real data."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the width, half the batch, larger steps, a tenth of the penalty",
            batch=32,
            minutes=2.5,
            config={"width": 32, "critic_width": 32, "learning_rate": 1e-3, "penalty": 1.0},
        ),
        "paper": Preset(about="the paper's penalty, DCGAN's steps", batch=64, samples=10_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.generator, self.critic = strided_players(config, spec, gan="dragan", batch_norm=False)

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)
        yield self.critic.minimizes(
            non_saturating=non_saturating_critic(self.critic(real, label), self.critic(fake.detach(), label)),
            penalty=self.config.penalty * dragan_penalty(lambda x: self.critic(x, label), real, self.config.perturbation),
        )
        yield self.generator.minimizes(non_saturating=non_saturating_generator(self.critic(fake, label)))
