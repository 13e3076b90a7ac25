"""FusionGAN: one image of two that show the same scene, such as infrared and visible light (Ma et al. 2019).

The first image (a) gives the brightness, heat for example, the second one (b) the details: the generator keeps the values of the one and
the Laplacian of the other, and a critic that sees b alone asks for more of its details. Brightness is fused; the colours of b stay.

    gansmith train scenes/ --kind pairs --gan fusiongan
    gansmith train shots/ --kind pairs --gan fusiongan --gan.stronger        # the same in different focus
    gansmith translate runs/scenes-0001 infrared.png --partner visible.png --out fused/

The folder holds pairs by name (`A/`, `B/`); nothing but the two images is needed, as there is no true fusion. Differences from the paper:
the critic averages over places where the paper's sees crops of one size, so that it judges images of any size; in the preset `small` the
generator changes the mean of both brightnesses, at which training begins.

Stained nuclei as heat with the gray micrograph, 64x64, preset `small`, 90 CPU seconds, one thread of an AMD EPYC, seed 0: SD 70.6, SF 12.0,
Qabf 0.394 (the mean of both 26.8, 5.4, 0.170; a Laplacian pyramid 58.4, 14.7, 0.530). Photographs that are sharp on one side each, with
`--gan.stronger`, held-out crops of those learned from: SD 32.4, SF 13.9, Qabf 0.712 (the mean 31.5, 9.6, 0.670; a Laplacian pyramid 34.5,
15.4, 0.705).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, cat, nn
from torch.nn.functional import conv2d, leaky_relu, pad
from torch.nn.utils.parametrizations import spectral_norm

from gansmith.augment.together import crop_for, varied_together
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.data.values import Moves
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.tasks.translation import Named, Translating
from gansmith.training.ema import Average
from gansmith.training.seeds import uniform_rows

REACH = 6
"""How far a fused pixel sees: two convolutions of 5 x 5 and two of 3 x 3."""
USUAL = 64
"""The side of crops of larger images, where none is asked for."""
EXTREME = 0.99
"""The darkest and brightest of the mean from which tanh can still be left."""
REAL, FAKE = (0.7, 1.2), (0.0, 0.3)
"""Between what the critic's soft targets are drawn (the paper, section 3.3.2)."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of FusionGAN; the defaults are the paper's (section 3.3, 4.1) and its authors' code's."""

    width: int = 256
    """Channels of the generator's first layer; each further one has half as many."""
    critic_width: int = 32
    """Channels of the critic's first layer; each further one has twice as many."""
    critic_moves: Moves = 2
    """Critic moves before each generator move."""
    content: float = 100.0
    """Weight of brightness and details against the critic's opinion (lambda)."""
    details: float = 5.0
    """Weight of details within the content (xi)."""
    stronger: bool = False
    """Whether the details to keep are at every place the stronger ones of both images, and the brightness the mean of both: for pictures in
    different focus. The paper keeps b's details and a's brightness."""
    from_mean: bool = False
    """Whether the generator changes the mean of both brightnesses, at which training then begins."""
    crop: int = 0
    """Side of random crops in pixels (the paper's: 120); 0 for whole images, or crops of 64 of larger ones."""
    flip: bool = True
    """Whether half of the pairs are mirrored, which the paper does not do."""
    learning_rate: float = 1e-4
    """Adam's step size for both players."""
    half_life: int = 1_000
    """Half-life of the generator's moving average in samples."""


def brightness(image: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch 1 height width"]:
    """The luma of ITU-R BT.601 of colours, in the range of the image; the mean of other numbers of channels."""
    if image.shape[1] not in (3, 4):
        return image.mean(1, keepdim=True)
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    return (image[:, :3] * weights).sum(1, keepdim=True)


def laplacian(image: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 1 height width"]:
    """Four neighbours minus four times the pixel, the edge repeated: the paper's gradient, as its code has it."""
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]], dtype=image.dtype, device=image.device)
    return conv2d(pad(image, (1, 1, 1, 1), mode="replicate"), kernel[None, None])


class Fuser(nn.Module):
    """Five convolutions without padding on the two brightnesses, whose edges go on as far as is seen (figure 3 of the paper)."""

    def __init__(self, channels: int, made: int, width: int, from_mean: bool = False) -> None:
        super().__init__()
        self.channels, self.made, self.from_mean = channels, made, from_mean
        self.first = nn.Conv2d(2, width, 5)
        self.second = nn.Conv2d(width, width // 2, 5)
        self.third = nn.Conv2d(width // 2, width // 4, 3)
        self.fourth = nn.Conv2d(width // 4, width // 8, 3)
        self.last = nn.Conv2d(width // 8, 1, 1)
        with torch.no_grad():
            self.last.weight *= 0.3
            if from_mean and self.last.bias is not None:
                self.last.bias.zero_()
        self.norm1, self.norm2 = BatchNorm(width), BatchNorm(width // 2)
        self.norm3, self.norm4 = BatchNorm(width // 4), BatchNorm(width // 8)

    def forward(self, x: Float[Tensor, "batch both height width"]) -> Float[Tensor, "batch made height width"]:
        """`x` holds the channels of a, then those of b."""
        a, b = x[:, : self.channels], x[:, self.channels :]
        seen, visible = brightness(a), brightness(b)
        y = cat([seen, visible], 1)
        y = pad(y, (REACH,) * 4, mode="replicate")
        y = leaky_relu(self.norm1(self.first(y)), 0.2)
        y = leaky_relu(self.norm2(self.second(y)), 0.2)
        y = leaky_relu(self.norm3(self.third(y)), 0.2)
        y = leaky_relu(self.norm4(self.fourth(y)), 0.2)
        y = self.last(y).float()
        if self.from_mean:
            mean = ((seen + visible) / 2).float().clamp(-EXTREME, EXTREME)
            y = y + ((1 + mean) / (1 - mean)).log() / 2  # what tanh makes the mean of
        fused = bounded(y)
        return fused if self.made == 1 else _coloured(b.float(), fused - visible.float())


def _coloured(b: Tensor, difference: Tensor) -> Tensor:
    """b, brighter by `difference` in its colours; transparency stays."""
    return b + difference if b.shape[1] != 4 else cat([b[:, :3] + difference, b[:, 3:]], 1)


class Critic(nn.Module):
    """Four convolutions that halve a brightness, with spectral norm, and one score for all places (figure 4 of the paper)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = spectral_norm(nn.Conv2d(1, width, 3, stride=2, padding=1))
        self.second = spectral_norm(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1))
        self.third = spectral_norm(nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1))
        self.fourth = spectral_norm(nn.Conv2d(4 * width, 8 * width, 3, stride=2, padding=1))
        self.last = spectral_norm(nn.Linear(8 * width, 1))
        self.norm2, self.norm3, self.norm4 = BatchNorm(2 * width), BatchNorm(4 * width), BatchNorm(8 * width)

    def forward(self, x: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, " batch"]:
        x = leaky_relu(self.first(x), 0.2)
        x = leaky_relu(self.norm2(self.second(x)), 0.2)
        x = leaky_relu(self.norm3(self.third(x)), 0.2)
        x = leaky_relu(self.norm4(self.fourth(x)), 0.2)
        return self.last(x.mean((2, 3)))[:, 0]


class FusionGAN(Translating):
    """Least squares with soft targets; the content keeps a's brightness and b's Laplacian."""

    Config = Config
    partner = True
    judged_by = ("entropy", "deviation", "spatial_frequency", "fusion_correlation", "mutual_information", "fusion_ssim", "qabf")
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the channels or fewer, a faster rate, batches of 4",
            batch=4,
            minutes=5,
            config={"width": 48, "critic_width": 8, "from_mean": True, "learning_rate": 1e-3},
        ),
        "paper": Preset(
            about="the paper's networks, 32 crops of 120 pixels", batch=32, samples=640_000, config={"crop": 120, "flip": False}
        ),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if self.scale != 1:
            raise UserError(
                "fusiongan fuses two images of one size, but b is larger than a: give A/ and B/ with registered images."
            )
        self.crop = crop_for(config.crop, spec.source_shape, USUAL)
        if (side := self.crop or min(spec.shape[1:])) < 16:
            raise UserError(f"fusiongan's critic needs images of 16 pixels, but they have {side}: give a greater --resolution.")
        self.generator = Player(
            Fuser(spec.source_shape[0], spec.shape[0], config.width, config.from_mean),
            learning_rate=config.learning_rate,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(Critic(config.critic_width), learning_rate=config.learning_rate)

    def play(self, draw: Draw) -> Iterator[Move]:
        for _ in range(self.config.critic_moves):
            a, b = self.dealt(draw())
            with torch.no_grad():
                fake = self.generator(cat([a, b], 1))
            real_logits, fake_logits = self.critic(brightness(b)), self.critic(brightness(fake))
            yield self.critic.minimizes(
                least_squares=(real_logits.float() - soft(real_logits, *REAL)).square().mean()
                + (fake_logits.float() - soft(fake_logits, *FAKE)).square().mean()
            )
        fused = brightness(self.generator(cat([a, b], 1)))
        logits = self.critic(fused)
        bright, details = self._kept(brightness(a), brightness(b))
        yield self.generator.minimizes(
            least_squares=(logits.float() - soft(logits, *REAL)).square().mean(),
            brightness=self.config.content * (fused - bright).square().mean(),
            details=self.config.content * self.config.details * (laplacian(fused) - details).square().mean(),
        )

    def _kept(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """The brightness and the Laplacian that the fused image should have."""
        of_a, of_b = laplacian(a), laplacian(b)
        return ((a + b) / 2, torch.where(of_a.abs() > of_b.abs(), of_a, of_b)) if self.config.stronger else (a, of_b)

    def dealt(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Both images of a batch's pairs, cropped and mirrored together."""
        return varied_together(batch["a"], batch["b"], crop=self.crop, flip=self.config.flip)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """`condition` holds both images, "a" and "target" [n, ...]."""
        both = cat([condition["a"], condition["target"]], 1).to(self.device)
        return {self.spec.key: self.maker()(both).float(), **condition}

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(brightness(batch["b"]))

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """`input` holds the channels of a, then those of b."""
        sizes = (self.spec.source_shape[0] + self.spec.shape[0], *self.spec.shape[1:])
        return Named(self.maker()), {"input": torch.zeros(2, *sizes)}


def soft(logits: Tensor, low: float, high: float) -> Tensor:
    """A target for every logit, between low and high."""
    return low + (high - low) * uniform_rows(len(logits), device=logits.device)
