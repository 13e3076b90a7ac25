"""SRGAN: small images to large ones, first faithful, then sharp (Ledig et al. 2017).

A residual network learns to enlarge by the distance to the large image alone (the PSNR stage); then a critic of patches joins. The
generator is that of the paper without batch norm (Lim et al. 2017), which adds to the enlarged input what it lacks. The weights of the
paper's VGG-19 term are not ours to ship: an L1 term keeps the image at its place, and `--gan.features` takes a network of yours.

    gansmith train photos/ --degrade x4 --gan srgan
    gansmith train photos/ --degrade noise25,jpeg40 --gan srgan

Preset `small`, test images, one thread of an AMD EPYC (bench/results/enlarging.md, repair.md): blood cells x4 41.4 dB after 60 CPU
seconds (bicubic 39.5), drawn faces x2 36.2 after 80 (27.0), noise of 25 on emoji 31.3 after 45 (the best linear filter 27.8).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import l1_loss

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.augment.together import crop_for, varied_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.enlarging import Compact, SRResNet
from gansmith.layers.frozen import features_for_training
from gansmith.layers.patch_critic import PatchCritic, check_patches
from gansmith.tasks.translation import Translating, per_image
from gansmith.terms.perceptual import feature_distance
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear

USUAL = 32
"""The side of crops of larger images, where none is asked for."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of SRGAN; the defaults are the paper's (section 3.2), the weights those for images from -1 to 1."""

    width: int = 64
    """Channels of the generator."""
    blocks: int = 16
    """Residual blocks, or layers of the compact network."""
    compact: bool = False
    """Whether the generator is Real-ESRGAN's compact network, for the speed of video."""
    critic_width: int = 64
    """Channels of the critic's first layer."""
    critic_layers: int = 3
    """Halvings of the critic."""
    faithful: float = 0.7
    """The share of the budget before the critic joins; 1 for the highest PSNR."""
    adversarial: float = 0.005
    """Weight of the critic's opinion."""
    features: str = ""
    """A network for a perceptual term beside the critic's: timm:NAME, FILE.py:FUNCTION or FILE.pt; none without."""
    perceptual: float = 1.0
    """Weight of the perceptual term."""
    crop: int = 0
    """Side of random crops of the small image; 0 for whole images, or crops of 32 pixels of larger ones."""
    flip: bool = True
    """Whether half of the pairs are mirrored."""
    learning_rate: float = 1e-4
    """Adam's step size, which falls to a tenth in the second half."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in samples."""


class SRGAN(Translating):
    """The L1 distance alone, then with the non-saturating game on patches."""

    Config = Config
    near = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: 4 blocks of 32 channels",
            batch=16,
            minutes=10,
            config={
                "width": 32,
                "blocks": 4,
                "critic_width": 16,
                "critic_layers": 2,
                "adversarial": 0.2,
                "learning_rate": 1e-3,
            },
        ),
        "paper": Preset(about="the paper's networks, 16 crops of 24 pixels", batch=16, samples=16_000_000, config={"crop": 24}),
        "video": Preset(
            about="the compact network: 16 layers of 64 channels", batch=16, samples=4_000_000, config={"compact": True}
        ),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.crop = crop_for(config.crop, spec.source_shape, USUAL)
        check_patches(config.critic_layers, self.scale * self.crop or min(spec.shape[1:]))
        network = Compact if config.compact else SRResNet
        self.generator = Player(
            network(spec.source_shape[0], spec.shape[0], scale=self.scale, width=config.width, blocks=config.blocks),
            learning_rate=Linear(config.learning_rate, config.learning_rate / 10, wait=0.5),
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(
            PatchCritic(spec.shape[0], width=config.critic_width, layers=config.critic_layers, batch_norm=False),
            learning_rate=Linear(config.learning_rate, config.learning_rate / 10, wait=0.5),
        )
        self.features = features_for_training(self, config.features)

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        a, b = batch["a"], batch["b"]
        a, b = varied_together(a, b, crop=self.crop, flip=self.config.flip)
        fake = self.generator(a)
        terms = {"l1": l1_loss(fake, b)}
        if self.clock.progress() >= self.config.faithful:
            yield self.critic.minimizes(non_saturating=non_saturating_critic(self.critic(b), self.critic(fake.detach())))
            terms["non_saturating"] = self.config.adversarial * non_saturating_generator(self.critic(fake))
            if self.features is not None:
                terms["perceptual"] = self.config.perceptual * feature_distance(self.features, fake, b)
        yield self.generator.minimizes(**terms)

    def scores(self, batch: Batch) -> Tensor:
        return per_image(self.critic(batch["b"]))
