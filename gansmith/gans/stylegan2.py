"""StyleGAN2: styles decide each layer, noise the detail (Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN").

A mapping network turns noise into a style vector, which scales the channels of every convolution; the generator adds up images of
rising resolution, the critic is residual. Lazy R1, path length, style mixing, truncation in the style space; `augment="ada"` makes
it StyleGAN2-ADA (Karras et al. 2020, "Training generative adversarial networks with limited data"). Images of any size and number
of channels; a size that halves often is fast.

    gansmith train digits --gan stylegan2                   # preset small
    gansmith train cifar10 --gan stylegan2 --preset cifar10 # the paper's networks and schedules

Lazy terms join the move they belong to with their interval as weight, so Adam's constants need no correction for extra steps.

What the preset small changes for minutes on a CPU: the layers that paint start weak (`first_contrast`), since first images otherwise
reach to four times black and white; larger, falling steps, since equalised weights are long; and patches of 2x2 pixels that both
players start to see as one and join by 3x3 convolutions. On 4,000 drawn faces of 64x64 pixels, one thread, seed 0, it reaches a Frechet
distance of 14.2 in 124 CPU seconds (8,448 images) and 5.8 in 359 (33,776); without these changes 63.1 in 162. Drawing each pixel from a
Gaussian reaches 5.5, real images 0.01: after six minutes these are faces with hair, eyes and clothes, with a pattern in the patches that
the distance sees more than the eye. The papers' presets have not been trained.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize, pixel_shuffle, pixel_unshuffle

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.augment.against_overfitting import AgainstOverfitting
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.equalized import EqualizedConvolution, EqualizedLinear, activated
from gansmith.layers.labels import Label, label_embedding, one_hot
from gansmith.layers.minibatch_deviation import MinibatchDeviation
from gansmith.layers.modulated import ModulatedConvolution
from gansmith.layers.noise import NoiseInput
from gansmith.layers.patches import read_evenly, start_even
from gansmith.layers.pyramid import pyramid
from gansmith.layers.smoothing import enlarge, smooth
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.terms.path_length import PathLengthPenalty
from gansmith.training import distributed
from gansmith.training.ema import Average
from gansmith.training.schedules import Linear
from gansmith.training.seeds import normal_rows, uniform_rows

CENTRE_HALF_LIFE = 1000
"""Examples of a class in which its mean style forgets half of what it was."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of StyleGAN2; the defaults are the papers' for 256 pixels (configuration F at half the width)."""

    width: int = 64
    """Channels at the highest resolution, doubled at each halving up to `widest`."""
    widest: int = 512
    """The most channels of a layer."""
    style: int = 512
    """Dimensions of the style vectors."""
    noise: int = 512
    """Dimensions of the latent noise."""
    mapping_layers: int = 8
    """Layers of the mapping network."""
    patch: int = 1
    """Side of the pixel patches that the networks see as one position; 2 spares a CPU the highest resolution."""
    residual: bool = True
    """Whether the critic has residual connections; the paper's CIFAR-10 networks have none."""
    group: int = 4
    """Examples in each group whose deviation the critic sees."""
    dense_start: bool = False
    """Whether a linear map of the first style makes the lowest resolution, instead of a learned constant: few layers then reach across
    the whole image, which narrow and shallow networks need."""
    first_contrast: float = 1.0
    """Deviation of the weights that paint the images at the start; at 1, first images reach far beyond black and white."""
    gamma: float | None = 1.0
    """Weight of R1; None: a 2000th of the numbers in an example."""
    penalty_interval: int = 16
    """Rounds from one with R1 to the next."""
    path_length: float = 2.0
    """Weight of the path length penalty; 0 leaves it out."""
    path_length_interval: int = 4
    """Rounds from one with the path length penalty to the next."""
    style_mixing: float = 0.9
    """Probability that an image takes the styles of its later layers from other noise."""
    augment: Literal["none", "diffaugment", "ada", "apa"] = "none"
    """What keeps the critic from overfitting: fixed (diffaugment) or adaptive (ada) augmentation, or generated images that pass for
    real ones (apa)."""
    augment_target: float = 0.6
    """The overfitting that ada and apa allow: the mean sign of the critic's logits for real images."""
    augment_samples: int | None = 500_000
    """Samples in which ada and apa can go from nothing to full strength; None: an eighth of the budget."""
    learning_rate: float = 2.5e-3
    """Adam's step size for both players at the start."""
    learning_rate_end: float = 1.0
    """The share of it that is left at the end; it falls linearly."""
    beta2: float = 0.99
    """Adam's second-moment decay; the first is 0."""
    half_life: int = 20_000
    """Half-life of the generator's moving average in samples."""

    def __post_init__(self) -> None:
        if self.patch not in (1, 2, 4):
            raise UserError(f"A patch must be 1, 2 or 4 pixels wide, but it is {self.patch}: change --gan.patch.")


class StyleMapping(nn.Module):
    """Noise (and label) to one style vector for each layer [B, L, W]; remembers the mean style of each class, for truncation."""

    centre: Tensor

    def __init__(self, config: Config, spec: Spec, layers: int) -> None:
        super().__init__()
        self.layers = layers
        self.labels = label_embedding(spec, config.style)
        features = [config.noise + (config.style if spec.conditions else 0)] + [config.style] * config.mapping_layers
        self.steps = nn.ModuleList(EqualizedLinear(a, b, pace=0.01) for a, b in zip(features, features[1:], strict=False))
        self.register_buffer("centre", torch.zeros(max(1, len(spec.classes)), config.style))

    def forward(self, noise: Float[Tensor, "batch noise"], label: Label | None = None) -> Float[Tensor, "batch layers style"]:
        x = _unit(noise)
        if self.labels is not None:
            x = torch.cat([x, _unit(self.labels(label))], 1)
        for step in self.steps:
            x = activated(step(x))
        return x[:, None].expand(-1, self.layers, -1)

    @torch.no_grad()
    def remember(self, styles: Float[Tensor, "batch layers style"], label: Label | None) -> None:
        """Moves the mean style of every class towards the mean of these, the further the more of these there are."""
        rows, classes = len(styles), len(self.centre)
        known = label if classes > 1 and label is not None else torch.zeros(rows, dtype=torch.int64, device=styles.device)
        belongs = one_hot(known, classes).T  # [classes, B]
        counts = distributed.average(belongs.sum(1, keepdim=True))
        means = distributed.average(belongs @ styles[:, 0].float()) / counts.clamp_min(1e-6)
        keep = 0.5 ** (counts * distributed.processes() / CENTRE_HALF_LIFE)
        self.centre.copy_(torch.where(counts > 0, keep * self.centre + (1 - keep) * means, self.centre))

    def truncated(self, styles: Float[Tensor, "batch layers style"], label: Label | None, psi: float) -> Tensor:
        """Styles drawn nearer to the mean style of their class (Karras et al. 2019, appendix B): psi 0 gives that one itself."""
        centre = self.centre[label] if len(self.centre) > 1 and label is not None else self.centre
        return centre[:, None] + psi * (styles - centre[:, None])


def _unit(x: Tensor) -> Tensor:
    """Vectors of mean square 1."""
    return normalize(x.float(), dim=1) * math.sqrt(x.shape[1])


def edges(patch: int) -> int:
    """The size of the convolutions that paint and read images: the paper's 1x1, but patches must fit their neighbours."""
    return 1 if patch == 1 else 3


class StyledLayer(nn.Module):
    """A modulated convolution, noise of learned strength, bias and leaky ReLU."""

    def __init__(self, channels_in: int, channels_out: int, size: tuple[int, int], *, style: int, up: bool) -> None:
        super().__init__()
        self.convolution = ModulatedConvolution(channels_in, channels_out, 3, style=style, up=up)
        self.noise = NoiseInput(*size)
        self.bias = nn.Parameter(torch.zeros(channels_out, 1, 1))

    def forward(self, x: Float[Tensor, "batch _ _ _"], style: Float[Tensor, "batch style"]) -> Float[Tensor, "batch _ _ _"]:
        x = self.noise(self.convolution(x, style))
        return activated(x + self.bias.to(x.dtype))


class Synthesis(nn.Module):
    """Styles [B, L, W] to an image: the sum of what the stages see, each enlarged to the next (the paper's skip generator)."""

    def __init__(self, config: Config, spec: Spec, widths: tuple[int, ...], base: tuple[int, int]) -> None:
        super().__init__()
        self.patch = config.patch
        sizes = [(base[0] << i, base[1] << i) for i in range(len(widths))]
        self.lowest = (widths[0], *base)
        self.constant = None if config.dense_start else nn.Parameter(torch.randn(1, *self.lowest))
        self.start = EqualizedLinear(config.style, math.prod(self.lowest)) if config.dense_start else None
        layer = partial(StyledLayer, style=config.style)
        self.enlarging = nn.ModuleList(
            layer(a, b, size, up=True) for a, b, size in zip(widths, widths[1:], sizes[1:], strict=False)
        )
        self.staying = nn.ModuleList(layer(width, width, size, up=False) for width, size in zip(widths, sizes, strict=True))
        channels = spec.shape[0] * config.patch**2
        to_image = partial(ModulatedConvolution, style=config.style, demodulate=False)
        to_images = [to_image(width, channels, edges(config.patch)) for width in widths]
        for layer in to_images:
            nn.init.normal_(layer.weight, 0, config.first_contrast)
            start_even(layer, config.patch)
        self.to_images = nn.ModuleList(to_images)
        self.biases = nn.ParameterList(torch.zeros(channels, 1, 1) for _ in widths)

    def forward(self, styles: Float[Tensor, "batch layers style"]) -> Float[Tensor, "batch channels height width"]:
        if self.start is not None:
            x = self.start(styles[:, 0]).unflatten(1, self.lowest)
        else:
            assert self.constant is not None
            x = self.constant.expand(styles.shape[0], -1, -1, -1)
        x = x.contiguous(memory_format=torch.channels_last)
        x = self.staying[0](x, styles[:, 0])
        image = self.seen(0, x, styles[:, 1])
        for i, (enlarging, staying) in enumerate(zip(self.enlarging, self.staying[1:], strict=True), start=1):
            x = enlarging(x, styles[:, 2 * i - 1])
            x = staying(x, styles[:, 2 * i])
            image = enlarge(image) + self.seen(i, x, styles[:, 2 * i + 1])
        return image

    def seen(self, stage: int, x: Tensor, style: Tensor) -> Tensor:
        return pixel_shuffle(self.to_images[stage](x, style).float() + self.biases[stage], self.patch)


class Generator(nn.Module):
    """Noise (and label) to an image: `synthesis(mapping(noise, label))`."""

    def __init__(self, config: Config, spec: Spec, widths: tuple[int, ...], base: tuple[int, int]) -> None:
        super().__init__()
        self.mapping = StyleMapping(config, spec, 2 * len(widths))
        self.synthesis = Synthesis(config, spec, widths, base)

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels height width"]:
        return self.synthesis(self.mapping(noise, label))


class HalvingStage(nn.Module):
    """Two convolutions, the second of which halves the resolution, beside a 1x1 convolution where the critic is residual."""

    def __init__(self, width_in: int, width_out: int, residual: bool) -> None:
        super().__init__()
        self.staying = EqualizedConvolution(width_in, width_in, 3)
        self.halving = EqualizedConvolution(width_in, width_out, 3, stride=2)
        self.skip = EqualizedConvolution(width_in, width_out, 1, bias=False) if residual else None

    def forward(self, x: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch _ _ _"]:
        y = activated(self.staying(x))
        y = activated(self.halving(smooth(y, padding=2)))
        return y if self.skip is None else (y + self.skip(smooth(x, padding=1, stride=2))) * math.sqrt(0.5)


class Critic(nn.Module):
    """An image (and label) to a logit; labels enter by projection (Miyato & Koyama 2018)."""

    def __init__(self, config: Config, spec: Spec, widths: tuple[int, ...], base: tuple[int, int]) -> None:
        super().__init__()
        self.patch, lowest = config.patch, widths[0]
        self.enter = EqualizedConvolution(spec.shape[0] * config.patch**2, widths[-1], edges(config.patch))
        read_evenly(self.enter.weight, config.patch)
        self.stages = nn.ModuleList(
            HalvingStage(a, b, config.residual) for a, b in zip(widths[::-1], widths[-2::-1], strict=False)
        )
        self.deviation = MinibatchDeviation(group=config.group)
        self.mix = EqualizedConvolution(lowest + 1, lowest, 3)
        self.gather = EqualizedLinear(lowest * base[0] * base[1], lowest)
        self.score = EqualizedLinear(lowest, lowest if spec.conditions else 1)
        self.labels = label_embedding(spec, lowest)

    def forward(self, image: Float[Tensor, "batch channels height width"], label: Label | None = None) -> Float[Tensor, " batch"]:
        x = pixel_unshuffle(image, self.patch).contiguous(memory_format=torch.channels_last)
        x = activated(self.enter(x))
        for stage in self.stages:
            x = stage(x)
        x = activated(self.mix(self.deviation(x)))
        x = activated(self.gather(x.flatten(1)))
        score = self.score(x)
        if self.labels is None:
            return score.squeeze(1)
        return (score * _unit(self.labels(label))).sum(1) / math.sqrt(score.shape[1])


class StyleGAN2(GAN):
    """The non-saturating game with lazy R1 and path length regularisation."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: narrow networks on patches of 2x2 pixels, no path length penalty",
            batch=16,
            minutes=2.5,
            config={
                "width": 32,
                "widest": 96,
                "style": 64,
                "noise": 64,
                "mapping_layers": 2,
                "patch": 2,
                "dense_start": True,
                "first_contrast": 0.2,
                "learning_rate": 1e-2,
                "learning_rate_end": 0.1,
                "gamma": None,
                "path_length": 0.0,
                "style_mixing": 0.0,
                "penalty_interval": 8,
                "half_life": 5_000,
                "augment_samples": None,
            },
        ),
        "cifar10": Preset(
            about="the second paper's CIFAR-10 with adaptive augmentation (FID 2.92 without, 2.42 with classes)",
            batch=64,
            samples=100_000_000,
            mirror=True,
            config={
                "width": 512,
                "mapping_layers": 2,
                "residual": False,
                "group": 32,
                "gamma": 0.01,
                "path_length": 0.0,
                "style_mixing": 0.0,
                "augment": "ada",
                "half_life": 500_000,
            },
        ),
        "ffhq256": Preset(
            about="the papers' FFHQ 256x256 (FID 3.78)",
            batch=64,
            samples=25_000_000,
            mirror=True,
            config={"gamma": 1.0, "group": 8},
        ),
        "ffhq1024": Preset(
            about="the first paper's configuration F for 1024x1024",
            batch=32,
            samples=25_000_000,
            mirror=True,
            config={"width": 32, "gamma": 10.0, "half_life": 10_000},
        ),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        _, height, columns = spec.shape
        stages, base = pyramid(height, columns, config.patch)
        widths = tuple(min(config.widest, config.width << i) for i in reversed(range(stages)))
        betas, learning_rate = (0.0, config.beta2), Linear(config.learning_rate, config.learning_rate * config.learning_rate_end)
        self.generator = Player(
            Generator(config, spec, widths, base),
            learning_rate=learning_rate,
            betas=betas,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(Critic(config, spec, widths, base), learning_rate=learning_rate, betas=betas)
        # an image of twice the side has a quarter of the squared gradient norm for the same critic: hence the scaling with size
        self.gamma = self.derived["gamma"] = math.prod(spec.shape) / 2000 if config.gamma is None else config.gamma
        self.path_length = PathLengthPenalty()
        self.overfitting = AgainstOverfitting(config.augment, target=config.augment_target, full_swing=config.augment_samples)

    def styles(self, n: int, label: Tensor | None) -> Tensor:
        """Styles [n, L, W] of fresh noise, some of them mixed of two from a random layer on."""
        network = self.generator.network
        assert isinstance(network, Generator)
        mapping = network.mapping
        styles = mapping(normal_rows(n, self.config.noise, device=self.device), label)
        if not self.config.style_mixing:
            return styles
        others = mapping(normal_rows(n, self.config.noise, device=self.device), label)
        mixed, crossing = uniform_rows(n, 2, device=self.device).unbind(1)
        first_other = 1 + (crossing * (mapping.layers - 1)).floor()
        first_other = torch.where(mixed < self.config.style_mixing, first_other, mapping.layers)
        return torch.where((torch.arange(mapping.layers, device=self.device) < first_other[:, None])[:, :, None], styles, others)

    def play(self, draw: Draw) -> Iterator[Move]:
        config, generator = self.config, self.generator.network
        assert isinstance(generator, Generator)
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        styles = self.styles(len(real), label)
        generator.mapping.remember(styles, label)
        fake = generator.synthesis(styles)

        fake_logits = self.critic(self.overfitting(fake.detach()), label)
        shown = self.overfitting(self.overfitting.passing_for_real(real, fake))
        if self.clock.every(config.penalty_interval):
            real_logits, squared_norms = with_gradient_norm(lambda x: self.critic(x, label), shown)
            penalties = {"r1": self.gamma * config.penalty_interval * zero_centred(squared_norms)}
        else:
            real_logits, penalties = self.critic(shown, label), {}
        self.overfitting.observe(real_logits, self.clock)
        yield self.critic.minimizes(non_saturating=non_saturating_critic(real_logits, fake_logits), **penalties)

        penalties = {}
        if config.path_length and self.clock.every(config.path_length_interval):
            part = max(1, len(real) // 2)  # half the batch suffices (appendix B)
            styles = self.styles(part, None if label is None else label[:part])
            length = self.path_length(generator.synthesis(styles), styles)
            penalties = {"path_length": config.path_length * config.path_length_interval * length}
        shown_logits = self.critic(self.overfitting(fake), label)
        yield self.generator.minimizes(non_saturating=non_saturating_generator(shown_logits), **penalties)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """As in every GAN, but a truncation below 1 draws the styles, not the noise, nearer to their mean."""
        generator = self.generator.averaged
        assert isinstance(generator, Generator)
        label = condition["label"].to(self.device) if "label" in condition else None
        styles = generator.mapping(torch.randn(n, self.config.noise, generator=rng).to(self.device), label)
        return {self.spec.key: generator.synthesis(generator.mapping.truncated(styles, label, truncation)), **condition}
