"""pix2pix: an image to its partner, by a critic that sees both (Isola et al. 2017).

A U-Net (or a residual network) makes b of a; a critic judges patches of the pair (a, b); the distance in L1 keeps b at its place.

    gansmith train facades/ --kind pairs --gan pix2pix
    gansmith train photos/ --degrade gray --gan pix2pix --gan.lab
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import log2
from typing import ClassVar

from torch import Tensor, cat, nn
from torch.nn.functional import l1_loss, mse_loss

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.augment.together import check_crop, varied_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.lab import Coloured, lab_of, lightness_of
from gansmith.layers.patch_critic import PatchCritic, check_patches
from gansmith.layers.resnet_translator import ResNetTranslator
from gansmith.layers.unet import UNet
from gansmith.tasks.translation import Translating, per_image
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of pix2pix; the defaults are the paper's (section 3.3, appendix 6)."""

    width: int = 64
    """Channels of the generator's first layer."""
    halvings: int = 8
    """Halvings of the U-Net, at most as many as the images allow: 8 for 256 pixels."""
    blocks: int = 0
    """Residual blocks of a residual generator in place of the U-Net; 0 for the U-Net."""
    dropout: bool = True
    """Whether the U-Net drops features while it is trained."""
    critic_width: int = 64
    """Channels of the critic's first layer."""
    critic_layers: int = 3
    """Halvings of the critic: patches of 70 pixels with 3, 34 with 2, 16 with 1."""
    l1: float = 100.0
    """Weight of the L1 distance to the partner."""
    l2: float = 0.0
    """Weight of the squared distance to the partner, which asks for the mean where L1 asks for the median."""
    lab: bool = False
    """Whether gray images are coloured in CIE Lab: their lightness stays, and the generator makes the two other planes alone."""
    residual: bool = False
    """Whether the generator makes what is added to the given image. Without effect where the two images have other channels."""
    reach: float = 1.0
    """How far the sum can be from the given image, of pixels from -1 to 1: 1 is enough for repairs, 2 lets black become white."""
    blends: bool = False
    """Whether the generator also says how much of each given pixel stays. Without effect where the two images have other channels, or where
    its answer is added."""
    crop: int = 0
    """Side of random crops, in pixels of the given image; 0 for whole images."""
    flip: bool = True
    """Whether half of the pairs are mirrored."""
    learning_rate: float = 2e-4
    """Adam's step size for both players, which falls to 0 in the second half."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 500
    """Half-life of the generator's moving average in samples."""


class Added(nn.Module):
    """A network whose answer, `reach` times, is added to the image that it was given."""

    def __init__(self, network: nn.Module, reach: float = 1.0) -> None:
        super().__init__()
        self.network, self.reach = network, reach
        self.multiple = getattr(network, "multiple", 1)

    def forward(self, image: Tensor) -> Tensor:
        return image + self.reach * self.network(image)


class Blended(nn.Module):
    """A network whose last channel says how much of each given pixel stays, from -1 to 1; the others replace the rest."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.multiple = getattr(network, "multiple", 1)

    def forward(self, image: Tensor) -> Tensor:
        made = self.network(image)
        stays = (made[:, -1:] + 1) / 2
        return made[:, :-1].lerp(image.float(), stays.expand_as(image))


class Pix2Pix(Translating):
    """The non-saturating game on patches of pairs, with an L1 term."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a narrower U-Net and critic, given pixels that may stay, batches of 8, no dropout",
            batch=8,
            minutes=10,
            config={
                "blends": True,
                "width": 24,
                "halvings": 4,
                "dropout": False,
                "critic_width": 16,
                "critic_layers": 2,
                "learning_rate": 1e-3,
                "half_life": 2_000,
            },
        ),
        "paper": Preset(about="the paper's networks, one pair at a time", batch=1, samples=80_000),
        "residual": Preset(about="a residual generator of 9 blocks", batch=1, samples=80_000, config={"blocks": 9}),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if self.scale != 1:
            raise UserError(f"pix2pix keeps the size, but b is {self.scale} times as large as a: choose --gan srgan or esrgan.")
        given, made = spec.source_shape[0], spec.shape[0]
        if config.lab and (given, made) != (1, 3):
            raise UserError(
                f"--gan.lab colours gray images, but these pairs go from {given} to {made} channels: give --degrade gray, or leave it out."
            )
        check_crop(config.crop, spec.source_shape)
        side = config.crop or min(spec.shape[1:])
        check_patches(config.critic_layers, side)
        made -= config.lab
        self.residual = config.residual and given == made
        halvings = min(config.halvings, int(log2(side)))
        blends = config.blends and given == made and not self.residual
        network = (
            ResNetTranslator(given, made + blends, width=config.width, blocks=config.blocks)
            if config.blocks
            else UNet(given, made + blends, width=config.width, halvings=halvings, dropout=config.dropout)
        )
        self.generator = Player(
            Blended(network) if blends else network,
            learning_rate=Linear(config.learning_rate, 0.0, wait=0.5),
            betas=(config.beta1, 0.999),
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(
            PatchCritic(given + made, width=config.critic_width, layers=config.critic_layers, batch_norm=True),
            learning_rate=Linear(config.learning_rate, 0.0, wait=0.5),
            betas=(config.beta1, 0.999),
        )

    def play(self, draw: Draw) -> Iterator[Move]:
        a, b = self._planes(draw())
        a, b = varied_together(a, b, crop=self.config.crop, flip=self.config.flip)
        fake = self.generator(a)
        fake = a + self.config.reach * fake if self.residual else fake
        real_logits, fake_logits = self.critic(cat([a, b], 1)), self.critic(cat([a, fake.detach()], 1))
        yield self.critic.minimizes(non_saturating=non_saturating_critic(real_logits, fake_logits) / 2)
        terms = {"non_saturating": non_saturating_generator(self.critic(cat([a, fake], 1)))}
        if self.config.l1:
            terms["l1"] = self.config.l1 * l1_loss(fake.float(), b)
        if self.config.l2:
            terms["l2"] = self.config.l2 * mse_loss(fake.float(), b)
        yield self.generator.minimizes(**terms)

    def _planes(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What the networks see of both images."""
        if not self.config.lab:
            return batch["a"], batch["b"]
        return lightness_of(batch["a"]), lab_of(batch["b"])[:, 1:]

    def maker(self, makes: str = "b") -> nn.Module:
        network = self.generator.averaged
        return Coloured(network) if self.config.lab else Added(network, self.config.reach) if self.residual else network

    def scores(self, batch: Batch) -> Tensor:
        return per_image(self.critic(cat(self._planes(batch), 1)))
