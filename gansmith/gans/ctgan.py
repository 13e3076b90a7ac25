"""CTGAN: conditional GAN for tables (Xu et al. 2019, "Modeling tabular data using conditional GAN").

Each row is conditioned on one category of one column, chosen so that rare categories are seen often (training by sampling), and the
generator must produce it; the critic judges ten rows together (PacGAN, Lin et al. 2018) under WGAN-GP. Generated rows are
conditioned on categories as frequent as in the data. Written from the paper; numbers are normal scores of ranks here, where the
paper has a mode of a Gaussian mixture and a value in tanh.

    gansmith train adult.csv --gan ctgan
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import dropout, leaky_relu

from gansmith.adversarial import wasserstein_critic
from gansmith.data.codec import Batch
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.kinds.tables.spec import TableSpec
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.requested import Completion, missed, only, sampled
from gansmith.layers.rows import RowLayout, fulfilled, gumbel
from gansmith.penalties import gradient_penalty
from gansmith.training import distributed
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows

Row = Float[Tensor, "batch width"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of CTGAN; the defaults are the paper's (section 5.1 and appendix)."""

    width: int = 256
    """Features of each layer of the generator and the critic."""
    noise: int = 128
    """Dimensions of the latent noise, besides the noise that decides the choices."""
    pack: int = 10
    """Rows that the critic judges together."""
    temperature: float = 0.2
    """Of the Gumbel softmax."""
    penalty: float = 10.0
    """Weight of the gradient penalty."""
    learning_rate: float = 2e-4
    """Step size of both players."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples; the paper keeps none."""


class RowGenerator(nn.Module):
    """Noise and the requested category to a row, through two layers that are each appended to their input."""

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__()
        self.layout = RowLayout(spec)
        self.temperature, self.latent = config.temperature, config.noise
        self.noise = config.noise + self.layout.width
        features = config.noise + self.layout.width
        self.first, self.first_norm = nn.Linear(features, config.width), BatchNorm(config.width)
        self.second, self.second_norm = nn.Linear(features + config.width, config.width), BatchNorm(config.width)
        self.leave = nn.Linear(features + 2 * config.width, self.layout.width)
        self.register_buffer("shares", torch.zeros(self.layout.width))
        self.shares: Tensor
        """How often each option is chosen in the data, as far as was seen."""

    def heads(self, noise: Float[Tensor, "batch noise"], requested: Row) -> Row:
        x = torch.cat([noise[:, : self.latent], requested], 1)
        x = torch.cat([self.first_norm(self.first(x)[:, :, None, None]).flatten(1).relu(), x], 1)
        x = torch.cat([self.second_norm(self.second(x)[:, :, None, None]).flatten(1).relu(), x], 1)
        return self.leave(x).float()

    def forward(self, noise: Float[Tensor, "batch noise"], requested: Row) -> Row:
        return self.rows(self.heads(noise, requested), noise)

    def rows(self, heads: Row, noise: Float[Tensor, "batch noise"]) -> Row:
        """Rows of soft choices, from logits and numbers."""
        soft = self.layout.logits((heads + gumbel(noise[:, self.latent :])) / self.temperature).softmax(-1)
        return self.layout.assemble(soft, heads[:, self.layout.number])


class PackedCritic(nn.Module):
    """Several rows with their requested categories to one score."""

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__()
        self.first = nn.Linear(config.pack * 2 * RowLayout(spec).width, config.width)
        self.second = nn.Linear(config.width, config.width)
        self.leave = nn.Linear(config.width, 1)

    def forward(self, rows: Float[Tensor, "packs features"]) -> Float[Tensor, " packs"]:
        x = dropout(leaky_relu(self.first(rows), 0.2), 0.5, self.training)
        x = dropout(leaky_relu(self.second(x), 0.2), 0.5, self.training)
        return self.leave(x).squeeze(1)


class CTGAN(GAN):
    """The Wasserstein game over packs of rows that are each conditioned on a category."""

    Config = Config
    kinds = ("tables",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="the paper's settings, for minutes on a CPU", kind="tables", batch=500, minutes=2.5),
        "paper": Preset(about="300 epochs of a table of 26,000 rows", kind="tables", batch=500, samples=7_800_000),
    }

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__(config, spec)
        self.layout = RowLayout(spec)
        if not self.layout.choices:
            raise UserError("ctgan conditions on categories, but no column of this table has any: choose --gan rowgan.")
        adam = partial(torch.optim.Adam, lr=config.learning_rate, weight_decay=1e-6, fused=True)
        betas = (0.5, 0.9)
        self.generator = Player(
            RowGenerator(config, spec),
            learning_rate=config.learning_rate,
            betas=betas,
            optimizer=adam,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(PackedCritic(config, spec), learning_rate=config.learning_rate, betas=betas)
        self.register_buffer("seen", torch.zeros(()))
        self.seen: Tensor

    @property
    def network(self) -> RowGenerator:
        """The network that plays."""
        return cast("RowGenerator", self.generator.network)

    @property
    def averaged(self) -> RowGenerator:
        """The network that generates."""
        return cast("RowGenerator", self.generator.averaged)

    # ---- the game -------------------------------------------------------------------------------------------------------------

    def play(self, draw: Draw) -> Iterator[Move]:
        real, requested, _ = self.sampled(draw()[self.spec.key])
        fake = self.generator(normal_rows(len(real), self.network.noise, device=real.device), requested)
        on_real, on_fake = self.packed(real, requested), self.packed(fake.detach(), requested)
        yield self.critic.minimizes(
            wasserstein=wasserstein_critic(self.critic(on_real), self.critic(on_fake)),
            penalty=self.config.penalty * gradient_penalty(self.critic, on_real, on_fake),
        )
        real, requested, column = self.sampled(draw()[self.spec.key])
        noise = normal_rows(len(real), self.network.noise, device=real.device)
        heads = self.network.heads(noise, requested)
        fake = self.network.rows(heads, noise)
        condition = missed(heads, requested, column, self.layout).mean()
        yield self.generator.minimizes(wasserstein=-self.critic(self.packed(fake, requested)).mean(), condition=condition)

    def sampled(self, real: Row) -> tuple[Row, Row, Int[Tensor, " batch"]]:
        """Rows drawn again by the categories that they are conditioned on (`layers.requested.sampled`)."""
        with torch.no_grad():
            self.seen += len(real)
            self.network.shares.lerp_(distributed.average(real.mean(0)), len(real) / self.seen)
        return sampled(real, self.network.shares, self.layout)

    def packed(self, row: Row, requested: Row) -> Float[Tensor, "packs features"]:
        """Rows with their conditions, several side by side; what does not fill a pack is left out."""
        pack = self.config.pack
        if len(row) < pack:
            raise UserError(f"A batch must fill a pack of {pack} rows, but it has {len(row)}: raise --batch or lower --gan.pack.")
        together = torch.cat([row, requested], 1)
        return together[: len(row) // pack * pack].reshape(len(row) // pack, -1)

    # ---- generating -----------------------------------------------------------------------------------------------------------

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """n rows; see RowGAN for `condition`. Given cells stay; the network itself hears of one of them that is a category."""
        network = Completion(self.averaged)

        def complete(row: Row, known: Bool[Tensor, "batch columns"]) -> Row:
            noise = truncation * torch.randn(len(row), network.noise, generator=rng)
            return network(noise.to(self.device), row.to(self.device), known.to(self.device))

        if "given" in condition:
            return {self.spec.key: complete(condition["given"], condition["known"])}
        if "low" in condition:
            low, high = condition["low"].to(self.device), condition["high"].to(self.device)
            return {self.spec.key: fulfilled(complete, low, high, self.layout, rng)}
        nothing = torch.zeros(n, self.layout.width), torch.zeros(n, self.layout.columns, dtype=torch.bool)
        return {self.spec.key: complete(*nothing)}

    def scores(self, batch: Batch) -> Tensor:
        """The critic's score of packs, with the categories of a first choice as requested."""
        row = batch[self.spec.key]
        requested = only(row, torch.zeros(len(row), dtype=torch.int64, device=row.device), self.layout)
        return self.critic(self.packed(row, requested))

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        network = Completion(self.averaged)
        return network, {"noise": torch.randn(2, network.noise)}
