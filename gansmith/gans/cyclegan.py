"""CycleGAN: two domains without pairs, there and back again (Zhu et al. 2017).

One network translates a to b, another b to a, and each has a patch critic. An image translated there and back must come out as it was.

    gansmith train horse2zebra/ --gan cyclegan
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

from torch import Tensor, cat, nn
from torch.nn.functional import l1_loss

from gansmith.adversarial import least_squares_critic, least_squares_generator
from gansmith.augment.together import check_crop, varied_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.data.values import CountOrNone
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.image_pool import ImagePool
from gansmith.layers.patch_critic import PatchCritic, check_patches
from gansmith.layers.resnet_translator import ResNetTranslator
from gansmith.tasks.translation import Translating, per_image
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of CycleGAN; the defaults are the paper's (section 4, appendix 7)."""

    width: int = 64
    """Channels of the generators' first layer."""
    blocks: int = 9
    """Residual blocks: 9 for 256 pixels, 6 for 128."""
    critic_width: int = 64
    """Channels of the critics' first layer."""
    critic_layers: int = 3
    """Halvings of the critics: patches of 70 pixels with 3, 34 with 2, 16 with 1."""
    cycle: float = 10.0
    """Weight of the L1 distance between an image and its translation there and back."""
    identity: float = 5.0
    """Weight of the L1 distance between b and its translation to b; 0 lets colours change. Both sides need the same number of channels."""
    pool: CountOrNone = 50
    """Images made earlier that the critics are reminded of."""
    crop: int = 0
    """Side of random crops; 0 for whole images."""
    flip: bool = True
    """Whether half of the images are mirrored."""
    learning_rate: float = 2e-4
    """Adam's step size for all players, which falls to 0 in the second half."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 1_000
    """Half-life of the generators' moving average in samples."""


class Both(nn.Module):
    """The two directions; called, it translates a to b."""

    b_of_a: ResNetTranslator
    a_of_b: ResNetTranslator

    def __init__(self, b_of_a: ResNetTranslator, a_of_b: ResNetTranslator) -> None:
        super().__init__()
        self.b_of_a, self.a_of_b = b_of_a, a_of_b

    def forward(self, a: Tensor) -> Tensor:
        return self.b_of_a(a)


class CycleGAN(Translating):
    """The least-squares game on patches, in two directions at once. Its a and its b come from different draws, so never from one pair."""

    Config = Config
    directions = ("b", "a")
    crosses = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the width, 4 blocks, batches of 4",
            batch=4,
            minutes=20,
            config={"width": 16, "blocks": 4, "critic_width": 24, "critic_layers": 2, "learning_rate": 5e-4},
        ),
        "paper": Preset(about="the paper's networks, one image at a time", batch=1, samples=400_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        given, made = spec.source_shape[0], spec.shape[0]
        if self.scale != 1:
            raise UserError(f"cyclegan keeps the size, but b is {self.scale} times as large as a: choose --gan srgan or esrgan.")
        if config.identity and given != made:
            raise UserError(
                f"the identity term needs as many channels on both sides, but they have {given} and {made}: pass --gan.identity 0."
            )
        check_crop(config.crop, spec.source_shape)
        check_patches(config.critic_layers, config.crop or min(spec.shape[1:]))
        rate, betas = Linear(config.learning_rate, 0.0, wait=0.5), (config.beta1, 0.999)
        translator = partial(ResNetTranslator, width=config.width, blocks=config.blocks)
        patches = partial(PatchCritic, width=config.critic_width, layers=config.critic_layers, batch_norm=False)
        self.generator = Player(
            Both(translator(given, made), translator(made, given)),
            learning_rate=rate,
            betas=betas,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(patches(made), learning_rate=rate, betas=betas)
        self.critic_of_a = Player(patches(given), learning_rate=rate, betas=betas)
        shape = (config.crop, config.crop) if config.crop else spec.shape[1:]
        self.pool = ImagePool(config.pool, (made, *shape))
        self.pool_of_a = ImagePool(config.pool, (given, *shape))

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        a, b = self._views(draw()["a"]), self._views(draw()["b"])
        both = cast(Both, self.generator.network)
        # what has the same network goes through it together, which is faster and, with instance norm, the same
        if self.config.identity:
            fake_b, same_b = both.b_of_a(cat([a, b])).chunk(2)
            fake_a, same_a = both.a_of_b(cat([b, a])).chunk(2)
        else:
            fake_b, fake_a, same_b, same_a = both.b_of_a(a), both.a_of_b(b), None, None
        terms = {
            "b_least_squares": least_squares_generator(self.critic(fake_b)),
            "a_least_squares": least_squares_generator(self.critic_of_a(fake_a)),
            "cycle": self.config.cycle * (l1_loss(both.a_of_b(fake_b), a) + l1_loss(both.b_of_a(fake_a), b)),
        }
        if same_b is not None and same_a is not None:
            terms["identity"] = self.config.identity * (l1_loss(same_b, b) + l1_loss(same_a, a))
        yield self.generator.minimizes(**terms)
        b_logits, old_b_logits = self.critic(cat([b, self.pool.exchanged(fake_b)])).chunk(2)
        a_logits, old_a_logits = self.critic_of_a(cat([a, self.pool_of_a.exchanged(fake_a)])).chunk(2)
        yield (
            self.critic.minimizes(least_squares=least_squares_critic(b_logits, old_b_logits)),
            self.critic_of_a.minimizes(least_squares=least_squares_critic(a_logits, old_a_logits)),
        )

    def _views(self, images: Tensor) -> Tensor:
        """Random crops and flips of the images."""
        return varied_together(images, images, crop=self.config.crop, flip=self.config.flip)[0]

    def maker(self, makes: str = "b") -> nn.Module:
        both = cast(Both, self.generator.averaged)
        return both.b_of_a if makes == "b" else both.a_of_b

    def scores(self, batch: Batch) -> Tensor:
        return per_image(self.critic(batch["b"]))
