"""DPGAN: tables under differential privacy (Xie et al. 2018, "Differentially private generative adversarial network").

Only two things ever see training rows, and both are private by one mechanism (`gansmith.training.privacy`): the critic learns from
gradients that are clipped for every row and blurred by noise (DP-SGD, Abadi et al. 2016; Bie, Kamath & Zhang 2023, "Private GANs,
revisited"); and with the same steps go the frequencies of pairs of options and of bins of numbers, which the generator is brought
to. Rows are drawn by Poisson sampling, the critic normalises within rows. The generator sees neither rows nor their conditions,
so whatever it makes keeps the (epsilon, delta) that the model's card tells. The noise is chosen so that the planned training
spends `epsilon`.

What is private is the model's networks. The facts of columns (categories, quantiles, ranges, rules) in model.json are read from the
data as they are, unless they come from another, public table (`--public FILE`). Checkpoints, scores, the log and the report are made
with the real rows: share the folder model/ alone.

    gansmith train people.csv --gan dpgan --gan.epsilon 3 --public public-people.csv

Adult (16,670 training rows, validation split), 16 CPU seconds (300 rounds), one thread, seed 0, epsilon 2.995 at delta 1e-5, facts of
columns not private: column shapes 0.982, pair trends 0.896, TSTR AUC 0.815 and F1 0.521.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, ClassVar, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, softplus

from gansmith.data.codec import Batch
from gansmith.data.values import Moves
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.kinds.tables.spec import TableSpec
from gansmith.layers.rows import Margins, RowLayout, chosen, fulfilled, gumbel, soft_bins
from gansmith.training.ema import Average
from gansmith.training.privacy import ORDERS, as_term, clipped_sum, divergences, epsilon_of, noise_for
from gansmith.training.seeds import normal_rows

Row = Float[Tensor, "batch width"]
UNPLANNED = 8.0
"""The noise of the first steps of a budget in minutes, before it is known how many steps there will be."""
MEMORY = 0.98
"""Share of the running frequencies of generated rows that a batch leaves as it was."""
RAREST = 2e-3
"""Pairs of options rarer than this weigh no more than it in the term of frequencies."""
DONORS = 4096
"""Generated rows among which those are sought that agree with given cells."""
OF_OPTIONS, OF_NUMBERS = 3.0, 8.0
"""How much likelier a row is taken (in nats) for less squared difference: a different option counts twice, numbers are normal scores."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of DPGAN."""

    epsilon: float = 3.0
    """The privacy that the whole training may spend, at `delta`."""
    delta: float = 1e-5
    """The probability with which epsilon may not hold; well below one in as many as there are rows."""
    clip: float = 1.0
    """The length to which the critic's gradient of each row is shortened."""
    frequencies: float = 0.5
    """Share of the noise's strength that goes to the pairwise frequencies, between 0 and 1; the rest goes to the critic."""
    critic_moves: Moves = 1
    """Moves of the critic for each of the generator's; where the critic alone teaches, many are better (Bie et al. 2023)."""
    matching: float = 1.0
    """Weight of the term of pairwise frequencies beside the critic's."""
    width: int = 256
    """Features of each layer of the generator."""
    critic_width: int = 64
    """Features of each layer of the critic: the fewer, the less noise it takes up."""
    groups: int = 8
    """Groups of features in which the critic normalises (Wu & He 2018)."""
    noise: int = 32
    """Dimensions of the latent noise, besides the noise that decides the choices."""
    temperature: float = 0.5
    """Of the softmax through which gradients reach the choices."""
    penalty: float = 0.1
    """Weight of the critic's squared slope at generated rows."""
    learning_rate: float = 1e-3
    """Step size of both players."""
    half_life: int = 20_000
    """Half-life of the generator's moving average in samples."""


class RowGenerator(nn.Module):
    """Noise to rows."""

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__()
        self.layout = RowLayout(spec)
        self.latent, self.temperature = config.noise, config.temperature
        self.noise = config.noise + self.layout.width
        self.enter = nn.Linear(config.noise, config.width)
        self.first_norm = nn.GroupNorm(config.groups, config.width)
        self.middle = nn.Linear(config.width, config.width)
        self.second_norm = nn.GroupNorm(config.groups, config.width)
        self.leave = nn.Linear(config.width, self.layout.width)
        self.register_buffer("shares", torch.zeros(self.layout.width))
        self.shares: Tensor
        """How often each option is chosen, by the private frequencies."""

    def heads(self, noise: Float[Tensor, "batch noise"], row: Row, known: Bool[Tensor, "batch columns"]) -> Row:
        """Logits of the options, and the numbers; given cells do not change them."""
        x = leaky_relu(self.first_norm(self.enter(noise[:, : self.latent])), 0.2)
        x = leaky_relu(self.second_norm(self.middle(x)), 0.2)
        return self.leave(x).float()

    def forward(self, noise: Float[Tensor, "batch noise"], margins: Margins | None = None) -> Row:
        nothing = noise.new_zeros(noise.shape[0], self.layout.width), noise.new_zeros(noise.shape[0], self.layout.columns) > 0
        heads = self.heads(noise, *nothing)
        numbers = heads[:, self.layout.number]
        if margins is not None:
            heads, numbers = heads + margins.logits, margins.matched(numbers)
        logits = self.layout.logits(heads + gumbel(noise[:, self.latent :]))
        soft = (logits / self.temperature).softmax(-1)
        return self.layout.assemble(chosen(logits) + soft - soft.detach(), numbers)


class RowCritic(nn.Module):
    """A row to a logit, normalised within itself."""

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__()
        self.first = nn.Linear(prod(spec.shape), config.critic_width)
        self.first_norm = nn.GroupNorm(config.groups, config.critic_width)
        self.second = nn.Linear(config.critic_width, config.critic_width)
        self.second_norm = nn.GroupNorm(config.groups, config.critic_width)
        self.leave = nn.Linear(config.critic_width, 1)

    def forward(self, row: Row) -> Float[Tensor, " batch"]:
        x = leaky_relu(self.first_norm(self.first(row)), 0.2)
        x = leaky_relu(self.second_norm(self.second(x)), 0.2)
        return self.leave(x).squeeze(1)


class DPGAN(GAN):
    """The non-saturating game with a critic, and a table of frequencies, that are private."""

    Config = Config
    kinds = ("tables",)
    poisson = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU, epsilon 3", kind="tables", batch=256, minutes=2.5),
    }

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__(config, spec)
        if not 0 <= config.frequencies < 1:
            raise UserError(f"--gan.frequencies is a share from 0 to below 1, but it is {config.frequencies}: give one.")
        self.layout = RowLayout(spec)
        self.generator = Player(
            RowGenerator(config, spec),
            learning_rate=config.learning_rate,
            betas=(0.0, 0.99),
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(RowCritic(config, spec), learning_rate=config.learning_rate, betas=(0.0, 0.99))
        features = self.features(torch.zeros(1, self.layout.width)).shape[1]
        self.register_buffer("counted", torch.zeros(features, features))
        self.register_buffer("fake_frequencies", torch.zeros(features, features))
        self.register_buffer("seen", torch.zeros(()))
        self.register_buffer("spent", torch.zeros(len(ORDERS), dtype=torch.float64))
        self.register_buffer("plan", torch.zeros(2, dtype=torch.float64))
        self._planned: tuple[int, float, Tensor] | None = None
        self._went_back = False
        self.counted: Tensor
        """The noisy sum over all steps of the pairs of features of the rows drawn, in rows."""
        self.fake_frequencies: Tensor
        self.seen: Tensor
        """How many rows all steps were expected to draw."""
        self.spent: Tensor
        """The Renyi divergences of all steps so far, at ORDERS."""
        self.plan: Tensor
        """The noise of a step, and the total of samples for which it was chosen."""

    @property
    def network(self) -> RowGenerator:
        """The network that plays."""
        return cast("RowGenerator", self.generator.network)

    # ---- the game -------------------------------------------------------------------------------------------------------------

    def play(self, draw: Draw) -> Iterator[Move]:
        for _ in range(self.config.critic_moves):
            real = draw()[self.spec.key]
            fake = self.generator(normal_rows(len(real), self.network.noise, device=real.device)).detach()
            noise, weight = self.step(), (1 - self.config.frequencies) ** 0.5
            with torch.autocast(self.device.type, enabled=False):
                total, losses = clipped_sum(self.critic.network, self.told_apart, (real, fake.float()), self.config.clip)
                blurred = {name: self.blurred(each, noise * self.config.clip / weight) for name, each in total.items()}
                self.count(real, noise)
            private = as_term(self.critic.network, blurred, losses.mean())
            yield self.critic.minimizes(private=private, slope=self.slope(self.clock.batch))
        fake = self.generator(normal_rows(self.clock.batch, self.network.noise, device=self.device))
        terms = {"adversarial": softplus(-self.critic(fake)).mean()}
        if self.config.frequencies:
            with torch.autocast(self.device.type, enabled=False):
                terms["frequencies"] = self.config.matching * self.unlike(fake.float())
        yield self.generator.minimizes(**terms)

    def step(self) -> float:
        """The noise of this step, whose cost is noted. It is chosen anew whenever the budget of samples is."""
        clock = self.clock
        rate, total = clock.batch / clock.examples, clock.total or 0
        if self._planned is None or self._planned[0] != total:
            begun = clock.rounds > 0 or self._went_back
            noise = float(self.plan[0]) if begun and float(self.plan[1]) == total else UNPLANNED
            if noise == UNPLANNED and total:
                steps = -(-max(1, total - clock.samples) // clock.batch) + self.config.critic_moves
                spent = self.spent.cpu().numpy() if begun else None
                noise = noise_for(self.config.epsilon, self.config.delta, rate, steps, spent)
            self.plan.copy_(torch.tensor([noise, total], dtype=torch.float64))
            cost = torch.from_numpy(divergences(rate, noise)).to(self.spent.device)
            self._planned = total, noise, cost
        self.spent += self._planned[2]
        return self._planned[1]

    def rolled_back(self, diverged: Mapping[str, Tensor]) -> None:
        """The steps that were discarded have been seen: their cost stays, and the noise of the rest is chosen anew."""
        self.spent.copy_(diverged["spent"])
        self.plan.fill_(-1.0)
        self._planned, self._went_back = None, True

    def blurred(self, total: Tensor, noise: float) -> Tensor:
        """A sum over the rows drawn as a mean, with noise."""
        return (total + noise * torch.randn_like(total)) / self.clock.batch

    @staticmethod
    def told_apart(critic: Callable[[Tensor], Tensor], real: Row, fake: Row) -> Float[Tensor, ""]:
        """The critic's loss on a row and a generated one."""
        return (softplus(-critic(real)) + softplus(critic(fake))).sum()

    def slope(self, n: int) -> Float[Tensor, ""]:
        """The squared slope of the critic at generated rows, which cost no privacy."""
        rows = self.generator(normal_rows(n, self.network.noise, device=self.device)).detach().requires_grad_()
        (slopes,) = torch.autograd.grad(self.critic(rows).sum(), rows, create_graph=True)
        return self.config.penalty / 2 * slopes.square().sum(1).mean()

    # ---- frequencies ----------------------------------------------------------------------------------------------------------

    def features(self, row: Row) -> Float[Tensor, "batch features"]:
        """Options and soft bins of numbers, of which no row has more than its groups."""
        return torch.cat([row[:, self.layout.choice], soft_bins(row, self.layout)[:, self.layout.width :]], 1)

    def count(self, real: Row, noise: float) -> None:
        """Adds the pairs of features of the rows drawn to the noisy sum."""
        features = self.features(real)
        if self.config.frequencies:  # one option of each choice and bins that sum to 1: pairs of length `longest` at most
            longest = self.layout.choices + self.layout.numbers
            strength = noise * longest / self.config.frequencies**0.5
            self.counted += features.T @ features + strength * torch.randn_like(self.counted)
        self.seen += self.clock.batch

    def wanted(self) -> Float[Tensor, "features features"]:
        """The private frequencies of pairs."""
        return (self.counted + self.counted.T) / 2 / self.seen

    def unlike(self, fake: Row) -> Float[Tensor, ""]:
        """A term whose gradient is that of half the squared distance of the pairwise frequencies (see RowGAN)."""
        features = self.features(fake)
        pairs = features.T @ features / len(fake)
        with torch.no_grad():
            self.fake_frequencies.lerp_(pairs, 1 - MEMORY if self.clock.rounds else 1.0)
            wanted = self.wanted()
            share = wanted.diagonal().clamp_min(RAREST)
            slope = (self.fake_frequencies - wanted) / (share[:, None] * share).sqrt()
            chosen_share = torch.zeros_like(self.network.shares).index_copy(
                0, self.layout.choice, wanted.diagonal()[: len(self.layout.choice)].clamp_min(0)
            )
            self.network.shares.copy_(chosen_share)
        return (slope * pairs).sum() / len(share)

    # ---- generating -----------------------------------------------------------------------------------------------------------

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """n rows; see RowGAN for `condition`. The network cannot be told of given cells without asking the data more: rows are chosen that
        agree with them as far as any do."""
        whole = self.whole()
        network = whole.network

        def complete(row: Row, known: Bool[Tensor, "batch columns"]) -> Row:
            row, known = row.to(self.device), known.to(self.device)
            some = bool(known.any())
            noise = truncation * torch.randn(DONORS if some else len(row), network.noise, generator=rng)
            made = whole(noise.to(self.device))
            return donated(row, known, made, self.layout, rng) if some else made

        if "given" in condition:
            return {self.spec.key: complete(condition["given"], condition["known"])}
        if "low" in condition:
            low, high = condition["low"].to(self.device), condition["high"].to(self.device)
            return {self.spec.key: fulfilled(complete, low, high, self.layout, rng)}
        nothing = torch.zeros(n, self.layout.width), torch.zeros(n, self.layout.columns, dtype=torch.bool)
        return {self.spec.key: complete(*nothing)}

    def facts(self) -> dict[str, Any]:
        return {
            "epsilon": round(epsilon_of(self.spent.cpu().numpy(), self.config.delta), 3),
            "delta": self.config.delta,
            "privacy": (
                "differential privacy of the networks, by rows (add or remove one): Renyi accounting of Poisson-sampled noisy sums; "
                "the facts of columns are as private as the table that they were read from"
            ),
        }

    def whole(self) -> Whole:
        """The averaged generator with its corrections, as it is now."""
        network = cast("RowGenerator", self.generator.averaged)
        return Whole(network, Margins.measured(network) if self.config.frequencies else None)

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        whole = self.whole()
        return whole, {"noise": torch.randn(2, whole.network.noise)}


def donated(row: Row, known: Bool[Tensor, "batch columns"], donors: Row, layout: RowLayout, rng: torch.Generator) -> Row:
    """Rows whose other cells come from a donor, the likelier the better it agrees with the known ones."""
    weight = row.new_full((layout.width,), OF_OPTIONS)
    weight[layout.number] = OF_NUMBERS
    of_known = layout.of_columns(known) * weight
    apart = of_known @ donors.square().T - 2 * (of_known * row) @ donors.T  # up to what all donors share
    dice = gumbel(torch.randn(apart.shape, generator=rng)).to(row.device)
    return torch.where(layout.of_columns(known), row, donors[(dice - apart).argmax(1)])


class Whole(nn.Module):
    """The generator with the corrections of single columns, which come from the private frequencies."""

    def __init__(self, network: RowGenerator, margins: Margins | None) -> None:
        super().__init__()
        self.network, self.margins = network, margins

    def forward(self, noise: Float[Tensor, "batch noise"]) -> Row:
        return self.network(noise, self.margins)
