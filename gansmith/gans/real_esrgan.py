"""Real-ESRGAN: enlarging pictures of unknown history (Wang et al. 2021).

ESRGAN's generator learns to undo blur, resizing, noise and JPEG, twice over, which are made anew for every batch; what the data give as
small images serves only to judge. A U-Net with spectral norm judges every pixel. The paper's VGG-19 term (its weights are not ours to ship)
and its pool of pairs are left out; noise of little light is Gaussian with the variance of Poisson's.

    gansmith train photos/ --degrade x4 --gan real_esrgan

Emoji of 128x128, degraded twice over by chance, x2, 70 CPU seconds, one thread, seed 0: 21.96 dB (bicubic 20.20), perceptual distance .446
(.572; before the critic joined .451).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import l1_loss

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.augment.second_order import second_order, sharpened
from gansmith.augment.together import crop_for, cropped_together, flipped_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.enlarging import Compact, RRDBNet
from gansmith.layers.frozen import features_for_training
from gansmith.layers.unet_critic import UNetCritic
from gansmith.tasks.translation import Translating, per_image
from gansmith.terms.perceptual import feature_distance
from gansmith.training.ema import Average

USUAL = 32
"""The side of crops of larger images, where none is asked for."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of Real-ESRGAN; the defaults are the paper's (section 4.1)."""

    width: int = 64
    """Channels of the generator."""
    blocks: int = 23
    """Residual-in-residual dense blocks, or layers of the compact network."""
    growth: int = 32
    """Channels that each convolution of a dense block adds."""
    compact: bool = False
    """Whether the generator is the compact network, for the speed of video."""
    critic_width: int = 64
    """Channels of the critic's first layer."""
    faithful: float = 0.7
    """The share of the budget before the critic joins; 1 for the highest PSNR."""
    adversarial: float = 0.1
    """Weight of the critic's opinion."""
    features: str = ""
    """A network for a perceptual term beside the critic's: timm:NAME, FILE.py:FUNCTION or FILE.pt; none without."""
    perceptual: float = 1.0
    """Weight of the perceptual term."""
    crop: int = 0
    """Side of random crops, counted in small pixels (the paper's: 64); 0 for whole images, or crops of 32 of larger ones."""
    flip: bool = True
    """Whether half of the images are mirrored."""
    learning_rate: float = 1e-4
    """Adam's step size for both players."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""


class RealESRGAN(Translating):
    """The L1 distance to the sharpened image alone, then with the non-saturating game on pixels."""

    Config = Config
    near = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a compact network of 8 layers of 32 channels",
            batch=16,
            minutes=15,
            config={"width": 32, "blocks": 8, "compact": True, "critic_width": 12, "learning_rate": 5e-4, "half_life": 2_000},
        ),
        "paper": Preset(about="the paper's network, 48 crops of 64 pixels", batch=48, samples=67_000_000, config={"crop": 64}),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if self.scale not in (1, 2, 4, 8):
            raise UserError(
                f"real_esrgan enlarges 1, 2, 4 or 8 times, but b is {self.scale} times as large as a: choose --gan srgan."
            )
        if spec.shape[0] == 4 or spec.source_shape[0] != spec.shape[0]:
            raise UserError(
                f"real_esrgan needs gray or RGB images on both sides, but they have {spec.source_shape[0]} and {spec.shape[0]} channels: "
                "give --channels 3."
            )
        self.crop = crop_for(config.crop, spec.source_shape, USUAL)
        sizes = {"scale": self.scale, "width": config.width, "blocks": config.blocks}
        channels = spec.shape[0]
        self.generator = Player(
            Compact(channels, channels, **sizes)
            if config.compact
            else RRDBNet(channels, channels, **sizes, growth=config.growth),
            learning_rate=config.learning_rate,
            betas=(0.9, 0.99),
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(
            UNetCritic(channels, width=config.critic_width), learning_rate=config.learning_rate, betas=(0.9, 0.99)
        )
        self.features = features_for_training(self, config.features)

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        a, b = batch["a"], batch["b"]
        if self.crop:
            a, b = cropped_together(a, b, self.crop)
        if self.config.flip:
            _, b = flipped_together(b, b)
        fake = self.generator(second_order(b, self.scale))
        terms = {"l1": l1_loss(fake, sharpened(b))}
        if self.clock.progress() >= self.config.faithful:
            yield self.critic.minimizes(non_saturating=non_saturating_critic(self.critic(b), self.critic(fake.detach())))
            terms["non_saturating"] = self.config.adversarial * non_saturating_generator(self.critic(fake))
            if self.features is not None:
                terms["perceptual"] = self.config.perceptual * feature_distance(self.features, fake, sharpened(b))
        yield self.generator.minimizes(**terms)

    def scores(self, batch: Batch) -> Tensor:
        return per_image(self.critic(batch["b"]))
