"""R3GAN: a modern baseline that trains without tricks (Huang et al. 2024, "The GAN is dead; long live the GAN!").

The relativistic pairing loss with zero-centred gradient penalties on real and generated data converges locally, so the
networks need no normalisation, no style, no noise inputs: residual blocks of 1x1, grouped 3x3 and 1x1 convolutions.

    gansmith train digits                                   # preset small
    gansmith train cifar10 --preset cifar10                 # the paper's networks and schedules

The first command takes 2 min 36 s on two CPU cores: classification accuracy 0.951 (real-trained 0.965), coverage 0.932, seed 0. On one
core, Fashion-MNIST in 128 CPU seconds: Frechet distance 1.6, recall 0.76; MNIST in 117: 0.39, recall 0.85; seed 0; with gamma=5 all
1,000 modes of stacked MNIST in 290 (divergence 0.10, real 0.02). The preset small has plain players (`network`), not the paper's
residual ones. We have not trained the paper's presets to the end.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pixel_shuffle, pixel_unshuffle

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.augment.against_overfitting import AgainstOverfitting
from gansmith.augment.pipeline import Augment, Transforms
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.dense import LEAKY_GAIN, Judge, dense
from gansmith.layers.labels import Label, label_embedding
from gansmith.layers.plain import PlainCritic, PlainGenerator
from gansmith.layers.pyramid import pyramid
from gansmith.layers.resample import downsample, upsample
from gansmith.layers.residual_points import PointCritic, PointGenerator
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine, Geometric
from gansmith.training.seeds import normal_rows

# the paper's: geometry and cutout at full strength, colour at half
AUGMENTATIONS = Transforms(brightness=0.5, contrast=0.5, luma_flip=0.5, hue=0.5, saturation=0.5, cutout=1.0)


# plain and narrow networks, simultaneous moves, schedules over the budget
SMALL: Mapping[str, Any] = {
    "network": "plain",
    "gamma": None,
    "gamma_end": None,
    "learning_rate": 2e-3,
    "learning_rate_end": 2e-4,
    "beta2": 0.99,
    "half_life": 10_000,
    "schedule": None,
    "simultaneous": True,
}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of R3GAN; the defaults are the paper's for CIFAR-10 (table 8), sized by the data."""

    network: Literal["residual", "plain"] = "residual"
    """The players of images: the paper's residual blocks, or a few strided convolutions, which learn most in a second of a CPU."""
    widths: tuple[int, ...] = ()
    """Channels of each stage from the lowest resolution up; empty: 768 at up to 32 pixels, halved at every doubling beyond."""
    top_width: int | None = None
    """Channels at the highest resolution, doubled at each halving up to four times as many, where `widths` is empty; of plain
    players, those of the generator at half the side of the image (16 if None), doubled up to eight times."""
    critic_width: int = 32
    """Channels of a plain critic at half the side of the image, doubled at each halving up to eight times."""
    blocks: int = 2
    """Residual blocks in each stage."""
    expansion: int = 2
    """How much wider a block is inside."""
    group_width: int = 16
    """Channels in each group of the grouped 3x3 convolutions."""
    patch: int = 1
    """Side of the pixel patches that the networks see as one position; 2 spares a CPU the highest resolution."""
    dense_ends: bool = False
    """Whether a full linear map joins noise or features to the lowest resolution, instead of one basis image for each channel:
    few blocks then reach across the whole image, which narrow and shallow networks need."""
    noise: int = 64
    """Dimensions of the latent noise."""
    code_bits: int = 0
    """The signs of so many noise dimensions choose one of 2^bits learned vectors, which joins the rest of the noise (points only):
    data in separate heaps need a latent in separate pieces (Khayatkhoei et al. 2018, Disconnected manifold learning for GANs)."""
    class_embedding: int = 64
    """Dimensions of the learned class vectors."""
    gamma: float | None = 0.05
    """Weight of the gradient penalties at the start; None: an eightieth of the numbers in an example, a tenth of that for plain players."""
    gamma_end: float | None = 0.005
    """Weight of the gradient penalties at the end of the schedule; None: a tenth of that at the start."""
    gamma_falls: Literal["cosine", "geometric"] = "cosine"
    """How the weight gets there: along half a cosine, or by equal factors, which leaves more time at small weights."""
    learning_rate: float = 2e-4
    """Step size of both players at the start."""
    learning_rate_end: float = 5e-5
    """Step size at the end of the schedule."""
    beta2: float = 0.9
    """Adam's second-moment decay at the start."""
    beta2_end: float = 0.99
    """Adam's second-moment decay at the end of the schedule."""
    half_life: int = 5_000_000
    """Half-life of the generator's moving average in samples, at the end of the schedule; it grows from 0."""
    penalty_interval: int = 1
    """Rounds from one with penalties to the next; they then weigh as many times more (lazy regularisation, Karras et al. 2020)."""
    schedule: int | None = 40_000_000
    """Samples over which everything above changes; None: the budget. (The paper counts the critic's samples only: 20 million.)"""
    augment: float = 0.0
    """Probability of augmentations at the end of the schedule, growing from 0 (images only)."""
    against_overfitting: Literal["none", "diffaugment", "ada", "apa"] = "none"
    """Instead of `augment`: fixed (diffaugment) or adaptive (ada) augmentation, or generated images that pass for real ones (apa);
    both adapt to how often a real image beats its generated partner (images only)."""
    overfitting_target: float = 0.6
    """The overfitting that ada and apa allow: the mean sign of the differences of logits."""
    simultaneous: bool = False
    """Both players move at once on one critic pass, which saves a third of the time; the paper alternates."""

    def __post_init__(self) -> None:
        if not 0 <= self.code_bits < self.noise:
            raise UserError(
                f"The bits of the code must be fewer than the {self.noise} dimensions of the noise, but they are {self.code_bits}: "
                "change --gan.code-bits or --gan.noise."
            )
        if self.augment and self.against_overfitting != "none":
            raise UserError("Images are augmented in one way: give either --gan.augment or --gan.against-overfitting.")
        for width in self.widths:
            if width * self.expansion % min(self.group_width, width * self.expansion):
                raise UserError(
                    f"Every width times the expansion must be a multiple of the group width {self.group_width}, but "
                    f"{width} x {self.expansion} is not: change --gan.widths, --gan.expansion or --gan.group-width."
                )
        if self.patch not in (1, 2, 4):
            raise UserError(f"A patch must be 1, 2 or 4 pixels wide, but it is {self.patch}: change --gan.patch.")
        if self.network == "plain" and (self.widths or self.patch > 1):
            raise UserError(
                "Plain players take their widths from --gan.top-width and --gan.critic-width and see single pixels: leave out "
                "--gan.widths and --gan.patch, or give --gan.network residual."
            )


def convolution(inputs: int, outputs: int, size: int, *, groups: int = 1, gain: float = 1.0, bias: bool = False) -> nn.Conv2d:
    """A convolution whose weights are normal with deviation gain / sqrt(fan in); a bias is zero."""
    layer = nn.Conv2d(inputs, outputs, size, padding=size // 2, groups=groups, bias=False)
    nn.init.normal_(layer.weight, 0, gain / math.sqrt(layer.weight[0].numel()))
    if bias:
        layer.bias = nn.Parameter(torch.zeros(outputs))
    return layer


class Block(nn.Module):
    """A residual block: 1x1 wider, grouped 3x3, 1x1 back, which starts as the identity (section 4.2)."""

    def __init__(self, width: int, config: Config, blocks: int) -> None:
        super().__init__()
        inner = width * config.expansion
        gain = LEAKY_GAIN * blocks ** (-1 / 4)  # Fixup: L^(-1 / (2m - 2)) with m = 3 layers
        self.widen = convolution(width, inner, 1, gain=gain, bias=True)
        self.mix = convolution(inner, inner, 3, groups=max(1, inner // config.group_width), gain=gain, bias=True)
        self.narrow = convolution(inner, width, 1, gain=0)
        self.register_load_state_dict_pre_hook(_take_older_names)

    def forward(self, x: Float[Tensor, "batch width height columns"]) -> Float[Tensor, "batch width height columns"]:
        inner = leaky_relu(self.widen(x), 0.2)
        inner = leaky_relu(self.mix(inner), 0.2)
        return x + self.narrow(inner)


def _take_older_names(block: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Runs of earlier versions keep the biases of a block apart from its convolutions."""
    for old, new in (("activate_wide.bias", "widen.bias"), ("activate_mixed.bias", "mix.bias")):
        if prefix + old in state:
            state[prefix + new] = state.pop(prefix + old)


def stage(width: int, config: Config, stages: int) -> nn.Sequential:
    return nn.Sequential(*[Block(width, config, config.blocks * stages) for _ in range(config.blocks)])


class ImageGenerator(nn.Module):
    """Noise (and class) to an image: a learned basis at the lowest resolution, then stages with upsampling between."""

    def __init__(self, config: Config, spec: Spec, widths: tuple[int, ...], base: tuple[int, int]) -> None:
        super().__init__()
        self.patch = config.patch
        self.classes = label_embedding(spec, config.class_embedding)
        latent = config.noise + (config.class_embedding if spec.conditions else 0)
        self.lowest = (widths[0], *base)
        self.basis = None if config.dense_ends else nn.Parameter(torch.randn(self.lowest))
        self.enter = dense(latent, math.prod(self.lowest) if config.dense_ends else widths[0])
        self.stages = nn.ModuleList(stage(width, config, len(widths)) for width in widths)
        self.transitions = nn.ModuleList(_transition(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.leave = convolution(widths[-1], spec.shape[0] * config.patch**2, 1)

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        if self.classes is not None:
            noise = torch.cat([noise, self.classes(label)], dim=1)
        x = self.enter(noise)
        x = x.unflatten(1, self.lowest) if self.basis is None else x[:, :, None, None] * self.basis.to(x.dtype)
        x = self.stages[0](x.contiguous(memory_format=torch.channels_last))
        for transition, blocks in zip(self.transitions, self.stages[1:], strict=True):
            x = blocks(upsample(transition(x)))
        return pixel_shuffle(self.leave(x), self.patch).float()


class ImageCritic(nn.Module):
    """An image (and class) to a logit: the generator's mirror image; classes enter by projection (Miyato & Koyama 2018)."""

    def __init__(self, config: Config, spec: Spec, widths: tuple[int, ...], base: tuple[int, int]) -> None:
        super().__init__()
        self.patch = config.patch
        self.enter = convolution(spec.shape[0] * config.patch**2, widths[-1], 1)
        self.stages = nn.ModuleList(stage(width, config, len(widths)) for width in widths[::-1])
        self.transitions = nn.ModuleList(_transition(a, b) for a, b in zip(widths[::-1], widths[-2::-1], strict=False))
        pixels = base[0] * base[1]
        self.basis = None if config.dense_ends else nn.Parameter(torch.randn(widths[0], *base) / math.sqrt(pixels))
        self.judge = Judge(widths[0] * pixels if config.dense_ends else widths[0], widths[0], spec)

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        x = self.enter(pixel_unshuffle(image, self.patch).contiguous(memory_format=torch.channels_last))
        x = self.stages[0](x)
        for transition, blocks in zip(self.transitions, self.stages[1:], strict=True):
            x = blocks(transition(downsample(x)))
        if self.basis is None:
            return self.judge(x.flatten(1), label)
        basis = self.basis[None].contiguous(memory_format=torch.channels_last)  # so that slopes are laid out like x
        return self.judge((x * basis).sum((2, 3)), label)


def _transition(width_in: int, width_out: int) -> nn.Module:
    return nn.Identity() if width_in == width_out else convolution(width_in, width_out, 1)


def paper(about: str, *, batch: int = 256, samples: int = 40_000_000, mirror: bool = True, **config: Any) -> Preset:
    """A preset with the networks and schedules of the paper."""
    return Preset(about=f"the paper's {about}", batch=batch, samples=samples, mirror=mirror, config=config)


IMAGENET = {
    "batch": 4096,
    "samples": 400_000_000,
    "mirror": False,
    "group_width": 32,
    "half_life": 50_000_000,
    "schedule": 400_000_000,
}


class R3GAN(GAN):
    """The relativistic pairing game with R1 and R2 (section 3, equation 4)."""

    Config = Config
    kinds = ("images", "points")
    axes = (("dimension",),)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="images in minutes on a CPU: plain and narrow networks, simultaneous moves, schedules over the budget",
            kind="images",
            batch=32,
            minutes=2.5,
            config=SMALL,
        ),
        "brief": Preset(
            about="images in seconds on a CPU: the small preset's players at half their width",
            kind="images",
            batch=32,
            minutes=0.5,
            most_minutes=0.75,
            config={**SMALL, "critic_width": 16, "top_width": 8},
        ),
        "points": Preset(
            about="points in the plane: deep and narrow networks, simultaneous moves, schedules over the budget",
            kind="points",
            batch=64,
            minutes=5.0,
            config={
                "widths": (48,),
                "blocks": 4,
                "noise": 10,
                "code_bits": 8,
                "gamma": 0.1,
                "gamma_end": 0.0015,
                "gamma_falls": "geometric",
                "penalty_interval": 2,
                "learning_rate": 2e-3,
                "learning_rate_end": 2e-5,
                "half_life": 20_000,
                "schedule": None,
                "simultaneous": True,
            },
        ),
        "cifar10": paper("CIFAR-10 (FID 1.96)", batch=512, augment=0.55),
        "ffhq64": paper(
            "FFHQ 64x64 (FID 1.95)", widths=(768,) * 4 + (384,), gamma=2.0, gamma_end=0.2, half_life=500_000, augment=0.3
        ),
        "ffhq256": paper(
            "FFHQ 256x256 (FID 2.75)",
            widths=(768,) * 4 + (384, 192, 96),
            gamma=150.0,
            gamma_end=15.0,
            half_life=500_000,
            augment=0.3,
        ),
        "imagenet32": paper("ImageNet 32x32 (FID 1.27)", **IMAGENET, widths=(1536,) * 4, gamma=0.5, gamma_end=0.05, augment=0.5),
        "imagenet64": paper("ImageNet 64x64 (FID 2.09)", **IMAGENET, widths=(1536,) * 5, gamma=1.0, gamma_end=0.1, augment=0.4),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        generator, critic = self._networks()
        learning_rate = Cosine(config.learning_rate, config.learning_rate_end, config.schedule)
        betas = (0.0, Cosine(config.beta2, config.beta2_end, config.schedule))
        # an image of twice the side has a quarter of the squared gradient norm for the same critic: hence the scaling with size
        share = 800 if config.network == "plain" else 80
        gamma = math.prod(spec.shape) / share if config.gamma is None else config.gamma
        gamma_end = gamma / 10 if config.gamma_end is None else config.gamma_end
        self.derived |= {"gamma": gamma, "gamma_end": gamma_end}
        self.gamma = (Cosine if config.gamma_falls == "cosine" else Geometric)(gamma, gamma_end, config.schedule)
        self.augment = Augment(AUGMENTATIONS) if config.augment and "height" in spec.axes else None
        self.augment_probability = Cosine(0, config.augment, config.schedule)
        self.overfitting = AgainstOverfitting(
            config.against_overfitting, target=config.overfitting_target, full_swing=None, transforms=AUGMENTATIONS
        )
        self.generator = Player(
            generator,
            learning_rate=learning_rate,
            betas=betas,
            average=partial(Average, half_life=Cosine(0, config.half_life, config.schedule)),
        )
        self.critic = Player(critic, learning_rate=learning_rate, betas=betas)

    def _networks(self) -> tuple[nn.Module, nn.Module]:
        config, spec = self.config, self.spec
        if spec.axes == ("dimension",):
            width, blocks = (config.widths or (256,))[0], config.blocks * 2
            self.derived["widths"] = (width,)
            if config.against_overfitting != "none":
                raise UserError("Points take no augmentation, which is for images: leave out --gan.against-overfitting.")
            inside = {"width": width, "blocks": blocks, "expansion": config.expansion}
            codes = {"noise": config.noise, "code_bits": config.code_bits, "class_embedding": config.class_embedding}
            return PointGenerator(spec, **codes, **inside), PointCritic(spec, **inside)
        if config.code_bits:
            raise UserError("Images take no code bits, which are for points: leave out --gan.code-bits.")
        if config.network == "plain":
            self.derived["top_width"] = config.top_width or 16
            generator = PlainGenerator(spec, noise=config.noise, width=self.derived["top_width"])
            return generator, PlainCritic(spec, width=config.critic_width, class_features=config.class_embedding)
        _, height, columns = spec.shape
        stages, base = pyramid(height, columns, config.patch)
        widths = config.widths
        if config.top_width is not None and not widths:
            widths = tuple(config.top_width * min(4, 2**i) for i in reversed(range(stages)))
        widths = widths or tuple(768 >> max(0, i - 3) for i in range(stages))
        if len(widths) < stages:  # a preset made for smaller images: halve on
            widths += tuple(max(config.group_width, widths[-1] >> i + 1) for i in range(stages - len(widths)))
        self.derived["widths"] = widths = widths[:stages]
        return ImageGenerator(config, spec, widths, base), ImageCritic(config, spec, widths, base)

    def fake(self, label: Tensor | None, n: int) -> Tensor:
        return self.generator(normal_rows(n, self.config.noise, device=self.device), label)

    def shown(self, x: Tensor) -> Tensor:
        """What the critic sees of examples: augmented ones where that is asked."""
        if self.augment is not None:
            x = self.augment(x, self.augment_probability(self.clock))
        return self.overfitting(x)

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        labels = None if label is None else torch.cat([label, label])
        fake = self.fake(label, len(real))

        real = self.overfitting.passing_for_real(real, fake)
        both = self.shown(torch.cat([real, fake if self.config.simultaneous else fake.detach()]))
        if self.clock.every(self.config.penalty_interval):
            logits, squared_norms = with_gradient_norm(lambda x: self.critic(x, labels), both)
            gamma = self.gamma(self.clock) * self.config.penalty_interval
            r1, r2 = (gamma * zero_centred(norms) for norms in squared_norms.chunk(2))
            penalties = {"r1": r1, "r2": r2}
        else:
            logits, penalties = self.critic(both, labels), {}
        real_logits, fake_logits = logits.chunk(2)
        self.overfitting.observe(real_logits.detach() - fake_logits.detach(), self.clock)
        critic_move = self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits), **penalties)
        if self.config.simultaneous:
            yield critic_move, self.generator.minimizes(relativistic=relativistic_generator(real_logits, fake_logits))
            return
        yield critic_move

        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        with torch.no_grad():  # nothing that the generator moves
            real_logits = self.critic(self.shown(real), label)
        fake_logits = self.critic(self.shown(self.fake(label, len(real))), label)
        yield self.generator.minimizes(relativistic=relativistic_generator(real_logits, fake_logits))
