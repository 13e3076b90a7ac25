"""GAN: the original fully connected game (Goodfellow et al. 2014, "Generative adversarial nets").

Two multilayer perceptrons on flattened examples. The generator plays the non-saturating loss of section 3 or, by option, the
minimax loss of equation 1. Kept as history left it: it drops modes, and `health` says so.

    gansmith train digits --gan gan

MNIST, 606 CPU seconds (3.5 million samples): Frechet distance 0.41, coverage 0.92, classification accuracy 0.97 (a real-trained
classifier: 0.99), one thread, seed 0.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from gansmith.adversarial import minimax_critic, minimax_generator, non_saturating_generator
from gansmith.data.spec import Spec
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.flat import FlatCritic, FlatGenerator
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of the original GAN."""

    loss: Literal["non_saturating", "minimax"] = "non_saturating"
    """What the generator minimises: -log D(G(z)), or log(1 - D(G(z))), whose gradient vanishes where the critic is sure."""
    width: int = 512
    """Units in each of the two hidden layers of both players."""
    noise: int = 64
    """Dimensions of the latent noise."""
    learning_rate: float = 2e-4
    """Adam's step size for both players."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""


class OriginalGAN(GAN):
    """The two-player game of algorithm 1, with one critic move per round."""

    Config = Config
    kinds = ("images", "points")
    axes = (("dimension",),)
    presets: ClassVar[Mapping[str, Preset]] = {"small": Preset(about="minutes on a CPU", batch=64, minutes=2.5)}

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        betas = (config.beta1, 0.999)
        self.generator = Player(
            FlatGenerator(spec, noise=config.noise, width=config.width),
            learning_rate=config.learning_rate,
            betas=betas,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(FlatCritic(spec, width=config.width), learning_rate=config.learning_rate, betas=betas)

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)
        yield self.critic.minimizes(minimax=minimax_critic(self.critic(real, label), self.critic(fake.detach(), label)))

        logits = self.critic(fake, label)
        if self.config.loss == "minimax":
            yield self.generator.minimizes(minimax=minimax_generator(logits))
        else:
            yield self.generator.minimizes(non_saturating=non_saturating_generator(logits))
