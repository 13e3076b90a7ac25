"""CTAB-GAN: tables as pictures, with a classifier (Zhao et al. 2021, "CTAB-GAN: effective table data synthesizing").

Rows with the category they are conditioned on (training by sampling, over all choices) are laid out as square pictures for
convolutional players. Besides the non-saturating game and the condition, the generator has two losses: information (means and
deviations of the critic's last features must be those of real rows) and classification (a classifier taught on real rows must agree
with the target of generated ones). Columns that mix special values with numbers are a choice and a number each, as all are here;
numbers are normal scores of ranks, where the paper has Gaussian mixtures. Written from the paper.

    gansmith train adult.csv --gan ctabgan

Adult (20,839 training rows, a fifth of the rows for testing), 45 CPU seconds (922 rounds of 128), one thread, seed 0: column shapes 0.960,
pair trends 0.850, C2ST 0.93, TSTR AUC 0.836 and F1 0.456 (independent columns 0.996, 0.822, 0.95, 0.431, 0; real rows AUC 0.931, F1 0.724).
With the paper's channels and batches 80 seconds are 22 rounds, which is worse than independent columns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, log2, sqrt
from typing import ClassVar, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import dropout, leaky_relu, softplus

from gansmith.data.codec import Batch
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.kinds.tables.spec import TableSpec
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.requested import Completion, missed, only, sampled
from gansmith.layers.rows import RowLayout, fulfilled, gumbel
from gansmith.training import distributed
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows

Row = Float[Tensor, "batch width"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of CTAB-GAN; the defaults are those of the paper and its code."""

    channels: int = 64
    """Channels of the largest picture; each smaller one has twice as many."""
    noise: int = 100
    """Dimensions of the latent noise, besides the noise that decides the choices."""
    classifier_width: int = 256
    """Features of each of the classifier's four layers."""
    temperature: float = 0.2
    """Of the Gumbel softmax."""
    information: float = 1.0
    """Weight of the information loss; 0 leaves it out."""
    classification: float = 1.0
    """Weight of the classification loss; 0 leaves it out."""
    learning_rate: float = 2e-4
    """Step size of all players."""
    half_life: int = 10_000
    """Half-life of the generator's moving average in samples; the paper keeps none."""


def side_of(numbers: int) -> int:
    """The side of the smallest picture, a power of two from 4, that holds so many numbers."""
    return max(4, 2 ** ceil(log2(sqrt(numbers))))


class PictureGenerator(nn.Module):
    """Noise and the requested category to a picture of a row, by strided transposed convolutions from 4x4."""

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__()
        self.layout = RowLayout(spec)
        self.temperature, self.latent = config.temperature, config.noise
        self.noise = config.noise + self.layout.width
        side = side_of(self.layout.width)
        widths = [config.channels * 2**power for power in reversed(range(int(log2(side // 4)) + 1))]
        self.enter = nn.ConvTranspose2d(config.noise + self.layout.width, widths[0], 4)
        self.norms = nn.ModuleList([BatchNorm(width) for width in widths])
        self.enlarge = nn.ModuleList(
            [nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in zip(widths, [*widths[1:], config.channels], strict=True)][
                : len(widths) - 1
            ]
        )
        self.leave = nn.Conv2d(config.channels, 1, 3, padding=1)
        self.register_buffer("shares", torch.zeros(self.layout.width))
        self.shares: Tensor
        """How often each option is chosen in the data, as far as was seen."""

    def heads(self, noise: Float[Tensor, "batch noise"], requested: Row) -> Row:
        """Logits of the options, and the numbers."""
        x = self.enter(torch.cat([noise[:, : self.latent], requested], 1)[:, :, None, None])
        x = self.norms[0](x).relu()
        for enlarge, norm in zip(self.enlarge, list(self.norms)[1:], strict=True):
            x = norm(enlarge(x)).relu()
        return self.leave(x).flatten(1)[:, : self.layout.width].float()

    def forward(self, noise: Float[Tensor, "batch noise"], requested: Row) -> Row:
        return self.rows(self.heads(noise, requested), noise)

    def rows(self, heads: Row, noise: Float[Tensor, "batch noise"]) -> Row:
        """Rows of soft choices, from logits and numbers."""
        soft = self.layout.logits((heads + gumbel(noise[:, self.latent :])) / self.temperature).softmax(-1)
        return self.layout.assemble(soft, heads[:, self.layout.number])


class PictureCritic(nn.Module):
    """A row with its requested category, as a picture, to features and a logit, by strided convolutions to 4x4."""

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__()
        numbers = 2 * RowLayout(spec).width
        self.side = side_of(numbers)
        self.padding = self.side**2 - numbers
        widths = [1, *(config.channels * 2**power for power in range(int(log2(self.side // 4))))]
        self.halve = nn.ModuleList([nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(widths, widths[1:], strict=False)])
        self.norms = nn.ModuleList([nn.GroupNorm(1, width) for width in widths[1:]])
        self.leave = nn.Linear(widths[-1] * 16, 1)

    def features(self, row: Row, requested: Row) -> Float[Tensor, "batch features"]:
        x = torch.cat([row, requested, row.new_zeros(len(row), self.padding)], 1).view(len(row), 1, self.side, self.side)
        for halve, norm in zip(self.halve, self.norms, strict=True):
            x = leaky_relu(norm(halve(x)), 0.2)
        return x.flatten(1)

    def forward(self, row: Row, requested: Row) -> Float[Tensor, " batch"]:
        return self.leave(self.features(row, requested)).squeeze(1)


class Classifier(nn.Module):
    """A row without its target to the target: logits of its options, and its number."""

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__()
        layout, sizes = RowLayout(spec), spec.columns[spec.target]
        self.target = RowLayout(replace(spec, columns=(sizes,)))
        start, entries = layout.place(spec.target % len(spec.columns))
        self.own = slice(start, start + entries)
        self.layers = nn.ModuleList([nn.Linear(layout.width, config.classifier_width)])
        self.layers.extend(nn.Linear(config.classifier_width, config.classifier_width) for _ in range(3))
        self.leave = nn.Linear(config.classifier_width, entries)

    def forward(self, row: Row) -> Float[Tensor, " batch"]:
        """How far the target of each row is from what the other columns tell: cross-entropy, and squared error of a number."""
        wanted = row[:, self.own]
        x = torch.cat([row[:, : self.own.start], torch.zeros_like(wanted), row[:, self.own.stop :]], 1)
        for layer in self.layers:
            x = dropout(leaky_relu(layer(x), 0.2), 0.5, self.training)
        told = self.leave(x).float()
        logits = self.target.logits(told).log_softmax(-1)
        of_choices = -(self.target.logits(wanted).clamp_min(0) * logits.clamp_min(-50)).sum((1, 2))
        gate = torch.cat([wanted, wanted.new_ones(len(wanted), 1)], 1)[:, self.target.gate]
        return of_choices + ((told - wanted)[:, self.target.number].square() * gate).sum(1)


class CTABGAN(GAN):
    """The non-saturating game over pictures of rows, with a classifier beside."""

    Config = Config
    kinds = ("tables",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU: a quarter of the channels, smaller batches, larger steps",
            kind="tables",
            batch=128,
            minutes=5,
            config={"channels": 16, "learning_rate": 6e-4},
        ),
        "paper": Preset(about="150 epochs of a table of 26,000 rows", kind="tables", batch=500, samples=3_900_000),
    }

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__(config, spec)
        self.layout = RowLayout(spec)
        if not self.layout.choices:
            raise UserError("ctabgan conditions on categories, but no column of this table has any: choose --gan rowgan.")
        adam = partial(torch.optim.Adam, lr=config.learning_rate, weight_decay=1e-5, eps=1e-3, fused=True)
        about = {"learning_rate": config.learning_rate, "betas": (0.5, 0.9), "optimizer": adam}
        average = partial(Average, half_life=config.half_life)
        self.generator = Player(PictureGenerator(config, spec), average=average, **about)
        self.critic = Player(PictureCritic(config, spec), **about)
        self.classifier = Player(Classifier(config, spec), **about)
        self.register_buffer("seen", torch.zeros(()))
        self.seen: Tensor

    @property
    def network(self) -> PictureGenerator:
        """The network that plays."""
        return cast("PictureGenerator", self.generator.network)

    # ---- the game -------------------------------------------------------------------------------------------------------------

    def play(self, draw: Draw) -> Iterator[Move]:
        real, requested, _ = self.sampled(draw()[self.spec.key])
        fake = self.generator(normal_rows(len(real), self.network.noise, device=real.device), requested).detach()
        yield self.critic.minimizes(
            adversarial=softplus(-self.critic(real, requested)).mean() + softplus(self.critic(fake, requested)).mean()
        )
        if self.config.classification:
            yield self.classifier.minimizes(classification=self.classifier(real).mean())

        noise = normal_rows(len(real), self.network.noise, device=real.device)
        real, requested, column = self.sampled(draw()[self.spec.key])
        heads = self.network.heads(noise, requested)
        fake = self.network.rows(heads, noise)
        critic = cast("PictureCritic", self.critic.network)
        of_fake = critic.features(fake, requested)
        terms = {
            "adversarial": softplus(-critic.leave(of_fake).squeeze(1)).mean(),
            "condition": missed(heads, requested, column, self.layout).mean(),
        }
        if self.config.information:
            of_real = critic.features(real, requested).detach()
            means, deviations = (of_real.mean(0) - of_fake.mean(0)).norm(), (of_real.std(0) - of_fake.std(0)).norm()
            terms["information"] = self.config.information * (means + deviations)
        if self.config.classification:
            terms["classification"] = self.config.classification * self.classifier(fake).mean()
        yield self.generator.minimizes(**terms)

    def sampled(self, real: Row) -> tuple[Row, Row, Int[Tensor, " batch"]]:
        """Rows drawn again by the categories that they are conditioned on (`layers.requested.sampled`)."""
        with torch.no_grad():
            self.seen += len(real)
            self.network.shares.lerp_(distributed.average(real.mean(0)), len(real) / self.seen)
        return sampled(real, self.network.shares, self.layout)

    # ---- generating -----------------------------------------------------------------------------------------------------------

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """n rows; see RowGAN for `condition`. Given cells stay; the network itself hears of one of them that is a category."""
        network = Completion(cast("PictureGenerator", self.generator.averaged))

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
        """The critic's logits, with the categories of a first choice as requested."""
        row = batch[self.spec.key]
        return self.critic(row, only(row, torch.zeros(len(row), dtype=torch.int64, device=row.device), self.layout))

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        network = Completion(cast("PictureGenerator", self.generator.averaged))
        return network, {"noise": torch.randn(2, network.noise)}
