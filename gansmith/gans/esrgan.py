"""ESRGAN: residual dense blocks, and a critic that asks what looks more real (Wang et al. 2018).

As SRGAN, with the paper's generator (RRDB, whose weights have the published names) and the relativistic average critic, here Real-ESRGAN's
U-Net (Wang et al. 2021), which judges every pixel. The weights of the paper's VGG-19 term are not ours to ship;
`--gan.features` takes a network of yours.

    gansmith train photos/ --degrade x4 --gan esrgan

Preset `small`, MedNIST x4, test images, 100 CPU seconds on one thread of an AMD EPYC: 24.6 dB and a perceptual distance of 0.69;
bicubic 23.1 and 0.90 (bench/results/enlarging.md).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import l1_loss

from gansmith.adversarial import relativistic_average_critic, relativistic_average_generator
from gansmith.augment.together import crop_for, varied_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.enlarging import RRDBNet
from gansmith.layers.frozen import features_for_training
from gansmith.layers.unet_critic import UNetCritic
from gansmith.tasks.translation import Translating, per_image
from gansmith.terms.perceptual import feature_distance
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear

USUAL = 32
"""The side of crops of larger images, where none is asked for."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of ESRGAN; the defaults are the paper's (section 4.1)."""

    width: int = 64
    """Channels of the generator."""
    blocks: int = 23
    """Residual-in-residual dense blocks."""
    growth: int = 32
    """Channels that each convolution of a dense block adds."""
    folded: bool = True
    """Whether scales 1 and 2 fold squares of pixels into channels, which is 4 or 16 times as fast and less exact."""
    repeat_edges: bool = False
    """Whether pictures go on at their edges as they end there. The published networks, and programs that run them, see black there."""
    critic_width: int = 64
    """Channels of the critic's first layer."""
    faithful: float = 0.7
    """The share of the budget before the critic joins; 1 for the highest PSNR."""
    adversarial: float = 0.005
    """Weight of the critic's opinion."""
    features: str = ""
    """A network for a perceptual term beside the critic's: timm:NAME, FILE.py:FUNCTION or FILE.pt; none without."""
    perceptual: float = 1.0
    """Weight of the perceptual term."""
    crop: int = 0
    """Side of random crops of the small image (the paper's: 32); 0 for whole images, or crops of 32 pixels of larger ones."""
    flip: bool = True
    """Whether half of the pairs are mirrored."""
    learning_rate: float = 1e-4
    """Adam's step size, which falls to a tenth in the second half."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""


class ESRGAN(Translating):
    """The L1 distance alone, then with the relativistic average game."""

    Config = Config
    near = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: 3 blocks of 24 channels, batches of 4",
            batch=4,
            minutes=10,
            config={
                "width": 24,
                "blocks": 3,
                "growth": 12,
                "folded": False,
                "repeat_edges": True,
                "critic_width": 12,
                "adversarial": 0.2,
                "learning_rate": 2e-3,
                "half_life": 1_000,
            },
        ),
        "paper": Preset(about="the paper's network, 16 crops of 32 pixels", batch=16, samples=16_000_000, config={"crop": 32}),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if self.scale not in (1, 2, 4, 8):
            raise UserError(f"esrgan enlarges 1, 2, 4 or 8 times, but b is {self.scale} times as large as a: choose --gan srgan.")
        self.crop = crop_for(config.crop, spec.source_shape, USUAL)
        rate = Linear(config.learning_rate, config.learning_rate / 10, wait=0.5)
        generator = RRDBNet(
            spec.source_shape[0],
            spec.shape[0],
            scale=self.scale,
            width=config.width,
            blocks=config.blocks,
            growth=config.growth,
            folded=config.folded,
            edges="replicate" if config.repeat_edges else "zeros",
        )
        average = partial(Average, half_life=config.half_life)
        self.generator = Player(generator, learning_rate=rate, betas=(0.9, 0.99), average=average)
        self.critic = Player(UNetCritic(spec.shape[0], width=config.critic_width), learning_rate=rate, betas=(0.9, 0.99))
        self.features = features_for_training(self, config.features)

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        a, b = batch["a"], batch["b"]
        a, b = varied_together(a, b, crop=self.crop, flip=self.config.flip)
        fake = self.generator(a)
        terms = {"l1": l1_loss(fake, b)}
        if self.clock.progress() >= self.config.faithful:
            yield self.critic.minimizes(relativistic=relativistic_average_critic(self.critic(b), self.critic(fake.detach())) / 2)
            logits = self.critic(b).detach(), self.critic(fake)
            terms["relativistic"] = self.config.adversarial * relativistic_average_generator(*logits) / 2
            if self.features is not None:
                terms["perceptual"] = self.config.perceptual * feature_distance(self.features, fake, b)
        yield self.generator.minimizes(**terms)

    def scores(self, batch: Batch) -> Tensor:
        return per_image(self.critic(batch["b"]))
