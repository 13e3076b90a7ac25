"""Projected GAN: the critic judges by the features of a trained network (Sauer et al. 2021, "Projected GANs converge faster").

Images pass through a frozen network of your choice; its maps, mixed by fixed random convolutions, each get a small critic. FastGAN's
generator, the hinge loss, fixed augmentation. Images of any size.

    gansmith train photos/ --gan projected --gan.features timm:tf_efficientnet_lite0.in1k
    gansmith train photos/ --gan projected --gan.features my_network.py:maps

The network is needed to train, not to generate. We have not trained it with published weights, but with a small network that had learned
to tell 66% of CIFAR-10's images (bench/feature_network.py): 4,000 drawn faces of 64x64, 163 CPU seconds (9,488 images), one thread, seed
0: Frechet distance 5.3 (drawing each pixel from a Gaussian 5.5, real 0.01, fastgan 10.3 after 139), recall 0.27.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gansmith.adversarial import hinge_critic, hinge_generator
from gansmith.augment.against_overfitting import AgainstOverfitting
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.excited import ExcitedGenerator
from gansmith.layers.frozen import FrozenFeatures, RandomProjection
from gansmith.layers.labels import Label, label_embedding
from gansmith.layers.spectral import normalize_spectra
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows

LOWEST = 4
"""The side down to which a critic halves its map."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of Projected GAN; the defaults are the paper's at 256 pixels."""

    features: str = ""
    """The frozen network: timm:NAME, FILE.py:FUNCTION (which returns a torch module) or FILE.pt (TorchScript)."""
    width: int = 32
    """Channels of the generator at the highest resolution, doubled at each halving up to `widest`."""
    widest: int = 1024
    """The most channels of a layer of the generator."""
    projected: int = 64
    """Channels to which every map is projected, and of the critics."""
    noise: int = 256
    """Dimensions of the latent noise."""
    patch: int = 1
    """Side of the pixel patches that the generator sees as one position; 2 spares a CPU the highest resolution."""
    augment: Literal["none", "diffaugment", "ada", "apa"] = "diffaugment"
    """What keeps the critic from overfitting: fixed (diffaugment) or adaptive (ada) augmentation, or generated images that pass for
    real ones (apa)."""
    augment_target: float = 0.6
    """The overfitting that ada and apa allow: the mean sign of the critic's logits for real images."""
    augment_samples: int | None = None
    """Samples in which ada and apa can go from nothing to full strength; None: an eighth of the budget."""
    learning_rate: float = 2e-4
    """Adam's step size for both players; the decays are 0 and 0.99."""
    half_life: int = 20_000
    """Half-life of the generator's moving average in samples."""

    def __post_init__(self) -> None:
        if self.patch not in (1, 2, 4):
            raise UserError(f"A patch must be 1, 2 or 4 pixels wide, but it is {self.patch}: change --gan.patch.")


class MapCritic(nn.Module):
    """One map (and label) to logits [B, positions]; labels enter by projection (Miyato & Koyama 2018)."""

    def __init__(self, width: int, side: int, spec: Spec) -> None:
        super().__init__()
        halvings = max(0, (side // LOWEST).bit_length() - 1)
        self.layers = nn.ModuleList(nn.Conv2d(width, width, 4, stride=2, padding=1, bias=False) for _ in range(halvings))
        self.mix = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.score = nn.Conv2d(width, 1, 1)
        self.labels = label_embedding(spec, width)
        normalize_spectra(self)
        self.norms = nn.ModuleList(BatchNorm(width) for _ in range(halvings))

    def forward(self, x: Float[Tensor, "batch width _ _"], label: Label | None) -> Float[Tensor, "batch positions"]:
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = leaky_relu(norm(layer(x)), 0.2)
        x = leaky_relu(self.mix(x), 0.2)
        logits = self.score(x).flatten(1)
        if self.labels is None or label is None:
            return logits
        return logits + (self.labels(label) * x.mean((2, 3))).sum(1, keepdim=True)


class Critic(nn.Module):
    """An image (and label) to the logits of all levels [B, positions]."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.features = FrozenFeatures(config.features)
        with torch.no_grad():
            maps = self.features(torch.zeros(1, *spec.shape))
        self.projection = RandomProjection([one.shape[1] for one in maps], config.projected)
        self.critics = nn.ModuleList(MapCritic(config.projected, min(one.shape[2:]), spec) for one in maps)

    def forward(
        self, image: Float[Tensor, "batch channels height width"], label: Label | None = None
    ) -> Float[Tensor, "batch positions"]:
        maps = self.projection(self.features(image))
        return torch.cat([critic(one, label) for critic, one in zip(self.critics, maps, strict=True)], 1)


class Projected(GAN):
    """The hinge game, judged in the space of a frozen network."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="a narrow generator on patches of 2x2 pixels; the features decide how long it takes",
            batch=16,
            minutes=10.0,
            config={"width": 24, "widest": 192, "noise": 64, "patch": 2, "learning_rate": 5e-4, "half_life": 5_000},
        ),
        "paper": Preset(about="the paper's batch and step size", batch=64, samples=10_000_000, mirror=True),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        betas = (0.0, 0.99)
        generator = ExcitedGenerator(spec, noise=config.noise, width=config.width, widest=config.widest, patch=config.patch)
        self.generator = Player(
            generator,
            learning_rate=config.learning_rate,
            betas=betas,
            average=partial(Average, half_life=config.half_life),
        )
        self.overfitting = AgainstOverfitting(config.augment, target=config.augment_target, full_swing=config.augment_samples)
        try:
            self.critic = Player(Critic(config, spec), learning_rate=config.learning_rate, betas=betas)
        except UserError as error:  # raised when it is trained: a model generates without the critic's network
            self.untrainable = error

    def play(self, draw: Draw) -> Iterator[Move]:
        if self.untrainable is not None:
            raise self.untrainable
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)
        shown = self.overfitting(self.overfitting.passing_for_real(real, fake))
        real_logits = self.critic(shown, label)
        self.overfitting.observe(real_logits, self.clock)
        fake_logits = self.critic(self.overfitting(fake.detach()), label)
        yield self.critic.minimizes(hinge=hinge_critic(real_logits, fake_logits))
        yield self.generator.minimizes(hinge=hinge_generator(self.critic(self.overfitting(fake), label)))

    def scores(self, batch: Batch) -> Tensor:
        """The mean of each image's logits."""
        return super().scores(batch).mean(1)
