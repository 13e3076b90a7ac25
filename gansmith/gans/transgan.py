"""TransGAN: both players are transformers, without convolutions (Jiang et al. 2021, "TransGAN: two pure transformers").

The generator starts with few positions of many features; pixel shuffling makes four narrower ones of each. The critic sees the image at
every resolution and pools towards few positions. Positions know how they lie to each other; large grids attend within windows.
Images of any size that can be halved, or whose windows are equal.

    gansmith train digits --gan transgan

Against the paper: the game and penalties are R3GAN's (Huang et al. 2024, equation 4), in which these players came to a Frechet distance
of 22.7 after 91 CPU seconds, in WGAN-GP's with the same steps to 25.0 after 82; patches overlap; a learned weighting of the last
positions stands in for the class token; the generator starts at 4x4 positions, not 8x8, where the sides allow it.

Fashion-MNIST, 265 CPU seconds (81,344 images), one thread, seed 0: Frechet distance 6.9 (a Gaussian per class 11.5, real 0.04), coverage
0.41, recall 0.29; the requested class is read from 81% of the images (from 91% of real ones).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, fold, pixel_shuffle, pixel_unshuffle, unfold

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.augment.against_overfitting import AgainstOverfitting
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.bounded import bounded
from gansmith.layers.dense import Judge
from gansmith.layers.grid_transformer import GridBlock, as_maps, as_positions, even_root, linear
from gansmith.layers.labels import Label, with_label
from gansmith.layers.pyramid import pyramid
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of TransGAN; the defaults are the paper's networks for CIFAR-10 (appendix)."""

    width: int = 64
    """Features of the generator's positions at the highest resolution, four times as many at each lower one, up to `widest`."""
    critic_width: int = 192
    """Features of the critic's positions at the highest resolution, twice as many at each lower one, up to `widest`."""
    widest: int = 1024
    """The most features of a position."""
    blocks: tuple[int, ...] = (5, 4, 2)
    """Blocks of each stage from the lowest resolution up; the last number counts for all further ones. The critic has as many."""
    heads: int = 4
    """Heads of the attention."""
    expansion: int = 4
    """How much wider a block is between its linear layers."""
    patch: int = 1
    """Side of the pixel patches that the networks see as one position; patches overlap by half on each side."""
    noise: int = 128
    """Dimensions of the latent noise."""
    gamma: float = 1.0
    """Weight of the gradient penalties."""
    penalty_interval: int = 1
    """Rounds from one with penalties to the next; they then weigh as many times more (lazy regularisation, Karras et al. 2020)."""
    augment: Literal["none", "diffaugment", "ada", "apa"] = "diffaugment"
    """What keeps the critic from overfitting: fixed (diffaugment) or adaptive (ada) augmentation, or generated images that pass for
    real ones (apa)."""
    augment_target: float = 0.6
    """The overfitting that ada and apa allow: the mean sign of the differences of logits."""
    augment_samples: int | None = None
    """Samples in which ada and apa can go from nothing to full strength; None: an eighth of the budget."""
    learning_rate: float = 1e-4
    """Adam's step size for both players at the start."""
    learning_rate_end: float = 1e-5
    """Step size at the end."""
    beta2: float = 0.99
    """Adam's second-moment decay; that of the first moment is 0."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""

    def __post_init__(self) -> None:
        if self.patch not in (1, 2, 4):
            raise UserError(f"A patch must be 1, 2 or 4 pixels wide, but it is {self.patch}: change --gan.patch.")
        if not self.blocks or min(self.blocks) < 1:
            raise UserError(f"Every stage has at least one block, but they have {self.blocks}: change --gan.blocks.")


def stages(config: Config, widths: list[int], grids: list[tuple[int, int]], blocks: list[int]) -> nn.ModuleList:
    """The blocks of each stage; all lists in the stages' order."""
    inside = {"heads": config.heads, "expansion": config.expansion}
    return nn.ModuleList(
        nn.Sequential(*[GridBlock(width, grid=grid, **inside) for _ in range(count)])
        for width, grid, count in zip(widths, grids, blocks, strict=True)
    )


def places(widths: list[int], grids: list[tuple[int, int]]) -> nn.ParameterList:
    """A learned vector for each position of each stage; large enough at the start that no empty image leaves a position without
    features, which the normalisation would blow up."""
    return nn.ParameterList(
        nn.Parameter(0.5 * torch.randn(height * columns, width)) for (height, columns), width in zip(grids, widths, strict=True)
    )


def shape(config: Config, spec: Spec) -> tuple[list[tuple[int, int]], list[int]]:
    """The grids of the stages and their blocks, from the lowest resolution up."""
    count, (height, columns) = pyramid(spec.shape[1], spec.shape[2], config.patch)
    grids = [(height << i, columns << i) for i in range(count)]
    return grids, [config.blocks[min(i, len(config.blocks) - 1)] for i in range(count)]


class Generator(nn.Module):
    """Noise and class to an image."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.spec, self.patch = spec, config.patch
        self.grids, blocks = shape(config, spec)
        widths = [min(config.widest, config.width * 4**i) for i in reversed(range(len(self.grids)))]
        self.enter = linear(config.noise + spec.label_width, self.grids[0][0] * self.grids[0][1] * widths[0])
        self.places = places(widths, self.grids)
        self.stages = stages(config, widths, self.grids, blocks)
        self.transitions = nn.ModuleList(
            nn.Identity() if a == 4 * b else linear(a, 4 * b) for a, b in zip(widths, widths[1:], strict=False)
        )
        self.leave = linear(widths[-1], spec.shape[0] * _reach(config.patch) ** 2, 0.5)

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        x = self.enter(with_label(noise, label, self.spec)).unflatten(1, (len(self.places[0]), -1))
        x = self.stages[0](x + self.places[0])
        for number, transition in enumerate(self.transitions):
            x = as_positions(pixel_shuffle(as_maps(transition(x), self.grids[number]), 2))
            x = self.stages[number + 1](x + self.places[number + 1])
        painted = self.leave(even_root(x)).float().transpose(1, 2)
        return bounded(fold(painted, self.spec.shape[1:], _reach(self.patch), padding=self.patch // 2, stride=self.patch))


class Critic(nn.Module):
    """An image and its class to a logit; classes enter by projection (Miyato & Koyama 2018)."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.patch = config.patch
        upwards, blocks = shape(config, spec)
        self.grids = upwards[::-1]
        widths = [min(config.widest, config.critic_width * 2**i) for i in range(len(self.grids))]
        own = [widths[0], *(max(b - a, b // 2) for a, b in zip(widths, widths[1:], strict=False))]
        self.look = linear(spec.shape[0] * _reach(config.patch) ** 2, own[0])
        self.looks = nn.ModuleList(
            linear(spec.shape[0] * (config.patch << i) ** 2, features) for i, features in enumerate(own[1:], start=1)
        )
        self.transitions = nn.ModuleList(
            nn.Identity() if a == b - c else linear(a, b - c) for a, b, c in zip(widths, widths[1:], own[1:], strict=False)
        )
        self.places = places(widths, self.grids)
        self.stages = stages(config, widths, self.grids, blocks[::-1])
        positions = self.grids[-1][0] * self.grids[-1][1]
        self.basis = nn.Parameter(torch.randn(positions, widths[-1]) / positions**0.5)
        self.judge = Judge(widths[-1], widths[-1], spec)

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        seen = unfold(image, _reach(self.patch), padding=self.patch // 2, stride=self.patch).transpose(1, 2)
        x = self.stages[0](self.look(seen) + self.places[0])
        for number, (transition, look) in enumerate(zip(self.transitions, self.looks, strict=True)):
            pooled = as_positions(avg_pool2d(as_maps(x, self.grids[number]), 2))
            seen = look(as_positions(pixel_unshuffle(image, self.patch << number + 1)))
            x = torch.cat([transition(pooled), seen], 2)
            x = self.stages[number + 1](x + self.places[number + 1])
        return self.judge((even_root(x) * self.basis.to(x.dtype)).sum(1), label)


def _reach(patch: int) -> int:
    """The side of what a position sees and paints: its patch and half a patch around it, or a single pixel."""
    return 2 * patch if patch > 1 else 1


class TransGAN(GAN):
    """The relativistic pairing game with R1 and R2 between transformers."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: one grid of patches of four pixels at 28, narrow, larger steps, penalties in every fourth round",
            batch=32,
            minutes=3.0,
            config={
                "width": 96,
                "widest": 96,
                "critic_width": 64,
                "blocks": (3,),
                "heads": 2,
                "expansion": 2,
                "patch": 4,
                "penalty_interval": 4,
                "augment": "none",
                "learning_rate": 1e-3,
                "learning_rate_end": 1e-4,
            },
        ),
        "paper": Preset(about="the paper's networks and augmentation", batch=64, samples=20_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        falling = Cosine(config.learning_rate, config.learning_rate_end)
        adam: dict[str, Any] = {"learning_rate": falling, "betas": (0.0, config.beta2)}
        self.generator = Player(Generator(config, spec), **adam, average=partial(Average, half_life=config.half_life))
        self.critic = Player(Critic(config, spec), **adam)
        self.overfitting = AgainstOverfitting(config.augment, target=config.augment_target, full_swing=config.augment_samples)

    def play(self, draw: Draw) -> Iterator[tuple[Move, ...]]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        labels = None if label is None else torch.cat([label, label])
        fake = self.generator(normal_rows(len(real), self.config.noise, device=real.device), label)
        both = self.overfitting(torch.cat([self.overfitting.passing_for_real(real, fake), fake]))
        penalties = {}
        if self.clock.every(self.config.penalty_interval):
            logits, squared_norms = with_gradient_norm(lambda x: self.critic(x, labels), both)
            gamma = self.config.gamma * self.config.penalty_interval
            r1, r2 = (gamma * zero_centred(norms) for norms in squared_norms.chunk(2))
            penalties = {"r1": r1, "r2": r2}
        else:
            logits = self.critic(both, labels)
        real_logits, fake_logits = logits.chunk(2)
        self.overfitting.observe(real_logits.detach() - fake_logits.detach(), self.clock)
        yield (
            self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits), **penalties),
            self.generator.minimizes(relativistic=relativistic_generator(real_logits, fake_logits)),
        )
