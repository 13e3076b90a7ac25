"""BigGAN: large batches, large networks, classes everywhere (Brock et al. 2019, "Large scale GAN training").

Residual players with spectral normalisation and attention in both, hierarchical latents, a vector of the class shared by all
layers, projection in the critic, orthogonal regularisation, truncation of the noise. `deep=True` is BigGAN-deep.

    gansmith train digits --gan biggan                      # preset small
    gansmith train cifar10 --gan biggan --preset cifar10

The preset small differs from the paper where few blocks and few rounds need it: the label's vector also enters the first layer
(`guided_start`), the generator's spectra are free, and step sizes fall. On Fashion-MNIST, 137 CPU seconds (54,816 images), one thread,
seed 0: Frechet distance 5.6 (a Gaussian per class 11.5, real 0.04), coverage 0.35, recall 0.27; the requested class is read from 86% of the
images (from 91% of real ones). We have not trained the paper's presets.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.adversarial import hinge_critic, hinge_generator
from gansmith.data.spec import Spec
from gansmith.data.values import Moves
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Preset
from gansmith.gans._players import big_players
from gansmith.layers.big import BigTrunk
from gansmith.layers.labels import Label, label_embedding
from gansmith.layers.orthogonal import orthogonal_penalty
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of BigGAN; the defaults are the paper's for ImageNet at 128 pixels (appendix C)."""

    width: int = 96
    """Channels of both players at the highest resolution, doubled at each halving up to `widest`."""
    widest: int = 1536
    """The most channels of a layer."""
    deep: bool = False
    """Whether blocks are BigGAN-deep's: twice as many, with bottlenecks, all noise everywhere."""
    shared: int = 128
    """Dimensions of the class's vector that all layers of the generator share."""
    guided_start: bool = False
    """Whether that vector also enters the generator's first layer, as in BigGAN-deep, and not its norms alone: few blocks then can
    place what belongs to a class."""
    noise: int = 120
    """Dimensions of the latent noise, split over the resolutions."""
    generator_spectra: bool = True
    """Whether the generator's spectra are normalised too; without, it varies its images sooner."""
    patch: int = 1
    """Side of the pixel patches that the networks see as one position; 2 spares a CPU the highest resolution."""
    critic_moves: Moves = 2
    """Moves of the critic in each round."""
    orthogonal: float = 1e-4
    """Weight of the generator's orthogonal regularisation; 0 leaves it out."""
    learning_rate: float = 5e-5
    """Adam's step size for the generator."""
    critic_learning_rate: float = 2e-4
    """Adam's step size for the critic."""
    learning_rate_end: float = 1.0
    """The share of both step sizes that is left at the end; they fall linearly."""
    beta2: float = 0.999
    """Adam's second-moment decay; the first is 0."""
    half_life: int = 14_000_000
    """Half-life of the generator's moving average in samples (0.9999 a round at a batch of 2048)."""

    def __post_init__(self) -> None:
        if self.critic_moves < 1:
            raise UserError(f"The critic must move at least once a round, but --gan.critic-moves is {self.critic_moves}.")
        if self.patch not in (1, 2, 4):
            raise UserError(f"A patch must be 1, 2 or 4 pixels wide, but it is {self.patch}: change --gan.patch.")


class Critic(nn.Module):
    """An image (and label) to a logit; labels enter by projection (Miyato & Koyama 2018)."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.trunk = BigTrunk(spec, width=config.width, widest=config.widest, patch=config.patch, deep=config.deep)
        self.score = nn.Linear(self.trunk.features, 1)
        self.labels = label_embedding(spec, self.trunk.features)

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        features = self.trunk(image)
        score = self.score(features).squeeze(1)
        return score if self.labels is None else score + (self.labels(label) * features).sum(1)


class BigGAN(GAN):
    """The hinge game between large, spectrally normalised players."""

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
        "cifar10": Preset(
            about="the paper's CIFAR-10 (FID 14.73)",
            batch=64,
            samples=32_000_000,
            mirror=True,
            config={
                "width": 256,
                "widest": 256,
                "noise": 80,
                "critic_moves": 4,
                "learning_rate": 2e-4,
                "orthogonal": 0.0,
                "half_life": 440_000,
            },
        ),
        "imagenet128": Preset(about="the paper's ImageNet 128x128 (FID 8.7)", batch=2048, samples=600_000_000),
        "imagenet128-deep": Preset(
            about="BigGAN-deep's ImageNet 128x128 (FID 5.7)",
            batch=2048,
            samples=600_000_000,
            config={
                "width": 128,
                "widest": 2048,
                "deep": True,
                "noise": 128,
                "learning_rate": 2.5e-5,
                "critic_learning_rate": 2.5e-5,
            },
        ),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        critic = partial(Critic, config, spec)
        self.generator, self.critic = big_players(config, spec, critic, betas=(0.0, config.beta2), deep=config.deep)

    def play(self, draw: Draw) -> Iterator[Move]:
        config = self.config
        for number in range(config.critic_moves):
            batch = draw()
            real, label = batch[self.spec.key], batch.get("label")
            with torch.set_grad_enabled(number == config.critic_moves - 1):  # the generator moves once, by the last of these
                fake = self.generator(normal_rows(len(real), config.noise, device=real.device), label)
            yield self.critic.minimizes(hinge=hinge_critic(self.critic(real, label), self.critic(fake.detach(), label)))
        terms = {"hinge": hinge_generator(self.critic(fake, label))}
        if config.orthogonal:
            terms["orthogonal"] = config.orthogonal * orthogonal_penalty(self.generator.network)
        yield self.generator.minimizes(**terms)
