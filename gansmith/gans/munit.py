"""MUNIT: two domains without pairs, many translations of one image (Huang et al. 2018).

An image is its content, which the domains share, and its style, which is each domain's own. A translation has the content of the one
image and a style of the other domain, random or of a reference image; read again, it must give both back.

    gansmith train cats2dogs/ --gan munit
    gansmith translate runs/cats2dogs-0001 cat.jpg -n 5
    gansmith translate runs/cats2dogs-0001 cat.jpg --reference dog.jpg

The term of domain-invariant VGG features is left out, as its weights are not ours to ship.

Digits to coloured digits at 32x32, 90 CPU seconds, one thread, seed 0: Frechet distance 4.6 (a Gaussian of the pixels 10.4, real 0.8),
coverage 0.82 (0.67, 0.99).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from gansmith.adversarial import least_squares_critic, least_squares_generator
from gansmith.augment.together import check_crop, varied_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.multi_scale_critic import MultiScaleCritic, check_scales, mean_logit, over_scales
from gansmith.layers.munit_autoencoder import MunitAutoencoder
from gansmith.tasks.translation import Styled
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of MUNIT; the defaults are the paper's (appendix B)."""

    noise: int = 8
    """Numbers of a style."""
    width: int = 64
    """Channels of the autoencoders' first layers."""
    blocks: int = 4
    """Residual blocks of the content's encoder, and of the decoder."""
    mapping: int = 256
    """Width of the network that reads a style."""
    critic_width: int = 64
    """Channels of the critics' first layers."""
    critic_layers: int = 3
    """Halvings of the critics."""
    critic_scales: int = 3
    """Scales at which each critic sees the images."""
    image: float = 10.0
    """Weight of the L1 distance between an image and what its own content and style make."""
    style: float = 1.0
    """Weight of the L1 distance between a random style and what is read from the image made with it."""
    content: float = 1.0
    """Weight of the L1 distance between an image's content and what is read from its translation."""
    cycle: float = 0.0
    """Weight of the L1 distance between an image and its translation there and back, with its own style; the paper has 10 for streets."""
    crop: int = 0
    """Side of random crops; 0 for whole images."""
    flip: bool = True
    """Whether half of the images are mirrored."""
    learning_rate: float = 1e-4
    """Adam's step size for all players, which falls to 0 in the second half."""
    weight_decay: float = 1e-4
    """The weight decay of all players."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 1_000
    """Half-life of the autoencoders' moving average in samples."""


class TwoDomains(nn.Module):
    """The autoencoders of both domains; called, it makes b of a in a style of b."""

    a: MunitAutoencoder
    b: MunitAutoencoder

    def __init__(self, a: MunitAutoencoder, b: MunitAutoencoder) -> None:
        super().__init__()
        self.a, self.b = a, b

    def forward(self, image: Tensor, style: Tensor) -> Tensor:
        return crossing(self.a, self.b, image, style)


class Crossing(nn.Module):
    """From an image of one domain and a style of the other to an image of the other. Any size goes in and comes out."""

    def __init__(self, given: MunitAutoencoder, made: MunitAutoencoder) -> None:
        super().__init__()
        self.given, self.made, self.multiple = given, made, given.multiple

    def forward(self, image: Tensor, style: Tensor) -> Tensor:
        return crossing(self.given, self.made, image, style)


def crossing(given: MunitAutoencoder, made: MunitAutoencoder, image: Tensor, style: Tensor) -> Tensor:
    """The content of an image of one domain with a style of the other."""
    return made.decoded(given.content(image), style)[..., : image.shape[2], : image.shape[3]]


class MUNIT(Styled):
    """Two least-squares games at several scales, and what is read again. Its a and its b come from different draws."""

    Config = Config
    directions = ("b", "a")
    crosses = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the width, 3 blocks, critics of two scales, batches of 4",
            batch=4,
            minutes=30,
            config={
                "width": 16,
                "blocks": 3,
                "mapping": 64,
                "critic_width": 24,
                "critic_layers": 2,
                "critic_scales": 2,
                "learning_rate": 5e-4,
            },
        ),
        "paper": Preset(about="the paper's networks, one image at a time", batch=1, samples=1_000_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if self.scale != 1:
            raise UserError(f"munit keeps the size, but b is {self.scale} times as large as a: choose --gan srgan or esrgan.")
        check_crop(config.crop, spec.source_shape)
        check_scales(config.critic_layers, config.critic_scales, config.crop or min(spec.shape[1:]))
        given, made = spec.source_shape[0], spec.shape[0]
        optimizer = partial(torch.optim.Adam, weight_decay=config.weight_decay, fused=True)
        player = partial(
            Player,
            learning_rate=Linear(config.learning_rate, 0.0, wait=0.5),
            betas=(config.beta1, 0.999),
            optimizer=optimizer,
        )
        autoencoder = partial(
            MunitAutoencoder, width=config.width, blocks=config.blocks, style=config.noise, mapping=config.mapping
        )
        critic = partial(
            MultiScaleCritic,
            width=config.critic_width,
            layers=config.critic_layers,
            scales=config.critic_scales,
            norm="none",
        )
        average = partial(Average, half_life=config.half_life)
        self.generator = player(TwoDomains(autoencoder(given), autoencoder(made)), average=average)
        self.critic = player(critic(made))
        self.critic_of_a = player(critic(given))

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        a, b = self._views(draw()["a"]), self._views(draw()["b"])
        network = cast(TwoDomains, self.generator.network)
        in_a, in_b = network.a, network.b
        random_a, random_b = (normal_rows(len(a), self.config.noise, device=a.device) for _ in range(2))
        content_a, content_b = in_a.content(a), in_b.content(b)
        style_a, style_b = in_a.style(a), in_b.style(b)
        fake_b, fake_a = in_b.decoded(content_a, random_b), in_a.decoded(content_b, random_a)
        fake_b, fake_a = fake_b[..., : a.shape[2], : a.shape[3]], fake_a[..., : b.shape[2], : b.shape[3]]
        yield (
            self.critic.minimizes(least_squares=over_scales(least_squares_critic, self.critic(b), self.critic(fake_b.detach()))),
            self.critic_of_a.minimizes(
                least_squares=over_scales(least_squares_critic, self.critic_of_a(a), self.critic_of_a(fake_a.detach()))
            ),
        )
        same_a = in_a.decoded(content_a, style_a)[..., : a.shape[2], : a.shape[3]]
        same_b = in_b.decoded(content_b, style_b)[..., : b.shape[2], : b.shape[3]]
        again_a, again_b = in_b.content(fake_b), in_a.content(fake_a)
        terms = {
            "b_least_squares": over_scales(least_squares_generator, self.critic(fake_b)),
            "a_least_squares": over_scales(least_squares_generator, self.critic_of_a(fake_a)),
            "image": self.config.image * (l1_loss(same_a, a) + l1_loss(same_b, b)),
            "style": self.config.style * (l1_loss(in_b.style(fake_b), random_b) + l1_loss(in_a.style(fake_a), random_a)),
            "content": self.config.content
            * (l1_loss(again_a.float(), content_a.float()) + l1_loss(again_b.float(), content_b.float())),
        }
        if self.config.cycle:
            back_a = in_a.decoded(again_a, style_a)[..., : a.shape[2], : a.shape[3]]
            back_b = in_b.decoded(again_b, style_b)[..., : b.shape[2], : b.shape[3]]
            terms["cycle"] = self.config.cycle * (l1_loss(back_a, a) + l1_loss(back_b, b))
        yield self.generator.minimizes(**terms)

    def _views(self, images: Tensor) -> Tensor:
        """Random crops and flips of the images."""
        return varied_together(images, images, crop=self.config.crop, flip=self.config.flip)[0]

    def maker(self, makes: str = "b") -> nn.Module:
        network = cast(TwoDomains, self.generator.averaged)
        return Crossing(network.a, network.b) if makes == "b" else Crossing(network.b, network.a)

    def style_of(self, reference: Tensor, makes: str = "b") -> Tensor:
        network = cast(TwoDomains, self.generator.averaged)
        return (network.b if makes == "b" else network.a).style(reference)

    def scores(self, batch: Batch) -> Tensor:
        return mean_logit(self.critic(batch["b"]))
