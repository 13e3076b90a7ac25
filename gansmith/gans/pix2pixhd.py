"""pix2pixHD: an image to its partner at high resolution, coarse first, then fine (Wang et al. 2018).

A global network learns at half the size; then an enhancer around it makes the whole size, and both learn together. Critics at several
scales judge the pair, and what they see in a made image must resemble what they see in the real one.

    gansmith train cityscapes/ --kind pairs --gan pix2pixhd

Neither the term of VGG features nor the maps of instances of the paper are there: the first needs weights that are not ours to ship.

Maps of 12 labels to emoji at 32x32, preset `small`, 90 CPU seconds, one thread of an AMD EPYC, seed 0: 20.4 dB (a colour lookup 19.7),
labels found again at 0.912 of the pixels (real 0.920), Frechet distance 1.95 (a Gaussian of the pixels 15.1, real 0.88).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

from torch import Tensor, cat

from gansmith.adversarial import least_squares_critic, least_squares_generator
from gansmith.augment.together import check_crop, varied_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.coarse_to_fine import CoarseToFine, halved
from gansmith.layers.multi_scale_critic import MultiScaleCritic, check_scales, feature_matching, mean_logit, over_scales
from gansmith.tasks.translation import Translating
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of pix2pixHD; the defaults are the paper's (section 3, appendix A)."""

    width: int = 64
    """Channels of the global network's first layer; the enhancer's has half of them."""
    halvings: int = 4
    """Halvings of the global network."""
    blocks: int = 9
    """Residual blocks of the global network."""
    enhancer_blocks: int = 3
    """Residual blocks of the enhancer."""
    coarse: float = 0.5
    """The share of the budget in which the global network learns alone, at half the size."""
    critic_width: int = 64
    """Channels of the critics' first layers."""
    critic_layers: int = 3
    """Halvings of the critics."""
    critic_scales: int = 3
    """Scales at which critics see the images; one less while the global network learns alone."""
    features: float = 10.0
    """Weight of the distance between what the critics see in made and in real images."""
    crop: int = 0
    """Side of random crops; 0 for whole images."""
    flip: bool = True
    """Whether half of the pairs are mirrored."""
    learning_rate: float = 2e-4
    """Adam's step size for both players, which falls to 0 in the second half."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 500
    """Half-life of the generator's moving average in samples."""


class Pix2PixHD(Translating):
    """The least-squares game at several scales with feature matching, at half the size first."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: narrower networks, two halvings, both sizes at once, critics of two scales, batches of 4",
            batch=4,
            minutes=15,
            config={
                "width": 24,
                "halvings": 2,
                "blocks": 4,
                "enhancer_blocks": 1,
                "coarse": 0.0,
                "critic_width": 16,
                "critic_layers": 2,
                "critic_scales": 2,
                "learning_rate": 1e-3,
                "half_life": 2_000,
            },
        ),
        "paper": Preset(about="the paper's networks, one pair at a time", batch=1, samples=1_200_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if self.scale != 1:
            raise UserError(f"pix2pixhd keeps the size, but b is {self.scale} times as large as a: choose --gan srgan or esrgan.")
        check_crop(config.crop, spec.source_shape)
        check_scales(config.critic_layers, config.critic_scales, config.crop or min(spec.shape[1:]))
        given, made = spec.source_shape[0], spec.shape[0]
        rate = Linear(config.learning_rate, 0.0, wait=0.5)
        self.generator = Player(
            CoarseToFine(
                given,
                made,
                width=config.width,
                halvings=config.halvings,
                blocks=config.blocks,
                enhancer_blocks=config.enhancer_blocks,
            ),
            learning_rate=rate,
            betas=(config.beta1, 0.999),
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(
            MultiScaleCritic(
                given + made,
                width=config.critic_width,
                layers=config.critic_layers,
                scales=config.critic_scales,
                norm="instance",
            ),
            learning_rate=rate,
            betas=(config.beta1, 0.999),
        )

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        a, b = batch["a"], batch["b"]
        a, b = varied_together(a, b, crop=self.config.crop, flip=self.config.flip)
        if coarse := self.clock.progress() < self.config.coarse:
            a, b = halved(a), halved(b)
        network = cast(CoarseToFine, self.generator.network)
        fake = network.coarse(a) if coarse else self.generator(a)
        scales = self.config.critic_scales - (coarse and self.config.critic_scales > 1)
        judge = partial(cast(MultiScaleCritic, self.critic.network), scales=scales)
        real_seen = judge(cat([a, b], 1))
        yield self.critic.minimizes(least_squares=over_scales(least_squares_critic, real_seen, judge(cat([a, fake.detach()], 1))))
        seen = judge(cat([a, fake], 1))
        yield self.generator.minimizes(
            least_squares=over_scales(least_squares_generator, seen),
            features=self.config.features * feature_matching(real_seen, seen),
        )

    def scores(self, batch: Batch) -> Tensor:
        return mean_logit(self.critic(cat([batch["a"], batch["b"]], 1)))
