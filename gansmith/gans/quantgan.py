"""QuantGAN: temporal convolutions that make returns (Wiese et al. 2020, "Quant GANs: deep generation of financial time series").

Two causal convolutional networks with a receptive field of 127 steps; the noise is of every step, so a path may be of any length.
With `--returns`, prices become log returns whose heavy tails are taken away by the inverse Lambert-W transform before the game and put
back after it (the paper's section 5), whatever the GAN.

    gansmith train prices.csv --kind series --returns --window 127 --gan quantgan

S&P 500 returns, 62 CPU seconds, one thread, seed 0: kurtosis 21 (real 10.7), and no volatility clustering yet (0 of 20 lags in the band).
Of stock prices it makes a discriminative score of 0.430 after 25: it is made for returns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.gans._steps import exportable_steps, generate_steps
from gansmith.layers.labels import Label
from gansmith.layers.sequences import at_every_step
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of QuantGAN; the defaults are the paper's (appendix B)."""

    width: int = 80
    """Channels inside."""
    noise: int = 3
    """Dimensions of the noise at every step."""
    dilations: tuple[int, ...] = (1, 1, 2, 4, 8, 16, 32)
    """Steps between the taps of the two convolutions of each block; the first block looks at single steps."""
    learning_rate: float = 3e-4
    """Adam's step size for the generator."""
    critic_learning_rate: float = 1e-4
    """Adam's step size for the critic."""
    beta2: float = 0.9
    """Adam's second-moment decay; the first is 0."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""


class TemporalBlock(nn.Module):
    """Two causal convolutions with PReLU; what enters is added to a skip line (definition 3.9)."""

    def __init__(self, channels_in: int, width: int, dilation: int, first: bool) -> None:
        super().__init__()
        self.reach = 0 if first else dilation
        size = 1 if first else 2
        self.first = nn.Conv1d(channels_in, width, size, dilation=dilation)
        self.activate_first = nn.PReLU()
        self.second = nn.Conv1d(width, width, size, dilation=dilation)
        self.activate_second = nn.PReLU()
        self.across = nn.Identity() if channels_in == width else nn.Conv1d(channels_in, width, 1)

    def forward(self, x: Float[Tensor, "batch channels steps"]) -> Float[Tensor, "batch width steps"]:
        inner = self.activate_first(self.first(pad(x, (self.reach, 0))))
        inner = self.activate_second(self.second(pad(inner, (self.reach, 0))))
        return inner + self.across(x)


class TemporalNetwork(nn.Module):
    """Values and label at every step to values at every step, each from what came before it; the first `dropped` are left out."""

    def __init__(self, config: Config, spec: Spec, channels_in: int, channels_out: int, dropped: int = 0) -> None:
        super().__init__()
        self.spec, self.dropped = spec, dropped
        widths = [channels_in + spec.label_width, *[config.width] * len(config.dilations)]
        self.blocks = nn.ModuleList(
            TemporalBlock(before, after, dilation, first=index == 0)
            for index, (before, after, dilation) in enumerate(zip(widths, widths[1:], config.dilations, strict=False))
        )
        self.last = nn.Conv1d(config.width, channels_out, 1)

    def forward(
        self, noise: Float[Tensor, "batch steps channels"], label: Label | None = None
    ) -> Float[Tensor, "batch steps out"]:
        """`noise` of the critic is a series."""
        x = at_every_step(noise, label, self.spec).transpose(1, 2)
        skipped = torch.zeros((), device=x.device)
        for block in self.blocks:
            x = block(x)
            skipped = skipped + x
        return self.last(skipped[:, :, self.dropped :]).transpose(1, 2).float()


class QuantGAN(GAN):
    """The non-saturating game; the generator is given as many steps of noise before the series as it looks back."""

    Config = Config
    kinds = ("series",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a third of the width, larger steps",
            kind="series",
            batch=64,
            minutes=5.0,
            config={"width": 24, "learning_rate": 6e-4, "critic_learning_rate": 4e-4},
        ),
        "paper": Preset(about="the paper's widths and steps", kind="series", batch=80, samples=240_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        channels, betas = spec.shape[1], (0.0, config.beta2)
        self.before = 2 * sum(config.dilations[1:])
        """Steps before the present one that a network looks at: 126 with the paper's dilations."""
        self.generator = Player(
            TemporalNetwork(config, spec, config.noise, channels, dropped=self.before),
            learning_rate=config.learning_rate,
            betas=betas,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(TemporalNetwork(config, spec, channels, 1), learning_rate=config.critic_learning_rate, betas=betas)

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        steps = real.shape[1]
        noise = normal_rows(len(real), self.before + steps, self.config.noise, device=real.device)
        fake = self.generator(noise, label)
        judged = self.critic(real, label)[:, -1], self.critic(fake.detach(), label)[:, -1]  # the last step has seen the most
        yield self.critic.minimizes(non_saturating=non_saturating_critic(*judged))
        yield self.generator.minimizes(non_saturating=non_saturating_generator(self.critic(fake, label)[:, -1]))

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        return generate_steps(self, n, condition, rng, truncation, self.before)

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(batch[self.spec.key], batch.get("label"))[:, -1, 0]

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        return exportable_steps(self, self.before)
