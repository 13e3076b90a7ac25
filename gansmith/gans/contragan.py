"""ContraGAN: examples of one class attract each other (Kang & Park 2020, "Contrastive learning for conditional image synthesis").

An embedding of each image is drawn to its label's proxy and to the other images of its label, and held apart from the rest, in the
critic's move on real images and in the generator's on its own. On BigGAN's players with the hinge loss. Without labels it plays
BigGAN's game.

    gansmith train digits --gan contragan

The paper's term is content where all images of a label lie together, were it at the proxy of another label: of four classes that are
quarters of an image, the generator learned to exchange all four (temperature 0.5, 120 rounds of 32 images). The preset small leaves
the other images of a label out of the term (`companions`), which mends that. Embeddings are a linear map of the features.

Fashion-MNIST, 173 CPU seconds (72,320 images), one thread, seed 0: Frechet distance 7.0 (a Gaussian per class 11.5, real 0.04),
coverage 0.33, recall 0.19; the requested class is read from 82% of the images (from 91% of real ones). The paper's settings have not
been trained.
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
from gansmith.game import GAN, Draw, Move, Preset
from gansmith.gans._players import big_players
from gansmith.layers.big import BigTrunk
from gansmith.layers.labels import Label, label_embedding
from gansmith.terms.contrastive import conditional_contrast
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of ContraGAN; the defaults are the paper's for CIFAR-10."""

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
    embedding: int = 512
    """Dimensions of the embeddings that are contrasted."""
    contrast: float = 1.0
    """Weight of the class term."""
    temperature: float = 1.0
    """What similarities are divided by."""
    companions: bool = True
    """Whether images are also drawn to others of their label, as in the paper; they then may all settle at another label's proxy."""
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
    """An image to a logit and to an embedding that is held against its label's proxy."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.trunk = BigTrunk(spec, width=config.width, widest=config.widest, patch=config.patch, deep=False)
        self.score = nn.Linear(self.trunk.features, 1)
        self.embed = nn.Linear(self.trunk.features, config.embedding)
        self.proxies = label_embedding(spec, config.embedding)
        self.config, self.weight = config, config.contrast

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        """The logits alone: the label is contrasted in `judged`, not seen."""
        return self.score(self.trunk(image)).squeeze(1)

    def judged(self, image: Tensor, label: Tensor | None) -> tuple[Tensor, dict[str, Tensor]]:
        """The logits, and the contrast between the images' embeddings and their labels."""
        features = self.trunk(image)
        logits = self.score(features).squeeze(1)
        if self.proxies is None or label is None:
            return logits, {}
        embeddings, proxies = self.embed(features), self.proxies(label)
        config = self.config
        contrast = conditional_contrast(embeddings, proxies, label, temperature=config.temperature, companions=config.companions)
        return logits, {"contrast": self.weight * contrast}


class ContraGAN(GAN):
    """The hinge game with a conditional contrast for both players."""

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
                "embedding": 64,
                "temperature": 0.5,
                "companions": False,
                "patch": 2,
                "critic_moves": 1,
                "learning_rate": 1e-3,
                "critic_learning_rate": 1e-3,
                "learning_rate_end": 0.0,
                "half_life": 10_000,
            },
        ),
        "cifar10": Preset(
            about="the paper's CIFAR-10 (FID 6.01 as PyTorch-StudioGAN measures it)", batch=64, samples=32_000_000, mirror=True
        ),
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
            fake_logits = self.critic(fake.detach(), label)
            yield self.critic.minimizes(hinge=hinge_critic(real_logits, fake_logits), **real_terms)
        fake_logits, terms = critic.judged(fake, label)
        yield self.generator.minimizes(hinge=hinge_generator(fake_logits), **terms)
