"""VideoGAN: a still background, a moving foreground and a mask (Vondrick et al. 2016, "Generating videos with scene dynamics").

The generator paints a background once by two-dimensional, and a foreground and its mask by three-dimensional transposed convolutions; a
video is mask * foreground + (1 - mask) * background. The critic is a network of three-dimensional convolutions.

    gansmith train shapes --gan videogan

The paper's networks make 32 frames of 64x64; here they are as deep as the clip is large. We have not trained it to a score: it passes
the tests on toy data.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.kinds.video.spec import VideoSpec
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.halving import Doubling
from gansmith.layers.labels import Label, label_embedding, with_label
from gansmith.layers.pyramid import pyramid
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of VideoGAN; the defaults are the paper's (section 3 and the published settings)."""

    width: int = 64
    """Channels of the generator's streams at half the side of a frame; twice as many at each halving, at most eight times."""
    critic_width: int = 64
    """Channels of the critic, likewise."""
    noise: int = 100
    """Dimensions of the latent noise."""
    sparsity: float = 0.1
    """Weight of the mean of the mask, which leaves to the background what stands still."""
    learning_rate: float = 2e-4
    """Adam's step size for both players."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in clips."""


def plan(spec: VideoSpec, width: int) -> tuple[list[int], list[int], tuple[int, int, int]]:
    """(channels from the lowest resolution up, frames there, lowest (frames, height, width)); time is halved with space while even."""
    steps, _, height, columns = spec.shape
    stages, (rows, cells) = pyramid(height, columns, 1)
    count = max(1, stages - 1)
    channels = [width * min(8, 2**level) for level in reversed(range(count))]
    times = [steps]
    for _ in range(stages - 1):
        times.append(times[-1] // 2 if times[-1] % 2 == 0 and times[-1] > 2 else times[-1])
    return channels, times[::-1], (times[-1], rows, cells)


def normal_start(network: nn.Module) -> nn.Module:
    """Weights of convolutions from a normal distribution of deviation 0.01, as in the paper."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv3d | nn.ConvTranspose3d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.01)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


class TwoStreams(nn.Module):
    """Noise and label to a clip and its mask."""

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__()
        self.spec = spec
        steps, frame = spec.shape[0], spec.shape[1]
        channels, times, (low, rows, cells) = plan(spec, config.width)
        latent = config.noise + spec.label_width
        self.moving_lowest, self.still_lowest = (channels[0], low, rows, cells), (channels[0], rows, cells)
        self.moving_first = nn.Linear(latent, math.prod(self.moving_lowest), bias=False)
        self.still_first = nn.Linear(latent, math.prod(self.still_lowest), bias=False)
        self.moving_norm, self.still_norm = nn.BatchNorm3d(channels[0]), BatchNorm(channels[0])
        self.moving, self.still = nn.ModuleList(), nn.ModuleList()
        self.moving_norms, self.still_norms = nn.ModuleList(), nn.ModuleList()
        for a, b, before, after in zip(channels, channels[1:], times, times[1:], strict=False):
            self.moving.append(_doubling(a, b, before, after))
            self.moving_norms.append(nn.BatchNorm3d(b))
            self.still.append(Doubling(a, b, bias=False))
            self.still_norms.append(BatchNorm(b))
        self.foreground = _doubling(channels[-1], frame, times[-2] if len(times) > 1 else steps, steps, bias=True)
        self.mask = _doubling(channels[-1], 1, times[-2] if len(times) > 1 else steps, steps, bias=True)
        self.background = Doubling(channels[-1], frame)
        normal_start(self)

    def forward(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> Float[Tensor, "batch frames channels height width"]:
        return self.with_mask(noise, label)[0]

    def with_mask(
        self, noise: Float[Tensor, "batch noise"], label: Label | None = None
    ) -> tuple[Float[Tensor, "batch frames channels height width"], Float[Tensor, "batch frames 1 height width"]]:
        latent = with_label(noise, label, self.spec)
        x = self.moving_norm(self.moving_first(latent).unflatten(1, self.moving_lowest)).relu()
        for layer, norm in zip(self.moving, self.moving_norms, strict=True):
            x = norm(layer(x)).relu()
        still = self.still_norm(self.still_first(latent).unflatten(1, self.still_lowest)).relu()
        for layer, norm in zip(self.still, self.still_norms, strict=True):
            still = norm(layer(still)).relu()
        mask = self.mask(x).float().sigmoid()
        foreground, background = bounded(self.foreground(x)), bounded(self.background(still))[:, :, None]
        return (mask * foreground + (1 - mask) * background).transpose(1, 2), mask.transpose(1, 2)


def _doubling(a: int, b: int, before: int, after: int, bias: bool = False) -> nn.ConvTranspose3d:
    """A transposed convolution that doubles the sides, and the frames where they double."""
    time = (4, 2, 1) if after == 2 * before else (3, 1, 1)
    kernel, stride, padding = ((own, *space) for own, space in zip(time, ((4, 4), (2, 2), (1, 1)), strict=True))
    return nn.ConvTranspose3d(a, b, kernel, stride, padding, bias=bias)


class ThreeDimensionalCritic(nn.Module):
    """A clip and its label to a logit: convolutions that halve space, and time where the generator doubles it."""

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__()
        channels, times, lowest = plan(spec, config.critic_width)
        outer, halved = channels[::-1], times[::-1]
        self.layers, self.norms = nn.ModuleList(), nn.ModuleList()
        for place, (a, b) in enumerate(zip([spec.shape[1], *outer], outer, strict=False)):
            before, after = halved[place], halved[min(place + 1, len(halved) - 1)]
            time = (4, 2, 1) if before == 2 * after else (3, 1, 1)
            kernel, stride, padding = ((own, *space) for own, space in zip(time, ((4, 4), (2, 2), (1, 1)), strict=True))
            self.layers.append(nn.Conv3d(a, b, kernel, stride, padding, bias=place == 0))
            self.norms.append(nn.BatchNorm3d(b) if place else nn.Identity())
        wide = 64
        self.score = nn.Linear(outer[-1] * math.prod(lowest), wide if spec.conditions else 1)
        self.labels = label_embedding(spec, wide)
        normal_start(self)

    def forward(
        self, video: Float[Tensor, "batch frames channels height width"], label: Label | None = None
    ) -> Float[Tensor, " batch"]:
        x = video.transpose(1, 2)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = leaky_relu(norm(layer(x)), 0.2)
        score = self.score(x.flatten(1))
        return (score * self.labels(label)).sum(1) if self.labels is not None else score.squeeze(1)


class VideoGAN(GAN):
    """The non-saturating game of section 3, with a sparse mask."""

    Config = Config
    kinds = ("video",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: an eighth of the width",
            kind="video",
            batch=8,
            minutes=5.0,
            config={"width": 8, "critic_width": 8, "learning_rate": 1e-3},
        ),
        "paper": Preset(about="the paper's widths and batch", kind="video", batch=64, samples=10_000_000),
    }

    def __init__(self, config: Config, spec: VideoSpec) -> None:
        super().__init__(config, spec)
        how = {"learning_rate": config.learning_rate, "betas": (config.beta1, 0.999)}
        self.generator = Player(TwoStreams(config, spec), average=partial(Average, half_life=config.half_life), **how)
        self.critic = Player(ThreeDimensionalCritic(config, spec), **how)

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        network = self.generator.network
        assert isinstance(network, TwoStreams)
        fake, mask = network.with_mask(normal_rows(len(real), self.config.noise, device=real.device), label)
        yield self.critic.minimizes(
            non_saturating=non_saturating_critic(self.critic(real, label), self.critic(fake.detach(), label))
        )
        yield self.generator.minimizes(
            non_saturating=non_saturating_generator(self.critic(fake, label)), sparsity=self.config.sparsity * mask.mean()
        )
