"""TimeGAN: a game in the latent space of an autoencoder, with a supervised next step (Yoon et al. 2019, "Time-series GANs").

Three stages of equal length: the autoencoder alone; the supervisor, which learns the next latent step; then all together.

    gansmith train prices.csv --kind series --gan timegan

TimeGAN's stock prices, its own protocol, 91 CPU seconds, one thread, seed 0, one judging network: discriminative score 0.325 (the paper
0.102, after far longer), predictive 0.043 (0.038).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.special import ndtr

from gansmith.adversarial import non_saturating_critic, non_saturating_generator
from gansmith.data.codec import Batch
from gansmith.data.spec import Spec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.gans._steps import exportable_steps, generate_steps
from gansmith.layers.labels import Label
from gansmith.layers.sequences import at_every_step
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of TimeGAN; the defaults are those of the published code."""

    width: int = 24
    """Hidden units of every layer and dimensions of the latent space."""
    layers: int = 3
    """GRU layers of each network; the supervisor has one less."""
    noise: int = 6
    """Dimensions of the noise at every step."""
    embedding_share: float = 1 / 3
    """Share of the budget in which the autoencoder learns alone."""
    supervision_share: float = 1 / 3
    """Share of the budget after it in which the supervisor learns alone."""
    generator_moves: int = 2
    """Moves of generator and autoencoder in each round of the last stage."""
    threshold: float = 0.15
    """The critic moves while its loss is above this."""
    learning_rate: float = 1e-3
    """Adam's step size for all players."""
    half_life: int = 10_000
    """Half-life of the moving averages in samples."""

    def __post_init__(self) -> None:
        if not 0 <= self.embedding_share + self.supervision_share < 1:
            raise UserError(
                f"The two stages before the game must leave some of the budget, but they take {self.embedding_share:g} + "
                f"{self.supervision_share:g}: change --gan.embedding-share or --gan.supervision-share."
            )


class Recurrent(nn.Module):
    """GRU layers, then a linear map at every step."""

    def __init__(self, inputs: int, outputs: int, width: int, layers: int) -> None:
        super().__init__()
        self.gru = nn.GRU(inputs, width, layers, batch_first=True)
        self.last = nn.Linear(width, outputs)

    def forward(self, x: Float[Tensor, "batch steps inputs"]) -> Float[Tensor, "batch steps outputs"]:
        return self.last(self.gru(x)[0])


class Autoencoder(nn.Module):
    """Between series and latent series in (0, 1)."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        channels = spec.shape[1]
        self.embedder = Recurrent(channels, config.width, config.width, config.layers)
        self.recoverer = Recurrent(config.width, channels, config.width, config.layers)

    def embed(self, series: Float[Tensor, "batch steps channels"]) -> Float[Tensor, "batch steps latent"]:
        return self.embedder(series).sigmoid()

    def recover(self, latent: Float[Tensor, "batch steps latent"]) -> Float[Tensor, "batch steps channels"]:
        return self.recoverer(latent).float()

    def forward(self, series: Float[Tensor, "batch steps channels"]) -> Float[Tensor, "batch steps channels"]:
        return self.recover(self.embed(series))


class LatentGenerator(nn.Module):
    """Noise to latent series, which the supervisor then moves one step on."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        self.first = Recurrent(config.noise + spec.label_width, config.width, config.width, config.layers)
        self.supervisor = Recurrent(config.width, config.width, config.width, max(1, config.layers - 1))

    def supervise(self, latent: Float[Tensor, "batch steps latent"]) -> Float[Tensor, "batch steps latent"]:
        """The latent series one step later."""
        return self.supervisor(latent).sigmoid()

    def forward(
        self, noise: Float[Tensor, "batch steps noise"], label: Label | None = None
    ) -> Float[Tensor, "batch steps latent"]:
        uniform = ndtr(noise.float())  # the published code's noise, from normal numbers
        return self.first(at_every_step(uniform, label, self.spec)).sigmoid()


class WholeGenerator(nn.Module):
    """Noise to series: generator, supervisor and recovery one after another."""

    def __init__(self, latent: LatentGenerator, autoencoder: Autoencoder) -> None:
        super().__init__()
        self.latent, self.autoencoder = latent, autoencoder

    def forward(
        self, noise: Float[Tensor, "batch steps noise"], label: Label | None = None
    ) -> Float[Tensor, "batch steps channels"]:
        return self.autoencoder.recover(self.latent.supervise(self.latent(noise, label)))


class LatentCritic(nn.Module):
    """A latent series (and label) to a logit at every step."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        self.judge = Recurrent(config.width + spec.label_width, 1, config.width, config.layers)

    def forward(self, latent: Float[Tensor, "batch steps latent"], label: Label | None = None) -> Float[Tensor, "batch steps"]:
        return self.judge(at_every_step(latent, label, self.spec)).squeeze(2)


class TimeGAN(GAN):
    """The non-saturating game in the latent space, beside reconstruction, supervision and moments (section 4)."""

    Config = Config
    kinds = ("series",)
    makers = ("generator", "autoencoder")
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="the published players, minutes on a CPU (half an hour in the paper's)", kind="series", batch=128, minutes=10.0
        ),
        "paper": Preset(about="the published 50,000 rounds of each stage", kind="series", batch=128, samples=25_600_000),
    }

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        average = partial(Average, half_life=config.half_life)
        rate = config.learning_rate
        self.autoencoder = Player(Autoencoder(config, spec), learning_rate=rate, average=average)
        self.generator = Player(LatentGenerator(config, spec), learning_rate=rate, average=average)
        self.critic = Player(LatentCritic(config, spec), learning_rate=rate)

    @property
    def coder(self) -> Autoencoder:
        """The network of the autoencoder."""
        network = self.autoencoder.network
        assert isinstance(network, Autoencoder)
        return network

    @property
    def latent(self) -> LatentGenerator:
        """The network of the generator."""
        network = self.generator.network
        assert isinstance(network, LatentGenerator)
        return network

    def play(self, draw: Draw) -> Iterator[Move]:
        progress, config = self.clock.progress(), self.config
        if progress < config.embedding_share:
            real = draw()[self.spec.key]
            yield self.autoencoder.minimizes(reconstruction=10 * mse_loss(self.autoencoder(real), real).sqrt())
            return
        if progress < config.embedding_share + config.supervision_share:
            with torch.no_grad():
                latent = self.coder.embed(draw()[self.spec.key])
            yield self.generator.minimizes(supervised=mse_loss(self._next(latent), latent[:, 1:]))
            return
        for _ in range(config.generator_moves):
            batch = draw()
            real, label = batch[self.spec.key], batch.get("label")
            with torch.no_grad():
                latent = self.coder.embed(real)
            first, supervised = self._fake(real, label)
            made = self.coder.recover(supervised)
            deviation, mean = torch.std_mean(made, 0)
            real_deviation, real_mean = torch.std_mean(real, 0)
            yield self.generator.minimizes(
                non_saturating=non_saturating_generator(self.critic(supervised, label)),
                non_saturating_first=non_saturating_generator(self.critic(first, label)),
                supervised=100 * (mse_loss(self._next(latent), latent[:, 1:]) + 1e-12).sqrt(),
                moments=100 * ((deviation - real_deviation).abs().mean() + (mean - real_mean).abs().mean()),
            )
            latent = self.coder.embed(real)
            yield self.autoencoder.minimizes(
                reconstruction=10 * mse_loss(self.coder.recover(latent), real).sqrt(),
                supervised=0.1 * mse_loss(self._next(latent), latent[:, 1:]),
            )
        batch = draw()
        real, label = batch[self.spec.key], batch.get("label")
        with torch.no_grad():
            latent = self.coder.embed(real)
            first, supervised = self._fake(real, label)
        judged = self.critic(latent, label)
        losses = {
            "non_saturating": non_saturating_critic(judged, self.critic(supervised, label)),
            "first": non_saturating_generator(-self.critic(first, label)),  # -log(1 - D)
        }
        moves = (sum(losses.values()) > config.threshold).float()
        yield self.critic.minimizes(**{name: moves * loss for name, loss in losses.items()})

    def _next(self, latent: Tensor) -> Tensor:
        return self.latent.supervise(latent)[:, :-1]

    def _fake(self, real: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """The generator's latent series, and the same one step on."""
        first = self.generator(normal_rows(len(real), real.shape[1], self.config.noise, device=real.device), label)
        return first, self.latent.supervise(first)

    def whole(self) -> WholeGenerator:
        """The averaged networks in a row."""
        return WholeGenerator(self.generator.averaged, self.autoencoder.averaged)  # pyright: ignore[reportArgumentType]

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        return generate_steps(self, n, condition, rng, truncation, network=self.whole())

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(self.coder.embed(batch[self.spec.key]), batch.get("label")).mean(1)

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        return self.whole(), exportable_steps(self)[1]
