"""RCGAN: recurrent players conditioned at every step (Esteban et al. 2017, "Real-valued (medical) time series generation").

An LSTM turns noise at every step, beside the label, into a series; another one says at every step whether what it saw so far is real.

    gansmith train prices.csv --kind series --gan rcgan

TimeGAN's stock windows, 27 CPU seconds (45,000 samples), seed 0, one thread, one judging network: discriminative score 0.499, predictive
0.061: not usable after so short a training (a block bootstrap 0.037 and 0.037).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

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
    """Options of RCGAN; the defaults are the paper's (section 4)."""

    width: int = 100
    """Hidden units of both players."""
    noise: int = 5
    """Dimensions of the noise at every step."""
    critic_learning_rate: float = 0.1
    """Plain gradient descent's step size for the critic."""
    learning_rate: float = 1e-3
    """Adam's step size for the generator."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples."""


class RecurrentGenerator(nn.Module):
    """Noise and label at every step to values at every step, through one LSTM layer."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        self.lstm = nn.LSTM(config.noise + spec.label_width, config.width, batch_first=True)
        self.last = nn.Linear(config.width, spec.shape[1])

    def forward(
        self, noise: Float[Tensor, "batch steps noise"], label: Label | None = None
    ) -> Float[Tensor, "batch steps channels"]:
        hidden, _ = self.lstm(at_every_step(noise, label, self.spec))
        return self.last(hidden).float()


class RecurrentCritic(nn.Module):
    """Values and label at every step to a logit at every step."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        self.lstm = nn.LSTM(spec.shape[1] + spec.label_width, config.width, batch_first=True)
        self.last = nn.Linear(config.width, 1)

    def forward(self, series: Float[Tensor, "batch steps channels"], label: Label | None = None) -> Float[Tensor, "batch steps"]:
        hidden, _ = self.lstm(at_every_step(series, label, self.spec))
        return self.last(hidden).squeeze(2)


class RCGAN(GAN):
    """The non-saturating game, the loss averaged over the steps (section 3.1)."""

    Config = Config
    kinds = ("series",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="the paper's players, minutes on a CPU", kind="series", batch=28, minutes=5.0),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.generator = Player(
            RecurrentGenerator(config, spec),
            learning_rate=config.learning_rate,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(
            RecurrentCritic(config, spec),
            learning_rate=config.critic_learning_rate,
            optimizer=partial(torch.optim.SGD, lr=config.critic_learning_rate),
        )

    def play(self, draw: Draw) -> Iterator[Move]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        fake = self.generator(normal_rows(len(real), real.shape[1], self.config.noise, device=real.device), label)
        yield self.critic.minimizes(
            non_saturating=non_saturating_critic(self.critic(real, label), self.critic(fake.detach(), label))
        )
        yield self.generator.minimizes(non_saturating=non_saturating_generator(self.critic(fake, label)))

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        return generate_steps(self, n, condition, rng, truncation)

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(batch[self.spec.key], batch.get("label")).mean(1)

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        return exportable_steps(self)
