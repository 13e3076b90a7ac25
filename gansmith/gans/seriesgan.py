"""SeriesGAN: time series by R3GAN's game between white convolutional players (this package; objective: Huang et al. 2024).

Both players work on series whose every frequency and direction has variance 1 (`layers.whitening`), where a day's move counts as
much as the level of a year. Residual convolutions over time, the relativistic loss, zero-centred penalties.

    gansmith train prices.csv --kind series

TimeGAN's stock windows (24 days, 6 columns), 121 CPU seconds (350,000 samples): discriminative score 0.059, predictive score 0.038, means
of three judging networks, one thread of an AMD EPYC, seed 0 (seed 1: 0.063 and 0.038). TimeGAN's paper reports 0.102 and 0.038. S&P 500
returns: see docs/series.md.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, interpolate, leaky_relu

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.data.codec import Batch
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.gans._steps import exportable_steps, generate_steps
from gansmith.kinds.series.returns import quantiles
from gansmith.kinds.series.spec import SeriesSpec
from gansmith.layers.labels import Label, label_embedding
from gansmith.layers.marginals import Matched
from gansmith.layers.whitening import Whitening
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine
from gansmith.training.seeds import normal_rows

MEASURED = 256
"""Series of which the generator's quantiles are taken."""
LEAKY_GAIN = math.sqrt(2 / 1.04)  # keeps the variance through a leaky ReLU of slope 0.2


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of SeriesGAN."""

    width: int = 32
    """Channels of both players."""
    blocks: int = 1
    """Residual blocks at each time scale."""
    coarsest: int = 6
    """Time is halved while at least so many steps remain."""
    noise: int = 16
    """Channels of noise at each step of the coarsest scale; half of them are averaged over time, to hold for the whole series."""
    gamma: float = 1.0
    """Weight of the gradient penalties at the start."""
    gamma_end: float = 0.1
    """Weight of the gradient penalties at the end of the schedule."""
    penalty_interval: int = 2
    """Rounds from one with penalties to the next; they then weigh as many times more."""
    learning_rate: float = 2e-3
    """Step size of both players at the start."""
    learning_rate_end: float = 5e-5
    """Step size at the end of the schedule."""
    beta2: float = 0.9
    """Adam's second-moment decay at the start."""
    beta2_end: float = 0.99
    """Adam's second-moment decay at the end of the schedule."""
    gate: bool = False
    """Whether a factor made beside each step scales it: the volatility of returns then clusters more, and tails are heavier."""
    matched: bool = True
    """Whether generated returns are brought to the distribution of those of the data, by their ranks."""
    half_life: int = 20_000
    """Half-life of the generator's moving average in samples, at the end of the schedule; it grows from 0."""
    schedule: int | None = None
    """Samples over which everything above changes; None: the budget."""

    def __post_init__(self) -> None:
        if self.coarsest < 1:
            raise UserError(
                f"At least one step must remain at the coarsest scale, but it is {self.coarsest}: change --gan.coarsest."
            )


def convolution(channels_in: int, channels_out: int, size: int, *, gain: float = 1.0) -> nn.Conv1d:
    """A convolution over time whose weights are normal with deviation gain / sqrt(fan in) and whose biases are 0."""
    layer = nn.Conv1d(channels_in, channels_out, size, padding=size // 2)
    nn.init.normal_(layer.weight, 0, gain / math.sqrt(layer.weight[0].numel()))
    nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType], there is a bias
    return layer


class Block(nn.Module):
    """Two convolutions over three steps beside an identity, which the block is at the start."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.first = convolution(width, width, 3, gain=LEAKY_GAIN * blocks ** (-1 / 2))  # Fixup with m = 2 layers
        self.second = convolution(width, width, 3, gain=0)

    def forward(self, x: Float[Tensor, "batch width steps"]) -> Float[Tensor, "batch width steps"]:
        return x + self.second(leaky_relu(self.first(x), 0.2))


def scales(steps: int, coarsest: int) -> list[int]:
    """Steps at each time scale, the coarsest first: halved, rounding up, while at least `coarsest` remain."""
    found = [steps]
    while found[0] >= 2 * coarsest:
        found.insert(0, -(-found[0] // 2))
    return found


class SeriesGenerator(nn.Module):
    """Noise [batch, channels, coarse steps] (and label) to series of as many steps as the noise and `steps` say."""

    def __init__(self, config: Config, spec: SeriesSpec) -> None:
        super().__init__()
        self.steps, channels = spec.shape
        stages = len(scales(self.steps, config.coarsest))
        self.stages_count = stages
        self.labels = label_embedding(spec, config.noise)
        self.enter = convolution(config.noise * (2 if spec.conditions else 1), config.width, 3)
        blocks = stages * config.blocks
        self.stages = nn.ModuleList(
            nn.Sequential(*[Block(config.width, blocks) for _ in range(config.blocks)]) for _ in range(stages)
        )
        self.detail = nn.ModuleList(convolution(config.noise, config.width, 1, gain=0.3) for _ in range(stages - 1))
        self.leave = convolution(config.width, channels, 3)
        self.gate = convolution(config.width, channels, 1, gain=0) if config.gate else None
        self.whitening = Whitening(spec)

    def forward(
        self, noise: Float[Tensor, "batch steps noise"], label: Label | None = None
    ) -> Float[Tensor, "batch steps channels"]:
        return self.whitening.coloured(self.white(noise, label))

    def white(
        self, noise: Float[Tensor, "batch steps noise"], label: Label | None = None
    ) -> Float[Tensor, "batch channels steps"]:
        """The same before it is coloured: what the critic sees in the game."""
        noise = noise.transpose(1, 2)
        steps = noise.shape[2]
        lengths = [steps]
        for _ in range(self.stages_count - 1):
            lengths.insert(0, -(-lengths[0] // 2))
        first, *finer = _at_scales(noise, lengths)
        half = first.shape[1] // 2
        whole = noise[:, :half].sum(2, keepdim=True) / math.sqrt(steps)
        x = torch.cat([whole.expand(-1, -1, lengths[0]), first[:, half:]], dim=1)
        if self.labels is not None:
            x = torch.cat([x, self.labels(label)[:, :, None].expand(-1, -1, lengths[0])], dim=1)
        x = self.stages[0](self.enter(x))
        for length, rest, detail, blocks in zip(lengths[1:], finer, self.detail, self.stages[1:], strict=True):
            x = interpolate(x, scale_factor=2, mode="linear")[:, :, :length]
            x = blocks(x + detail(rest))
        white = self.leave(x)
        return white if self.gate is None else white * (1 + self.gate(x))


def _at_scales(noise: Tensor, lengths: list[int]) -> list[Tensor]:
    """Noise at every time scale from noise at the finest: sums of neighbours, made unit variance again."""
    found = [noise]
    for _ in lengths[1:]:
        padded = torch.cat([found[0], found[0][:, :, :1]], dim=2) if found[0].shape[2] % 2 else found[0]
        found.insert(0, avg_pool1d(padded, 2) * math.sqrt(2))
    return found


class SeriesCritic(nn.Module):
    """A white series (and label) to a logit: the mirror image; labels enter by projection (Miyato & Koyama 2018)."""

    def __init__(self, config: Config, spec: SeriesSpec) -> None:
        super().__init__()
        steps, channels = spec.shape
        lengths = scales(steps, config.coarsest)
        self.enter = convolution(channels, config.width, 3)
        blocks = len(lengths) * config.blocks
        self.stages = nn.ModuleList(nn.Sequential(*[Block(config.width, blocks) for _ in range(config.blocks)]) for _ in lengths)
        self.judge = nn.Linear(config.width * lengths[0], config.width if spec.conditions else 1)
        self.labels = label_embedding(spec, config.width)

    def forward(self, white: Float[Tensor, "batch channels steps"], label: Label | None = None) -> Float[Tensor, " batch"]:
        x = self.stages[0](self.enter(white))
        for blocks in self.stages[1:]:
            x = blocks(avg_pool1d(x, 2, ceil_mode=True))
        score = self.judge(x.flatten(1))
        return (score * self.labels(label)).sum(1) if self.labels is not None else score.squeeze(1)


class SeriesGAN(GAN):
    """The relativistic pairing game with R1 and R2, both players moving at once on one critic pass."""

    Config = Config
    spec: SeriesSpec
    kinds = ("series",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="series", batch=64, minutes=4.0),
    }

    def __init__(self, config: Config, spec: SeriesSpec) -> None:
        super().__init__(config, spec)
        learning_rate = Cosine(config.learning_rate, config.learning_rate_end, config.schedule)
        betas = (0.0, Cosine(config.beta2, config.beta2_end, config.schedule))
        self.gamma = Cosine(config.gamma, config.gamma_end, config.schedule)
        self.generator = Player(
            SeriesGenerator(config, spec),
            learning_rate=learning_rate,
            betas=betas,
            average=partial(Average, half_life=Cosine(0, config.half_life, config.schedule)),
        )
        self.whitening = Whitening(spec)
        self.critic = Player(SeriesCritic(config, spec), learning_rate=learning_rate, betas=betas)
        self._maker: tuple[int, nn.Module] | None = None

    def play(self, draw: Draw) -> Iterator[tuple[Move, ...]]:
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        labels = None if label is None else torch.cat([label, label])
        maker = self.generator.network
        assert isinstance(maker, SeriesGenerator)
        noise = normal_rows(len(real), self.spec.shape[0], self.config.noise, device=real.device)
        both = torch.cat([self.whitening.white(real), maker.white(noise, label)])
        if self.clock.every(self.config.penalty_interval):
            logits, squared_norms = with_gradient_norm(lambda x: self.critic(x, labels), both)
            gamma = self.gamma(self.clock) * self.config.penalty_interval
            r1, r2 = (gamma * zero_centred(norms) for norms in squared_norms.chunk(2))
            penalties = {"r1": r1, "r2": r2}
        else:
            logits, penalties = self.critic(both, labels), {}
        real_logits, fake_logits = logits.chunk(2)
        yield (
            self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits), **penalties),
            self.generator.minimizes(relativistic=relativistic_generator(real_logits, fake_logits)),
        )

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """Of any number of steps, the spectrum being continued towards slower changes."""
        return generate_steps(self, n, condition, rng, truncation, network=self.maker())

    def maker(self) -> nn.Module:
        """The averaged generator, for returns with its values exchanged; its own quantiles are measured as it is now."""
        network, wanted = self.generator.averaged, self.spec.quantiles
        if not self.config.matched or not wanted or self.spec.conditions:
            return network
        if self._maker is None or self._maker[0] != self.clock.samples:
            steps, channels = self.spec.shape
            noise = torch.randn(MEASURED, steps, self.config.noise, generator=torch.Generator().manual_seed(0)).to(self.device)
            with torch.no_grad():
                made = network(noise).flatten(0, 1).double().cpu().numpy()
            found, sought = (torch.tensor(values).view(channels, -1).to(noise) for values in (quantiles(made), wanted))
            self._maker = self.clock.samples, Matched(network, found, sought)
        return self._maker[1]

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(self.whitening.white(batch[self.spec.key]), batch.get("label"))

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        return self.maker(), exportable_steps(self)[1]
