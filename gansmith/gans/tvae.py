"""TVAE: a variational autoencoder for tables (Xu et al. 2019), the rival that is no GAN.

Stands here because tables deserve it: where it wins, use it. An encoder and a decoder of two layers; choices are decoded by
cross-entropy, numbers as Gaussians with a learned deviation for each column; the evidence lower bound with the paper's factor 2 on
the reconstruction. Written from the paper; numbers are normal scores of ranks here, where the paper has Gaussian mixtures.

    gansmith train adult.csv --gan tvae
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from gansmith.data.codec import Batch
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.kinds.tables.spec import TableSpec
from gansmith.layers.rows import RowLayout, chosen, fulfilled, gumbel
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows

Row = Float[Tensor, "batch width"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of TVAE; the defaults are the paper's."""

    width: int = 128
    """Features of each hidden layer."""
    noise: int = 128
    """Dimensions of the latent space."""
    reconstruction: float = 2.0
    """Weight of the reconstruction beside the divergence."""
    learning_rate: float = 1e-3
    """Step size."""
    half_life: int = 10_000
    """Half-life of the moving average in samples; the paper keeps none."""


class Autoencoder(nn.Module):
    """Rows to latent normal distributions, and latent vectors to rows."""

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__()
        self.layout = RowLayout(spec)
        self.latent, self.noise = config.noise, config.noise + self.layout.width
        self.encode_first = nn.Linear(self.layout.width, config.width)
        self.encode_second = nn.Linear(config.width, config.width)
        self.mean, self.log_variance = nn.Linear(config.width, config.noise), nn.Linear(config.width, config.noise)
        self.decode_first = nn.Linear(config.noise, config.width)
        self.decode_second = nn.Linear(config.width, config.width)
        self.leave = nn.Linear(config.width, self.layout.width)
        self.deviation = nn.Parameter(torch.full((self.layout.numbers,), 0.1))

    def encode(self, row: Row) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Means and logarithms of variances."""
        x = self.encode_second(self.encode_first(row).relu()).relu()
        return self.mean(x), self.log_variance(x)

    def heads(self, latent: Float[Tensor, "batch latent"]) -> Row:
        """Logits of the options, and the means of the numbers."""
        return self.leave(self.decode_second(self.decode_first(latent).relu()).relu()).float()

    def forward(self, noise: Float[Tensor, "batch noise"]) -> Row:
        """Rows drawn from the decoder's distributions."""
        heads = self.heads(noise[:, : self.latent])
        more = noise[:, self.latent :]
        numbers = heads[:, self.layout.number] + self.spread() * more[:, self.layout.number]
        return self.layout.assemble(chosen(self.layout.logits(heads + gumbel(more))), numbers)

    def spread(self) -> Float[Tensor, " numbers"]:
        return self.deviation.clamp(0.01, 1.0)


class TVAE(GAN):
    """One player that minimises the negative evidence lower bound."""

    Config = Config
    kinds = ("tables",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="the paper's settings, for minutes on a CPU", kind="tables", batch=500, minutes=1.5),
        "paper": Preset(about="300 epochs of a table of 26,000 rows", kind="tables", batch=500, samples=7_800_000),
    }

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__(config, spec)
        self.layout = RowLayout(spec)
        self.generator = Player(
            Autoencoder(config, spec),
            learning_rate=config.learning_rate,
            optimizer=partial(torch.optim.Adam, lr=config.learning_rate, weight_decay=1e-5, fused=True),
            average=partial(Average, half_life=config.half_life),
        )

    @property
    def network(self) -> Autoencoder:
        """The network that plays."""
        return cast("Autoencoder", self.generator.network)

    @property
    def averaged(self) -> Autoencoder:
        """The network that generates."""
        return cast("Autoencoder", self.generator.averaged)

    def play(self, draw: Draw) -> Iterator[Move]:
        row = draw()[self.spec.key]
        network = self.network
        mean, log_variance = network.encode(row)
        latent = mean + (log_variance / 2).exp() * normal_rows(len(row), network.latent, device=row.device)
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2
        yield self.generator.minimizes(
            reconstruction=self.config.reconstruction * self.surprise(row, network.heads(latent)).mean(),
            divergence=divergence.mean(),
        )

    def surprise(self, row: Row, heads: Row) -> Float[Tensor, " batch"]:
        """The negative logarithm of the likelihood of rows under decoded distributions; gated numbers do not count."""
        layout, spread = self.layout, self.network.spread()
        logits = layout.logits(heads).log_softmax(-1)
        of_choices = -(layout.logits(row).clamp_min(0) * logits).sum((1, 2))
        padded = torch.cat([row, row.new_ones(len(row), 1)], 1)
        numbers = (row - heads)[:, layout.number].square() / (2 * spread.square()) + spread.log()
        return of_choices + (numbers * padded[:, layout.gate]).sum(1)

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """n rows; see RowGAN for `condition`. Rows with given cells come from what the encoder makes of these cells."""
        network = self.averaged

        def complete(row: Row, known: Bool[Tensor, "batch columns"]) -> Row:
            row, given = row.to(self.device), self.layout.of_columns(known.to(self.device))
            noise = truncation * torch.randn(len(row), network.noise, generator=rng).to(self.device)
            if bool(given.any()):
                mean, log_variance = network.encode(row * given)
                noise[:, : network.latent] = mean + (log_variance / 2).exp() * noise[:, : network.latent]
            return torch.where(given, row, network(noise))

        if "given" in condition:
            return {self.spec.key: complete(condition["given"], condition["known"])}
        if "low" in condition:
            low, high = condition["low"].to(self.device), condition["high"].to(self.device)
            return {self.spec.key: fulfilled(complete, low, high, self.layout, rng)}
        nothing = torch.zeros(n, self.layout.width), torch.zeros(n, self.layout.columns, dtype=torch.bool)
        return {self.spec.key: complete(*nothing)}

    @torch.no_grad()
    def scores(self, batch: Batch) -> Tensor:
        """How well rows are reconstructed."""
        row = batch[self.spec.key]
        return -self.surprise(row, self.network.heads(self.network.encode(row)[0]))

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        network = self.averaged
        return network, {"noise": torch.randn(2, network.noise)}
