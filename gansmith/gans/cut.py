"""CUT: two domains without pairs, one direction, by the contrast of patches (Park et al. 2020).

Each patch of the output should resemble the input's patch at the same place more than its other patches, in the generator's own features.
There is no second generator and no way back: about half of CycleGAN's work. The preset `fast` is the paper's FastCUT.

    gansmith train horse2zebra/ --gan cut
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from gansmith.adversarial import least_squares_critic, least_squares_generator
from gansmith.augment.together import check_crop, varied_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.patch_contrast import PatchProjection, patch_contrast, random_places
from gansmith.layers.patch_critic import PatchCritic, check_patches
from gansmith.layers.resnet_translator import ResNetTranslator
from gansmith.tasks.translation import Translating, per_image
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of CUT; the defaults are the paper's (section 4, appendix C)."""

    width: int = 64
    """Channels of the generator's first layer."""
    blocks: int = 9
    """Residual blocks."""
    critic_width: int = 64
    """Channels of the critic's first layer."""
    critic_layers: int = 3
    """Halvings of the critic."""
    contrast: float = 1.0
    """Weight of the contrast of patches: 1 in CUT, 10 in FastCUT."""
    places: int = 256
    """Patches that are compared in each layer."""
    identity: bool = True
    """Whether b is also contrasted with its own translation, so that colours stay; not in FastCUT."""
    equivariant: bool = False
    """Whether half of the inputs are mirrored, so that the outputs must be, too (FastCUT)."""
    crop: int = 0
    """Side of random crops; 0 for whole images."""
    flip: bool = True
    """Whether half of the images are mirrored."""
    learning_rate: float = 2e-4
    """Adam's step size for both players, which falls to 0 in the second half."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 1_000
    """Half-life of the generator's moving average in samples."""


class Contrasting(nn.Module):
    """The translator, and the projections by which its features are compared; called, it translates."""

    translator: ResNetTranslator
    projection: PatchProjection

    def __init__(self, translator: ResNetTranslator, projection: PatchProjection) -> None:
        super().__init__()
        self.translator, self.projection = translator, projection

    def forward(self, a: Tensor) -> Tensor:
        return self.translator(a)


class CUT(Translating):
    """The least-squares game on patches with the contrast of patches. Its a and its b come from different draws."""

    Config = Config
    crosses = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the width, 4 blocks, batches of 4",
            batch=4,
            minutes=20,
            config={"width": 16, "blocks": 4, "critic_width": 24, "critic_layers": 2, "places": 64, "learning_rate": 5e-4},
        ),
        "paper": Preset(about="the paper's networks, one image at a time", batch=1, samples=800_000),
        "fast": Preset(
            about="FastCUT: without the identity term, half as long",
            batch=1,
            samples=400_000,
            config={"contrast": 10.0, "identity": False, "equivariant": True},
        ),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        given, made = spec.source_shape[0], spec.shape[0]
        if self.scale != 1:
            raise UserError(f"cut keeps the size, but b is {self.scale} times as large as a: choose --gan srgan or esrgan.")
        if given != made:
            raise UserError(
                f"cut needs as many channels on both sides, but they have {given} and {made}: give --channels {made}."
            )
        check_crop(config.crop, spec.source_shape)
        check_patches(config.critic_layers, config.crop or min(spec.shape[1:]))
        rate, betas = Linear(config.learning_rate, 0.0, wait=0.5), (config.beta1, 0.999)
        translator = ResNetTranslator(given, made, width=config.width, blocks=config.blocks)
        with torch.no_grad():
            widths = [x.shape[1] for x in translator.encoded(torch.zeros(1, given, 16, 16))]
        average = partial(Average, half_life=config.half_life)
        network = Contrasting(translator, PatchProjection(widths))
        self.generator = Player(network, learning_rate=rate, betas=betas, average=average)
        self.critic = Player(
            PatchCritic(made, width=config.critic_width, layers=config.critic_layers, batch_norm=False),
            learning_rate=rate,
            betas=betas,
        )

    def play(self, draw: Draw) -> Iterator[Move]:
        a, b = self._views(draw()["a"]), self._views(draw()["b"])
        mirrored = self.config.equivariant and bool(torch.rand(()) < 0.5)
        fake = self.generator(a.flip(3) if mirrored else a)
        yield self.critic.minimizes(least_squares=least_squares_critic(self.critic(b), self.critic(fake.detach())))
        terms = {
            "least_squares": least_squares_generator(self.critic(fake)),
            "contrast": self.config.contrast * self._contrast(a, fake.flip(3) if mirrored else fake),
        }
        if self.config.identity:
            terms["contrast"] = terms["contrast"] / 2
            terms["identity"] = self.config.contrast * self._contrast(b, self.generator(b)) / 2
        yield self.generator.minimizes(**terms)

    def _contrast(self, given: Tensor, made: Tensor) -> Tensor:
        network = cast(Contrasting, self.generator.network)
        with torch.no_grad():
            keys = network.translator.encoded(given)
        places = random_places(keys, self.config.places)
        queries = network.projection(network.translator.encoded(made), places)
        return patch_contrast(queries, network.projection(keys, places))

    def _views(self, images: Tensor) -> Tensor:
        """Random crops and flips of the images."""
        return varied_together(images, images, crop=self.config.crop, flip=self.config.flip)[0]

    def maker(self, makes: str = "b") -> nn.Module:
        return cast(Contrasting, self.generator.averaged).translator

    def scores(self, batch: Batch) -> Tensor:
        return per_image(self.critic(batch["b"]))
