"""RowGAN: rows of tables, whole or completed from any of their cells (ours; the objective of Huang et al. 2024).

The relativistic pairing game with R1 and R2 between residual networks, made for rows of choices and numbers: choices are drawn by
Gumbel noise and seen by the critic as one-hot (straight through), numbers are normal scores of ranks, and the critic also sees
them through hinges. In half of the rows a random part of the cells is given to both players, so that one generator makes rows
from nothing, from any requested values, and completes rows with gaps. A further term brings the pairwise frequencies of generated
batches to those of the data (as the information loss of Park et al. 2018 does for means and deviations).

A last term asks the generator for single cells given the rest of real rows, with scoring rules that only the true distribution
minimises; half of these cells are of the table's target. Generated rows are then drawn again cell by cell, each given all others,
the target last (a sweep of Gibbs sampling that begins at the GAN's rows): which keeps what one cell says of another. Boosted trees, learned
before the first round, say what a cell is given all others, and of the target the network as much as they. After training, the shares of
choices and the ranks of numbers are corrected to those of the data, column by column.

    gansmith train adult.csv --target income

Insurance (856 training rows), one thread, seed 0: after 20 CPU seconds quality 0.957, C2ST 0.51, TSTR R2 0.874 (real rows 0.936, 0.48,
0.892).
Without trees, adult (20,839 training rows, a fifth for testing): after 19 CPU seconds column shapes 0.994, pair trends 0.952, C2ST
0.78, TSTR AUC 0.910 and F1 0.672 (real rows 0.931 and 0.724). With --preset wide: after 42 CPU seconds column shapes 0.993, pair trends
0.962, C2ST 0.72, TSTR AUC 0.912 and F1 0.662 (real rows 0.931 and 0.724); after 145 seconds 0.992, 0.980, 0.62, 0.914 and 0.681.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.data.codec import Batch
from gansmith.data.values import CountOrNone
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Look, Move, Player, Preset
from gansmith.kinds.tables.spec import TableSpec
from gansmith.layers.boosting import Sharp
from gansmith.layers.labels import one_hot
from gansmith.layers.rows import MEASURED, Margins, RowLayout, chosen, fulfilled, gumbel, hinges, soft_bins
from gansmith.layers.sweep import Block, Sweep
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training import distributed
from gansmith.training.ema import Average
from gansmith.training.precision import computes_bfloat16
from gansmith.training.schedules import Cosine, Geometric
from gansmith.training.seeds import normal_rows, uniform_rows

Row = Float[Tensor, "batch width"]
Known = Bool[Tensor, "batch columns"]
MAX_SWEEPS = 1000
MAX_TREES = 1000
FEWEST = 100
"""Rows from which trees are learned at least."""
SHARPENED = 16_384
"""The most rows from which the trees of the target are learned."""
OTHERS, WORK = 8192, 2**21
"""The most rows for any other column, and for so many columns times columns times rows."""
NARROW = 64
"""Columns up to which all have trees; of more, the target alone."""
FARTHEST = 4.5
"""Numbers beyond it, where normal scores do not go, weigh no more than it in the term of frequencies."""
RAREST = 1e-3
"""Pairs of options rarer than this weigh no more than it in the term of frequencies."""
TARGETS = 0.5
"""Share of the hidden cells that are of the table's target (`Spec.target`), which is also drawn last."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of RowGAN."""

    width: int = 128
    """Features between the generator's blocks."""
    critic_width: int = 128
    """Features between the critic's blocks."""
    blocks: int = 2
    """Residual blocks of each player."""
    noise: int = 32
    """Dimensions of the latent noise, besides the noise that decides the choices."""
    knots: int = 8
    """Hinges through which the critic sees each number."""
    temperature: float = 0.5
    """Of the softmax through which gradients reach the choices."""
    completed: float = 0.5
    """Share of the rows in which some cells are given."""
    gamma: float = 0.3
    """Weight of the gradient penalties at the start."""
    gamma_end: float = 0.1
    """Weight of the gradient penalties at the end."""
    penalty_interval: int = 4
    """Rounds from one with penalties to the next; they then weigh as many times more (Karras et al. 2020)."""
    learning_rate: float = 2.2e-3
    """Step size of both players at the start."""
    learning_rate_end: float = 2e-5
    """Step size at the end."""
    clip: float = 5.0
    """The longest gradient of a player; longer ones are shortened, as one leap can end the game."""
    half_life: int = 20_000
    """Half-life of the generator's moving average in samples."""
    frequencies: float = 4.0
    """Weight of the term of pairwise frequencies; 0 leaves it out."""
    memory: float = 0.98
    """Share of the running frequencies that a batch leaves as it was."""
    cell: float = 1.0
    """Weight of the term of single hidden cells; 0 leaves it out."""
    sweeps: CountOrNone = 1
    """How often every cell of a generated row is drawn again, given all others of the row."""
    trees: CountOrNone = 40
    """Up to so many boosted trees of each of three folds tell every column from all others when it is drawn again; 0 leaves them out."""

    def __post_init__(self) -> None:
        if not 0 <= self.trees <= MAX_TREES:
            raise UserError(f"A column has 0 to {MAX_TREES} trees, but it is {self.trees}: change --gan.trees.")
        if not 0 <= self.sweeps <= MAX_SWEEPS:
            raise UserError(f"Cells are drawn again 0 to {MAX_SWEEPS} times, but it is {self.sweeps}: change --gan.sweeps.")


class RowGenerator(nn.Module):
    """Noise and the known cells of rows to whole rows."""

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__()
        self.layout = RowLayout(spec)
        self.temperature, self.latent = config.temperature, config.noise
        self.noise = config.noise + self.layout.width
        self.enter = nn.Linear(config.noise + self.layout.width + self.layout.columns, config.width)
        self.blocks = nn.Sequential(*[Block(config.width) for _ in range(config.blocks)])
        self.leave = nn.Linear(config.width, self.layout.width)
        self.register_buffer("shares", torch.zeros(self.layout.width))
        columns = range(len(spec.columns)) if len(spec.columns) <= NARROW else [spec.target % len(spec.columns)]
        suited = [column for column in columns if config.trees and len(spec.columns) > 1 and Sharp.suits(spec.columns[column])]
        self.sharp = nn.ModuleDict({str(column): Sharp(spec.columns, column, config.trees) for column in suited})
        self.shares: Tensor
        """How often each option is chosen in the data, as far as was seen."""

    def heads(self, noise: Float[Tensor, "batch noise"], row: Row, known: Known) -> Row:
        """Logits of the options, and the numbers."""
        given = self.layout.of_columns(known)
        x = self.enter(torch.cat([noise[:, : self.latent], row * given, known.to(row.dtype)], 1))
        return self.leave(leaky_relu(self.blocks(x), 0.2)).float()

    def forward(self, noise: Float[Tensor, "batch noise"], row: Row, known: Known, margins: Margins | None = None) -> Row:
        heads = self.heads(noise, row, known)
        numbers = heads[:, self.layout.number]
        if margins is not None:
            heads, numbers = heads + margins.logits, margins.matched(numbers)
        logits = self.layout.logits(heads + gumbel(noise[:, self.latent :]))
        soft = (logits / self.temperature).softmax(-1)
        made = self.layout.assemble(chosen(logits) + soft - soft.detach(), numbers)
        return torch.where(self.layout.of_columns(known), row, made)

    @property
    def residual(self) -> list[Block]:
        """The blocks in their order."""
        return [cast("Block", block) for block in self.blocks]


class RowCritic(nn.Module):
    """A row, of which some cells were given, to a logit."""

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__()
        self.layout, self.knots = RowLayout(spec), config.knots
        seen = self.layout.width + self.layout.numbers * config.knots + self.layout.columns
        self.enter = nn.Linear(seen, config.critic_width)
        self.blocks = nn.Sequential(*[Block(config.critic_width) for _ in range(config.blocks)])
        self.leave = nn.Linear(config.critic_width, 1)

    def forward(self, row: Row, known: Known) -> Float[Tensor, " batch"]:
        bent = hinges(row[:, self.layout.number], self.knots)
        x = leaky_relu(self.enter(torch.cat([row, bent, known.to(row.dtype)], 1)), 0.2)
        return self.leave(leaky_relu(self.blocks(x), 0.2)).squeeze(1)


class RowGAN(GAN):
    """The relativistic pairing game over rows of which some cells are given."""

    Config = Config
    spec: TableSpec
    kinds = ("tables",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="tables", batch=256, minutes=2.5),
        "wide": Preset(
            about="hours: twice the features, a block more",
            kind="tables",
            batch=256,
            minutes=60.0,
            config={"width": 256, "critic_width": 256, "blocks": 3},
        ),
    }

    def __init__(self, config: Config, spec: TableSpec) -> None:
        super().__init__(config, spec)
        self.target = spec.target % len(spec.columns)
        learning_rate = Cosine(config.learning_rate, config.learning_rate_end)
        self.generator = Player(
            RowGenerator(config, spec),
            learning_rate=learning_rate,
            betas=(0.0, 0.99),
            max_gradient_norm=config.clip,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(
            RowCritic(config, spec), learning_rate=learning_rate, betas=(0.0, 0.99), max_gradient_norm=config.clip
        )
        self.gamma = Geometric(config.gamma, config.gamma_end)
        self.layout = RowLayout(spec)
        features = soft_bins(torch.zeros(1, self.layout.width), self.layout).shape[1]
        for name in ("real_frequencies", "fake_frequencies"):
            self.register_buffer(name, torch.zeros(features, features))
        self.register_buffer("seen", torch.zeros(()))
        self.real_frequencies: Tensor
        self.fake_frequencies: Tensor
        self.seen: Tensor
        self._margins: tuple[int, Margins, Margins | None] | None = None
        self._whole: tuple[tuple[int, bool, torch.device], Sweep] | None = None

    @property
    def network(self) -> RowGenerator:
        """The network that plays."""
        return cast("RowGenerator", self.generator.network)

    @property
    def averaged(self) -> RowGenerator:
        """The network that generates."""
        return cast("RowGenerator", self.generator.averaged)

    # ---- the game -------------------------------------------------------------------------------------------------------------

    def play(self, draw: Draw) -> Iterator[tuple[Move, ...]]:
        real = draw()[self.spec.key]
        known = self.part(len(real))
        noise = normal_rows(len(real), self.network.noise, device=real.device)
        fake = self.generator(noise, real, known)

        both, twice = torch.cat([real, fake]), known.repeat(2, 1)
        if self.clock.every(self.config.penalty_interval):
            logits, squared_norms = with_gradient_norm(lambda row: self.critic(row, twice), both)
            gamma = self.gamma(self.clock) * self.config.penalty_interval
            r1, r2 = (gamma * zero_centred(norms) for norms in squared_norms.chunk(2))
            penalties = {"r1": r1, "r2": r2}
        else:
            logits, penalties = self.critic(both, twice), {}
        real_logits, fake_logits = logits.chunk(2)
        critic_move = self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits), **penalties)
        terms = {"relativistic": relativistic_generator(real_logits, fake_logits)}
        if self.config.frequencies:
            terms["frequencies"] = self.config.frequencies * self.frequencies(real, fake)
        if self.config.cell:
            terms["cell"] = self.config.cell * self.cell(real)
        yield critic_move, self.generator.minimizes(**terms)

    def prepare(self, look: Look) -> None:
        """Learns the trees."""
        rows = look(SHARPENED)[self.spec.key]
        if len(rows) < FEWEST:
            return
        others = look(min(OTHERS, max(FEWEST, WORK // self.layout.columns**2)))[self.spec.key]
        rounds = (self.clock.total or 1 << 31) // max(1, self.clock.batch)
        for place, sharp in self.network.sharp.items():  # a trial of few rounds needs no more trees than rounds
            cast("Sharp", sharp).learn(rows if int(place) == self.target else others, int(place), min(self.config.trees, rounds))
        self.averaged.sharp.load_state_dict(self.network.sharp.state_dict())

    def part(self, n: int) -> Known:
        """Which cells are given: none in some rows, a random share in the others."""
        dice = uniform_rows(n, 1 + self.layout.columns, device=self.device)
        amount = dice[:, :1] / max(self.config.completed, 1e-9)
        return (dice[:, 1:] < amount) & (amount < 1)

    def frequencies(self, real: Row, fake: Row) -> Float[Tensor, ""]:
        """A term whose gradient is that of half the squared distance of the pairwise frequencies of options and bins of numbers.

        Each pair is measured by the root of its expected frequency. The distance is that of running means, as one batch is too few.
        """
        with torch.autocast(real.device.type, enabled=False):
            of_real, of_fake = (soft_bins(row.float().clamp(-FARTHEST, FARTHEST), self.layout) for row in (real, fake))
            pairs = of_fake.T @ of_fake / len(fake)
            with torch.no_grad():
                new = 1 - self.config.memory
                self.seen.lerp_(torch.ones_like(self.seen), new)
                self.real_frequencies.lerp_(distributed.average(of_real.T @ of_real / len(real)), new)
                self.fake_frequencies.lerp_(distributed.average(pairs), new)
                share = (self.real_frequencies.diagonal() / self.seen).clamp_min(RAREST)
                self.network.shares.copy_(self.real_frequencies.diagonal()[: self.layout.width] / self.seen)
                slope = (self.fake_frequencies - self.real_frequencies) / self.seen / (share[:, None] * share).sqrt()
            return (slope * pairs).sum() / len(share)

    def cell(self, real: Row) -> Float[Tensor, ""]:
        """How badly a hidden cell of every second row is told by the others: the cross-entropy of an option, the continuous ranked
        probability score of a number, of two draws (Gneiting & Raftery 2007). Both are least for the true distribution."""
        layout = self.layout
        noise = normal_rows(len(real), 2, self.network.noise, device=real.device)[::2]
        dice, real = uniform_rows(len(real), 2, device=real.device)[::2], real[::2]
        column = torch.where(dice[:, 1] < TARGETS, self.target, (dice[:, 0] * layout.columns).long())
        hidden = one_hot(column, layout.columns).bool()
        sought = layout.of_columns(hidden)
        heads = self.network.heads(noise.transpose(0, 1).flatten(0, 1), real.repeat(2, 1), ~hidden.repeat(2, 1))
        of_option = layout.logits(heads).log_softmax(-1) * layout.logits(real * sought).clamp_min(0).repeat(2, 1, 1)
        number = real[:, layout.number]
        first, second = heads[:, layout.number].chunk(2)
        score = ((first - number).abs() + (second - number).abs() - (first - second).abs()) / 2
        there = torch.cat([real, torch.ones_like(real[:, :1])], 1)[:, layout.gate] * sought[:, layout.number]
        return (score * there).sum(1).mean() - of_option.sum((1, 2)).mean()

    # ---- generating -----------------------------------------------------------------------------------------------------------

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """n rows; `condition` may hold cells to complete ("given", "known") or bounds to keep ("low", "high")."""
        whole = self.whole(self.is_fast)

        def complete(row: Row, known: Known) -> Row:
            noise = (truncation * torch.randn(len(row), whole.noise, generator=rng)).to(self.device)
            return whole(noise, row.to(self.device), known.to(self.device)) if known.any() else whole(noise)

        def draw(row: Row, known: Known) -> Row:
            noise = truncation * torch.randn(len(row), self.averaged.noise, generator=rng)
            return self.averaged(noise.to(self.device), row, known, whole.margins)

        nothing = torch.zeros(n, self.layout.width), torch.zeros(n, self.layout.columns, dtype=torch.bool)
        if "given" in condition:
            return {self.spec.key: complete(condition["given"], condition["known"])}
        if "low" in condition:
            low, high = condition["low"].to(self.device), condition["high"].to(self.device)
            return {self.spec.key: fulfilled(complete, low, high, self.layout, rng, draw)}
        return {self.spec.key: complete(*nothing)}

    def order(self) -> list[int]:
        """The columns in the order in which they are drawn again; none where there are no others to be given."""
        others = [column for column in range(self.layout.columns) if column != self.target]
        return [*others, self.target] * self.config.sweeps if others else []

    def margins(self) -> tuple[Margins, Margins | None]:
        """The corrections of single columns, of whole rows and of cells drawn again, measured on the averaged generator as it is now."""
        if self._margins is None or self._margins[0] != self.clock.samples:
            of_rows = Margins.measured(self.averaged)
            playing = 0 < self.clock.samples < (self.clock.total or 0)  # previews do without
            self._margins = self.clock.samples, of_rows, None if playing else self.margins_of_cells(of_rows)
        return self._margins[1:]

    @torch.no_grad()
    def margins_of_cells(self, of_rows: Margins) -> Margins:
        """The corrections of cells that are drawn again: found for one column after the other, on rows in which those before are."""
        layout = self.layout
        rng, count = torch.Generator().manual_seed(1), max(256, MEASURED // max(2, layout.columns // 16))

        def noise() -> Tensor:
            return torch.randn(count, self.averaged.noise, generator=rng).to(self.device)

        found = Margins(torch.zeros_like(of_rows.logits), torch.zeros_like(of_rows.ranks))
        sweep = Sweep(self.averaged, self.spec.columns, of_rows, found, self.order(), self.is_fast, self.sharp, self.target)
        cells = sweep.made(noise())
        entered = sweep.entered(torch.cat(cells, 1))
        for column in sweep.order:
            own, fresh = sweep.owns[column], noise()
            sweep.change(entered, leave=[(column, cells[column])])
            heads = sweep.told(column, fresh[:, : sweep.latent], entered, cells)
            dice = fresh[:, sweep.latent :][:, own]
            alone = Margins.of_heads(self.alone(column), heads, dice, self.averaged.shares[own])
            found.logits[own] = alone.logits
            found.ranks[layout.numbers_of(column)] = alone.ranks
            cells[column] = sweep.drawn(column, heads, gumbel(dice), found)
            sweep.change(entered, come=[(column, cells[column])])
        return found

    @property
    def sharp(self) -> dict[int, Sharp]:
        """The trees of columns that have learned some."""
        sharps = ((int(place), cast("Sharp", sharp)) for place, sharp in self.averaged.sharp.items())
        return {place: sharp.resting() for place, sharp in sharps if sharp.known}

    def alone(self, column: int) -> RowLayout:
        """The layout of one column by itself."""
        return RowLayout(replace(self.spec, columns=(self.spec.columns[column],))).to(self.device)

    @property
    def is_fast(self) -> bool:
        """Whether cells are drawn again in bfloat16: where the hardware computes in it."""
        return computes_bfloat16(str(self.device))

    def whole(self, fast: bool = False) -> Sweep:
        """What makes and completes rows, prepared once for the averaged generator as it is now."""
        margins = self.margins()
        if self._whole is None or self._whole[0] != (self.clock.samples, fast, self.device):
            sweep = Sweep(self.averaged, self.spec.columns, *margins, self.order(), fast, self.sharp, self.target)
            self._whole = (self.clock.samples, fast, self.device), sweep
        return self._whole[1]

    def scores(self, batch: Batch) -> Tensor:
        row = batch[self.spec.key]
        return self.critic(row, torch.zeros(len(row), self.layout.columns, dtype=torch.bool, device=row.device))

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        whole = self.whole()
        return whole, {"noise": torch.randn(2, whole.noise)}
