"""ACGAN: the critic also tells the class (Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs").

Both players want the class to be recognised: the critic on real and generated images, the generator on its own. On BigGAN's residual
players with the hinge loss, as later papers compare it; attributes are regressed instead of classified. Without labels it plays
BigGAN's game.

    gansmith train digits --gan acgan

Fashion-MNIST, 207 CPU seconds (88,256 images), one thread, seed 0: Frechet distance 4.9 (a Gaussian per class 11.5, real 0.04), coverage
0.34, recall 0.12; the class is read from 92% of the images (from 91% of real ones). After 94 seconds the distance was 11.5: classes
are told apart soon, the variety within them comes late. The settings of later papers have not been trained.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from gansmith.adversarial import hinge_critic, hinge_generator
from gansmith.data.spec import Spec
from gansmith.data.values import Moves
from gansmith.game import GAN, Draw, Move, Preset
from gansmith.gans._players import big_players
from gansmith.layers.big import BigTrunk
from gansmith.layers.labels import Label
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of ACGAN; the defaults are those with which later papers train it on CIFAR-10 (Kang et al. 2021, appendix)."""

    width: int = 256
    """Channels of both players at the highest resolution, doubled at each halving up to `widest`."""
    widest: int = 256
    """The most channels of a layer."""
    shared: int = 128
    """Dimensions of the class's vector that all layers of the generator share."""
    guided_start: bool = False
    """Whether that vector also enters the generator's first layer, as in BigGAN-deep, and not its norms alone: few blocks then can
    place what belongs to a class."""
    noise: int = 80
    """Dimensions of the latent noise, split over the resolutions."""
    generator_spectra: bool = True
    """Whether the generator's spectra are normalised too; without, it varies its images sooner."""
    patch: int = 1
    """Side of the pixel patches that the networks see as one position; 2 spares a CPU the highest resolution."""
    critic_moves: Moves = 5
    """Moves of the critic in each round."""
    classification: float = 1.0
    """Weight of the class term for both players."""
    learning_rate: float = 2e-4
    """Adam's step size for the generator."""
    critic_learning_rate: float = 2e-4
    """Adam's step size for the critic."""
    learning_rate_end: float = 1.0
    """The share of both step sizes that is left at the end; they fall linearly."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 440_000
    """Half-life of the generator's moving average in samples (0.9999 a round at a batch of 64)."""


class Critic(nn.Module):
    """An image to a logit and to a guess of its label."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.trunk = BigTrunk(spec, width=config.width, widest=config.widest, patch=config.patch, deep=False)
        self.score = nn.Linear(self.trunk.features, 1)
        self.guess = nn.Linear(self.trunk.features, spec.conditions) if spec.conditions else None
        self.weight = config.classification

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        """The logits alone: the label is guessed, not seen."""
        return self.score(self.trunk(image)).squeeze(1)

    def judged(self, image: Tensor, label: Tensor | None) -> tuple[Tensor, dict[str, Tensor]]:
        """The logits, and how far the guesses are from the label."""
        features = self.trunk(image)
        logits = self.score(features).squeeze(1)
        if self.guess is None or label is None:
            return logits, {}
        guess = self.guess(features)
        wrong = mse_loss(guess, label) if label.is_floating_point() else cross_entropy(guess, label)
        return logits, {"classification": self.weight * wrong}


class ACGAN(GAN):
    """The hinge game with a class term for both players."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: narrow, patches of 2x2 pixels, one critic move, larger steps that shrink",
            batch=32,
            minutes=2.5,
            config={
                "width": 48,
                "widest": 64,
                "shared": 32,
                "guided_start": True,
                "generator_spectra": False,
                "noise": 64,
                "patch": 2,
                "critic_moves": 1,
                "learning_rate": 1e-3,
                "critic_learning_rate": 1e-3,
                "learning_rate_end": 0.0,
                "half_life": 10_000,
            },
        ),
        "cifar10": Preset(about="the settings of later papers", batch=64, samples=32_000_000, mirror=True),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        critic = partial(Critic, config, spec)
        self.generator, self.critic = big_players(config, spec, critic, betas=(config.beta1, 0.999))

    def play(self, draw: Draw) -> Iterator[Move]:
        critic = self.critic.network
        assert isinstance(critic, Critic)
        for number in range(self.config.critic_moves):
            batch = draw()
            real, label = batch[self.spec.key], batch.get("label")
            with torch.set_grad_enabled(number == self.config.critic_moves - 1):  # the generator moves once, by the last of these
                fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)
            real_logits, real_terms = critic.judged(real, label)
            fake_logits, fake_terms = critic.judged(fake.detach(), label)
            terms = {name: real_terms[name] + fake_terms[name] for name in real_terms}
            yield self.critic.minimizes(hinge=hinge_critic(real_logits, fake_logits), **terms)
        fake_logits, terms = critic.judged(fake, label)
        yield self.generator.minimizes(hinge=hinge_generator(fake_logits), **terms)
