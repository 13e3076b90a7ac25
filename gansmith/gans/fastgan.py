"""FastGAN: good images from a hundred examples (Liu et al. 2021, "Towards faster and stabilized GAN training").

A light generator in which small maps gate the channels of large ones, and a critic that must also be able to redraw what it judged,
so that it cannot overfit by looking at few pixels. The hinge loss, fixed augmentation. Images of any size.

    gansmith train photos/ --gan fastgan --resolution 64

Against the paper: the redrawn images are compared by values and structural similarity instead of a network that was trained on
other photographs, and the generator has no spectral normalisation. We have not trained it to
the end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, glu, interpolate, leaky_relu, pixel_unshuffle

from gansmith.adversarial import hinge_critic, hinge_generator
from gansmith.augment.against_overfitting import AgainstOverfitting
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.excited import ExcitedGenerator, widths
from gansmith.layers.labels import Label, label_embedding
from gansmith.layers.pyramid import pyramid
from gansmith.terms.reconstruction import reconstruction
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows, uniform_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of FastGAN; the defaults are the paper's at 256 pixels."""

    width: int = 32
    """Channels of both players at the highest resolution, doubled at each halving up to `widest`."""
    widest: int = 1024
    """The most channels of a layer of the generator; the critic has at most half as many."""
    noise: int = 256
    """Dimensions of the latent noise."""
    patch: int = 1
    """Side of the pixel patches that the networks see as one position; 2 spares a CPU the highest resolution."""
    reconstruction: float = 1.0
    """Weight of the critic's reconstruction of real images; 0 leaves it out."""
    augment: Literal["none", "diffaugment", "ada", "apa"] = "diffaugment"
    """What keeps the critic from overfitting: fixed (diffaugment) or adaptive (ada) augmentation, or generated images that pass for
    real ones (apa)."""
    augment_target: float = 0.6
    """The overfitting that ada and apa allow: the mean sign of the critic's logits for real images."""
    augment_samples: int | None = None
    """Samples in which ada and apa can go from nothing to full strength; None: an eighth of the budget."""
    learning_rate: float = 2e-4
    """Adam's step size for both players."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 5_000
    """Half-life of the generator's moving average in samples."""

    def __post_init__(self) -> None:
        if self.patch not in (1, 2, 4):
            raise UserError(f"A patch must be 1, 2 or 4 pixels wide, but it is {self.patch}: change --gan.patch.")


class Down(nn.Module):
    """Half the side on two ways, a strided convolution with another after it and a mean with a 1x1, which are averaged."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.strided = nn.Conv2d(channels_in, channels_out, 4, stride=2, padding=1, bias=False)
        self.strided_norm = BatchNorm(channels_out)
        self.second = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.second_norm = BatchNorm(channels_out)
        self.direct = nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.direct_norm = BatchNorm(channels_out)

    def forward(self, x: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch _ _ _"]:
        inner = leaky_relu(self.strided_norm(self.strided(x)), 0.2)
        inner = leaky_relu(self.second_norm(self.second(inner)), 0.2)
        return (inner + leaky_relu(self.direct_norm(self.direct(avg_pool2d(x, 2))), 0.2)) / 2


class Decoder(nn.Module):
    """Features to an image of 2^doublings times their side."""

    def __init__(self, width: int, channels: int, doublings: int) -> None:
        super().__init__()
        sizes = [max(8, width >> i) for i in range(doublings + 1)]
        pairs = list(zip(sizes, sizes[1:], strict=False))
        self.convolutions = nn.ModuleList(nn.Conv2d(a, 2 * b, 3, padding=1, bias=False) for a, b in pairs)
        self.norms = nn.ModuleList(BatchNorm(2 * b) for _, b in pairs)
        self.last = nn.Conv2d(sizes[-1], channels, 3, padding=1)

    def forward(self, x: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch _ _ _"]:
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = glu(norm(convolution(interpolate(x, scale_factor=2, mode="nearest"))), 1)
        return bounded(self.last(x))


class Critic(nn.Module):
    """An image (and label) to a map of logits [B, h, w]; labels enter by projection (Miyato & Koyama 2018)."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.patch = config.patch
        stages, base = pyramid(spec.shape[1], spec.shape[2], config.patch)
        channels = widths(config.width, config.widest // 2, stages)[::-1][: max(1, stages - 1)]  # down to twice the lowest side
        self.enter = nn.Conv2d(spec.shape[0] * config.patch**2, channels[0], 3, padding=1, bias=False)
        self.blocks = nn.ModuleList(Down(a, b) for a, b in zip(channels, channels[1:], strict=False))
        self.mix = nn.Conv2d(channels[-1], channels[-1], 1, bias=False)
        self.mix_norm = BatchNorm(channels[-1])
        self.score = nn.Conv2d(channels[-1], 1, min(4, *base), bias=False)
        self.labels = label_embedding(spec, channels[-1])
        doublings = min(4, max(1, stages - 2))
        self.whole = Decoder(channels[-1], spec.shape[0], doublings)
        self.part = Decoder(channels[-2], spec.shape[0], doublings) if len(channels) > 2 else None
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, 0, 0.02)

    def features(self, image: Tensor) -> list[Tensor]:
        """The maps after every block, the largest first."""
        x = pixel_unshuffle(image, self.patch).contiguous(memory_format=torch.channels_last)
        maps = [leaky_relu(self.enter(x), 0.2)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps

    def judged(self, features: Tensor, label: Label | None) -> Float[Tensor, "batch h w"]:
        x = leaky_relu(self.mix_norm(self.mix(features)), 0.2)
        logits = self.score(x).squeeze(1)
        if self.labels is None or label is None:
            return logits
        return logits + (self.labels(label) * x.mean((2, 3))).sum(1)[:, None, None]

    def forward(
        self, image: Float[Tensor, "batch channels height width"], label: Label | None = None
    ) -> Float[Tensor, "batch h w"]:
        return self.judged(self.features(image)[-1], label)

    def reconstructed(self, maps: list[Tensor], image: Tensor) -> Tensor:
        """How far the images that the decoders draw from the features are from the image, and from a quarter of it."""
        made = self.whole(maps[-1])
        term = reconstruction(made, _resized(image, made))
        if self.part is None:
            return term
        quarter = (4 * uniform_rows(len(image), device=image.device)).long()
        made = self.part(_quarters(maps[-2], quarter))
        return term + reconstruction(made, _resized(_quarters(image, quarter), made))


def _resized(image: Tensor, like: Tensor) -> Tensor:
    return interpolate(image.float(), size=like.shape[2:], mode="bilinear", antialias=True)


def _quarters(x: Tensor, which: Tensor) -> Tensor:
    """One quarter of every row's map or image: 0 and 1 above, 2 and 3 below."""
    height, width = x.shape[2] // 2, x.shape[3] // 2
    parts = [x[:, :, i * height : (i + 1) * height, j * width : (j + 1) * width] for i in (0, 1) for j in (0, 1)]
    return torch.stack(parts)[which, torch.arange(len(x), device=x.device)]


class FastGAN(GAN):
    """The hinge game, in which the critic redraws real images."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: narrow, patches of 2x2 pixels",
            batch=16,
            minutes=2.5,
            config={"width": 24, "widest": 192, "noise": 64, "patch": 2, "learning_rate": 5e-4},
        ),
        "paper": Preset(about="the paper's networks and batch: 50,000 rounds", batch=8, samples=400_000, mirror=True),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        betas = (config.beta1, 0.999)
        generator = ExcitedGenerator(spec, noise=config.noise, width=config.width, widest=config.widest, patch=config.patch)
        self.generator = Player(
            generator,
            learning_rate=config.learning_rate,
            betas=betas,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(Critic(config, spec), learning_rate=config.learning_rate, betas=betas)
        self.overfitting = AgainstOverfitting(config.augment, target=config.augment_target, full_swing=config.augment_samples)

    def play(self, draw: Draw) -> Iterator[Move]:
        critic = self.critic.network
        assert isinstance(critic, Critic)
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)

        shown = self.overfitting(self.overfitting.passing_for_real(real, fake))
        maps = critic.features(shown)
        real_logits = critic.judged(maps[-1], label)
        self.overfitting.observe(real_logits, self.clock)
        terms = {"hinge": hinge_critic(real_logits, self.critic(self.overfitting(fake.detach()), label))}
        if self.config.reconstruction:
            terms["reconstruction"] = self.config.reconstruction * critic.reconstructed(maps, shown)
        yield self.critic.minimizes(**terms)
        yield self.generator.minimizes(hinge=hinge_generator(self.critic(self.overfitting(fake), label)))

    def scores(self, batch: Batch) -> Tensor:
        """The mean of each image's logits."""
        return super().scores(batch).mean((1, 2))
