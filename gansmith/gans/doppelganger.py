"""DoppelGANger: series with their own scale, several steps at a time (Lin et al. 2020, "... for sharing networked time series data").

The range of every series is made first, from noise and its attributes, then an LSTM fills it with several steps a cell; one critic
judges all of it, an auxiliary one attributes and ranges alone. Attributes are drawn as frequent as in the data, or as requested.

    gansmith train traffic.csv --kind series --gan doppelganger

TimeGAN's stock windows, 27 CPU seconds (110,000 samples), seed 0, one thread, one judging network: discriminative score 0.199, predictive
0.042 (real windows 0.037, a block bootstrap 0.037 and 0.037).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from gansmith.adversarial import wasserstein_critic, wasserstein_generator
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.gans._steps import exportable_steps, generate_steps
from gansmith.layers.labels import Label, condition_of
from gansmith.layers.sequences import at_every_step
from gansmith.penalties import gradient_penalty
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of DoppelGANger; the defaults are the paper's (appendix B)."""

    steps_at_a_time: int = 4
    """Steps that the LSTM makes in each of its own; where it does not divide the length, the next smaller number that does."""
    width: int = 100
    """Units of the LSTM and of the layers that make the range."""
    critic_width: int = 200
    """Units of each of the critics' layers."""
    critic_layers: int = 5
    """Layers of each critic."""
    noise: int = 10
    """Dimensions of the noise of the range, and of each step of the LSTM."""
    penalty: float = 10.0
    """Weight of the gradient penalty."""
    auxiliary: float = 1.0
    """Weight of the auxiliary critic."""
    learning_rate: float = 1e-3
    """Adam's step size for all players."""
    beta1: float = 0.5
    """Adam's first-moment decay."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""

    def __post_init__(self) -> None:
        if self.steps_at_a_time < 1:
            raise UserError(f"--gan.steps-at-a-time must be at least 1, but it is {self.steps_at_a_time}.")


class RangeGenerator(nn.Module):
    """Noise and label to the middle and half range of every channel."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.first = nn.Linear(config.noise + spec.label_width, config.width)
        self.second = nn.Linear(config.width, config.width)
        self.last = nn.Linear(config.width, 2 * spec.shape[1])

    def forward(
        self, x: Float[Tensor, "batch inputs"]
    ) -> tuple[Float[Tensor, "batch channels"], Float[Tensor, "batch channels"]]:
        middle, half = self.last(self.second(self.first(x).relu()).relu()).float().chunk(2, dim=1)
        return middle, softplus(half - 2)


class DoppelGenerator(nn.Module):
    """Noise [batch, 1 + cells, noise], the first for the range (and label), to series of cells times `at_a_time` steps."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        self.at_a_time = math.gcd(spec.shape[0], config.steps_at_a_time)
        channels = spec.shape[1]
        self.ranges = RangeGenerator(config, spec)
        self.lstm = nn.LSTM(config.noise + spec.label_width + 2 * channels, config.width, batch_first=True)
        self.last = nn.Linear(config.width, self.at_a_time * channels)

    def parts(self, noise: Float[Tensor, "batch cells noise"], label: Label | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """(shape in [-1, 1] [batch, steps, channels], middle, half range)."""
        middle, half = self.ranges(at_every_step(noise[:, :1], label, self.spec)[:, 0])
        given = torch.cat([middle, half], dim=1).detach()[:, None, :].expand(-1, noise.shape[1] - 1, -1)
        hidden, _ = self.lstm(torch.cat([at_every_step(noise[:, 1:], label, self.spec), given], dim=2))
        shape = self.last(hidden).float().tanh()
        return shape.reshape(noise.shape[0], -1, self.spec.shape[1]), middle, half

    def forward(
        self, noise: Float[Tensor, "batch cells noise"], label: Label | None = None
    ) -> Float[Tensor, "batch steps channels"]:
        shape, middle, half = self.parts(noise, label)
        return middle[:, None] + half[:, None] * shape


class FlatCritic(nn.Module):
    """Numbers to a logit through linear layers."""

    def __init__(self, inputs: int, width: int, layers: int) -> None:
        super().__init__()
        widths = [inputs, *[width] * (layers - 1)]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.last = nn.Linear(width, 1)

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, " batch"]:
        for layer in self.layers:
            x = layer(x).relu()
        return self.last(x).squeeze(1)


class DoppelGANger(GAN):
    """The Wasserstein game with gradient penalty against a critic of everything and one of attributes and ranges (section 4)."""

    Config = Config
    kinds = ("series",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="the paper's players, minutes on a CPU", kind="series", batch=100, minutes=5.0),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        steps, channels = spec.shape
        betas, rate = (config.beta1, 0.999), config.learning_rate
        fixed = 2 * channels + spec.label_width
        self.generator = Player(
            DoppelGenerator(config, spec),
            learning_rate=rate,
            betas=betas,
            average=partial(Average, half_life=config.half_life),
        )
        whole = FlatCritic(steps * channels + fixed, config.critic_width, config.critic_layers)
        self.critic = Player(whole, learning_rate=rate, betas=betas)
        self.range_critic = Player(FlatCritic(fixed, config.critic_width, config.critic_layers), learning_rate=rate, betas=betas)
        self.cells = steps // self.maker.at_a_time

    @property
    def maker(self) -> DoppelGenerator:
        """The network of the generator."""
        network = self.generator.network
        assert isinstance(network, DoppelGenerator)
        return network

    def fixed(self, middle: Tensor, half: Tensor, label: Tensor | None) -> Tensor:
        """What the auxiliary critic sees: range and label."""
        return torch.cat([middle, half, *([condition_of(label, self.spec)] if label is not None else [])], dim=1)

    def of_real(self, series: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """(shape and all that is fixed, what is fixed) of real series: each channel scaled by its own range."""
        low, high = series.amin(1), series.amax(1)
        middle, half = (low + high) / 2, (high - low) / 2
        shape = (series - middle[:, None]) / half[:, None].clamp_min(1e-6)
        fixed = self.fixed(middle, half, label)
        return torch.cat([shape.flatten(1), fixed], dim=1), fixed

    def fake(self, n: int, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """The same of generated series."""
        noise = normal_rows(n, 1 + self.cells, self.config.noise, device=self.device)
        shape, middle, half = self.maker.parts(noise, label)
        fixed = self.fixed(middle, half, label)
        return torch.cat([shape.flatten(1), fixed], dim=1), fixed

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        batch = draw()
        label = batch.get("label")
        real, real_fixed = self.of_real(batch[self.spec.key], label)
        with torch.no_grad():
            fake, fake_fixed = self.fake(len(real), label)
        yield (
            self.critic.minimizes(
                wasserstein=wasserstein_critic(self.critic(real), self.critic(fake)),
                penalty=self.config.penalty * gradient_penalty(self.critic, real, fake),
            ),
            self.range_critic.minimizes(
                wasserstein=wasserstein_critic(self.range_critic(real_fixed), self.range_critic(fake_fixed)),
                penalty=self.config.penalty * gradient_penalty(self.range_critic, real_fixed, fake_fixed),
            ),
        )
        fake, fake_fixed = self.fake(len(real), label)
        yield self.generator.minimizes(
            wasserstein=wasserstein_generator(self.critic(fake)),
            ranges=self.config.auxiliary * wasserstein_generator(self.range_critic(fake_fixed)),
        )

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """Of any number of steps, in cells of several."""
        steps = int(condition["steps"][0]) if "steps" in condition else self.spec.shape[0]
        cells = -(-steps // self.maker.at_a_time)
        made = generate_steps(self, n, {**condition, "steps": torch.tensor([1 + cells])}, rng, truncation)
        return {**made, self.spec.key: made[self.spec.key][:, :steps]}

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(self.of_real(batch[self.spec.key], batch.get("label"))[0])

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        network, inputs = exportable_steps(self)
        return network, {**inputs, "noise": torch.randn(2, 1 + self.cells, self.config.noise)}
