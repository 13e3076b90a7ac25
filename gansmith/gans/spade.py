"""SPADE: a map of labels to an image (Park et al. 2019, GauGAN).

The map decides scale and shift after every normalisation, at every place, so that norms do not wash it away. Critics at two scales see
map and image together, with spectral norm, the hinge game and feature matching.

    gansmith train rooms/ --kind pairs --label-maps --gan spade                     # rooms/A/*.png are maps, rooms/B/*.png photos

Without --label-maps the colours of the given images are taken as they are. The term of VGG features and the encoder of styles of the paper
are left out, the first because its weights are not ours to ship.

Posterised maps to emoji at 32x32, 80 CPU seconds, one thread, seed 0: Frechet distance 1.7 (a Gaussian of the pixels 15.1, real 0.9); a
segmenter reads the label of 90% of the pixels again (of real ones 92%).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import log2
from typing import ClassVar

from torch import Tensor, cat

from gansmith.adversarial import hinge_critic, hinge_generator
from gansmith.augment.together import check_crop, varied_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.multi_scale_critic import MultiScaleCritic, check_scales, feature_matching, mean_logit, over_scales
from gansmith.layers.spade import SpadeGenerator
from gansmith.tasks.translation import Translating
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of SPADE; the defaults are the paper's (section 4, appendix A)."""

    width: int = 64
    """Channels of the generator's last block; the first have 16 times as many."""
    halvings: int = 5
    """Doublings of the generator, at most as many as leave 2 pixels: 5 for 256 pixels."""
    hidden: int = 128
    """Channels of the layers that read the map."""
    critic_width: int = 64
    """Channels of the critics' first layers."""
    critic_layers: int = 4
    """Halvings of the critics."""
    critic_scales: int = 2
    """Scales at which critics see the images."""
    features: float = 10.0
    """Weight of the distance between what the critics see in made and in real images."""
    crop: int = 0
    """Side of random crops; 0 for whole images."""
    flip: bool = True
    """Whether half of the pairs are mirrored."""
    learning_rate: float = 1e-4
    """Adam's step size for the generator, which falls to 0 in the second half."""
    critic_learning_rate: float = 4e-4
    """The same for the critics."""
    beta1: float = 0.0
    """Adam's first-moment decay."""
    half_life: int = 1_000
    """Half-life of the generator's moving average in samples."""


class Spade(Translating):
    """The hinge game at two scales with feature matching."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: an eighth of the width, 4 doublings, batches of 8",
            batch=8,
            minutes=20,
            config={
                "width": 8,
                "halvings": 4,
                "hidden": 32,
                "critic_width": 16,
                "critic_layers": 2,
                "learning_rate": 5e-4,
                "critic_learning_rate": 1e-3,
                "half_life": 2_000,
            },
        ),
        "paper": Preset(about="the paper's networks, 32 maps at a time", batch=32, samples=600_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if self.scale != 1:
            raise UserError(f"spade keeps the size, but b is {self.scale} times as large as a: choose --gan srgan or esrgan.")
        check_crop(config.crop, spec.source_shape)
        side = config.crop or min(spec.shape[1:])
        check_scales(config.critic_layers, config.critic_scales, side)
        given, made = spec.source_shape[0], spec.shape[0]
        self.generator = Player(
            SpadeGenerator(
                given, made, width=config.width, halvings=min(config.halvings, int(log2(side)) - 1), hidden=config.hidden
            ),
            learning_rate=Linear(config.learning_rate, 0.0, wait=0.5),
            betas=(config.beta1, 0.999),
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(
            MultiScaleCritic(
                given + made,
                width=config.critic_width,
                layers=config.critic_layers,
                scales=config.critic_scales,
                norm="spectral",
            ),
            learning_rate=Linear(config.critic_learning_rate, 0.0, wait=0.5),
            betas=(config.beta1, 0.999),
        )

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        a, b = batch["a"], batch["b"]
        a, b = varied_together(a, b, crop=self.config.crop, flip=self.config.flip)
        fake = self.generator(a)
        real_seen, fake_seen = self.critic(cat([a, b], 1)), self.critic(cat([a, fake.detach()], 1))
        scales = self.config.critic_scales
        yield self.critic.minimizes(hinge=over_scales(hinge_critic, real_seen, fake_seen) / scales)
        seen = self.critic(cat([a, fake], 1))
        yield self.generator.minimizes(
            hinge=over_scales(hinge_generator, seen) / scales,
            features=self.config.features * feature_matching(real_seen, seen) / scales,
        )

    def scores(self, batch: Batch) -> Tensor:
        return mean_logit(self.critic(cat([batch["a"], batch["b"]], 1)))
