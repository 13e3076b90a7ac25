"""MolGAN: graphs of atoms and bonds made at once (De Cao & Kipf 2018, "MolGAN: an implicit generative model for small molecular graphs").

The generator is a plain network from noise to the logits of every atom and every bond; the critic is a relational graph convolution, which
does not depend on the order of the atoms. The paper's WGAN-GP is replaced by the relativistic game with R1 and R2 (Huang et al. 2024),
against which the paper's collapse (10% unique) is rarer, and its softmax by straight-through choices with chance in them. Before atoms and
bonds are chosen they see each other in two rounds; no atom has more bonds than it can, and the largest part that hangs together is the
graph, so that nearly all are molecules from the beginning (Zang & Wang 2020, MoFlow, corrects graphs so) and the critic has more to say
about which. If too few of them are different, the game goes back.

    gansmith train qm9.csv --language graph --gan molgan
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import leaky_relu
from torch.special import ndtr

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.data.codec import Batch
from gansmith.data.values import CountOrNone
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.kinds.molecules.spec import BONDS, MoleculeSpec
from gansmith.layers.labels import Label, label_embedding, one_hot, with_label
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training import distributed
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine
from gansmith.training.seeds import normal_rows

WATCHED, INTERVAL = 512, 200
"""How many graphs are looked at, and every how many rounds, for whether they are different."""
Graphs = Int[Tensor, "batch atoms atoms"]
Flat = Float[Tensor, "batch numbers"]
"""One-hot atoms [atoms, types] and one-hot bonds [atoms, atoms, BONDS] of each graph, flattened side by side."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of MolGAN."""

    noise: int = 32
    """Dimensions of the noise from which a graph is made."""
    chance: float = 1.0
    """How much chance there is in every choice of an atom or bond besides (Gumbel noise on its logits); the paper has none."""
    widths: tuple[int, ...] = (128, 256, 512)
    """Hidden units of the generator's layers."""
    settling: CountOrNone = 2
    """Rounds in which atoms and bonds learn of each other before they are chosen; the paper has none."""
    settling_width: int = 48
    """Channels of each atom and each bond in these rounds."""
    critic_widths: tuple[int, ...] = (128, 64)
    """Channels of the critic's graph convolutions."""
    pooled: int = 128
    """Channels in which the critic sums up a graph."""
    gamma: float = 1.0
    """Weight of the critic's gradient penalties."""
    penalty_interval: int = 4
    """Rounds from one with penalties to the next; they then weigh as many times more."""
    unique: float = 0.6
    """Share of different graphs among those that are made, below which the game goes back to the weights that had more; 0 never."""
    learning_rate: float = 1e-3
    """Adam's step size for both players at the start."""
    learning_rate_end: float = 1e-4
    """Adam's step size for both players at the end."""
    temperature: float = 1.0
    """Of the softmax through which gradients reach the logits."""
    half_life: int = 5_000
    """Half-life of the generator's moving average in samples."""


class Painter(nn.Module):
    """Noise (and properties) to the logits of atoms and bonds."""

    def __init__(self, config: Config, spec: MoleculeSpec) -> None:
        super().__init__()
        self.spec, self.temperature, self.chance = spec, config.temperature, config.chance
        self.atoms, self.types, self.common = spec.shape[0], spec.vocabulary, config.noise
        layers, before = [], config.noise + spec.label_width
        for width in config.widths:
            layers += [nn.Linear(before, width), nn.LeakyReLU(0.2)]
            before = width
        self.layers = nn.Sequential(*layers)
        self.to_atoms = nn.Linear(before, self.atoms * self.types)
        self.to_bonds = nn.Linear(before, self.atoms * self.atoms * BONDS)
        self.register_buffer("valences", torch.tensor([0, *spec.valences()]), persistent=False)
        self.valences: Tensor
        self.settling = nn.ModuleList(Settling(self.types, config.settling_width, before) for _ in range(config.settling))

    @property
    def noise(self) -> int:
        """Numbers that decide a graph: those from which it is made, and one for each choice."""
        return self.common + self.atoms * self.types + self.atoms * self.atoms * BONDS

    def forward(self, noise: Float[Tensor, "batch noise"], label: Label | None = None) -> Graphs:
        """Atoms and bonds."""
        atoms, bonds = self.chosen(*self.logits(noise, label))
        return torch.diag_embed(atoms) + bonds

    def soft(self, noise: Float[Tensor, "batch noise"], label: Label | None) -> Flat:
        """The same one-hot, with the gradients of the softmax."""
        logits = self.logits(noise, label)
        parts = [self._straight(each, chosen) for each, chosen in zip(logits, self.chosen(*logits), strict=True)]
        return torch.cat([part.flatten(1) for part in parts], 1)

    @torch.no_grad()
    def chosen(self, atoms: Tensor, bonds: Tensor) -> tuple[Int[Tensor, "batch atoms"], Graphs]:
        """Atoms and bonds of the largest part that hangs together."""
        types = atoms.argmax(2)
        orders = self.bonded(types, bonds)
        near = (orders > 0).float() + torch.diag_embed((types > 0).float())
        for _ in range((self.atoms - 1).bit_length()):  # twice as far each time
            near = ((near @ near) > 0).float()
        place = torch.arange(self.atoms, device=near.device)
        largest = (near.sum(2) * self.atoms - place).argmax(1)  # the first of equal ones
        kept = near[torch.arange(len(near), device=near.device), largest].long()
        return types * kept, orders * kept[:, :, None] * kept[:, None]

    @torch.no_grad()
    def bonded(self, atoms: Int[Tensor, "batch atoms"], logits: Float[Tensor, "batch atoms atoms orders"]) -> Graphs:
        """The likeliest bonds of which no atom has more than it can: pairs that lie near each other choose first (as the corrections of
        Zang & Wang 2020, MoFlow, section 4.3)."""
        free, zero = list(self.valences[atoms].unbind(1)), torch.zeros_like(atoms[:, 0])
        found = [[zero] * self.atoms for _ in range(self.atoms)]
        orders = torch.arange(BONDS, device=atoms.device)
        for apart in range(1, self.atoms):
            for first in range(self.atoms - apart):
                second = first + apart
                most = torch.minimum(free[first], free[second])[:, None]
                chosen = torch.where(orders <= most, logits[:, first, second], -torch.inf).argmax(1)
                free[first], free[second] = free[first] - chosen, free[second] - chosen
                found[first][second] = found[second][first] = chosen
        return torch.stack([torch.stack(row, 1) for row in found], 1)

    def logits(self, noise: Tensor, label: Label | None) -> tuple[Tensor, Tensor]:
        """[batch, atoms, types] and, symmetric, [batch, atoms, atoms, BONDS]."""
        common, by_atom, by_bond = noise.split([self.common, self.atoms * self.types, self.atoms**2 * BONDS], 1)
        x = self.layers(with_label(common, label, self.spec))
        bonds = self.to_bonds(x).unflatten(1, (self.atoms, self.atoms, BONDS)).float()
        atoms, bonds = self.to_atoms(x).unflatten(1, (self.atoms, self.types)).float(), (bonds + bonds.transpose(1, 2)) / 2
        for settle in self.settling:
            atoms, bonds = settle(atoms, bonds, x)
        chances = by_bond.unflatten(1, (self.atoms, self.atoms, BONDS))
        chances = (chances + chances.transpose(1, 2)) / 2**0.5  # of deviation 1 beside the diagonal
        return atoms + self._chance(by_atom.unflatten(1, (self.atoms, self.types))), bonds + self._chance(chances)

    def _chance(self, normal: Tensor) -> Tensor:
        """Gumbel noise."""
        return -self.chance * (-ndtr(normal.float()).clamp(1e-7, 1 - 1e-7).log()).log()

    def _straight(self, logits: Tensor, chosen: Tensor) -> Tensor:
        soft = (logits / self.temperature).softmax(-1)
        return one_hot(chosen, logits.shape[-1]) + soft - soft.detach()


class Settling(nn.Module):
    """Changes the logits of atoms and bonds by what the neighbours of each are and how many bonds it has."""

    def __init__(self, types: int, width: int, noise: int) -> None:
        super().__init__()
        self.common = nn.Linear(noise, width)
        self.enter = nn.Linear(2 * types + BONDS + (BONDS - 1) * types, width)
        self.hidden = nn.Linear(width, width)
        self.to_atoms = nn.Linear(width, types)
        self.ends, self.between = nn.Linear(width, width), nn.Linear(2 * BONDS, width)
        self.to_bonds = nn.Linear(width, BONDS)
        for last in (self.to_atoms, self.to_bonds):
            nn.init.zeros_(last.weight)

    def forward(self, atoms: Tensor, bonds: Tensor, x: Float[Tensor, "batch noise"]) -> tuple[Tensor, Tensor]:
        """The same shapes: [batch, atoms, types], [batch, atoms, atoms, BONDS]."""
        kinds, orders = atoms.softmax(2), bonds.softmax(3)
        others = 1 - torch.eye(atoms.shape[1], device=atoms.device)
        there = (1 - kinds[..., 0])[:, None, :, None] * others[:, :, None] * orders
        valences = there.sum(2)
        neighbours = torch.einsum("bijo,bjt->biot", there[..., 1:], kinds).flatten(2)
        h = self.enter(torch.cat([atoms, kinds, valences, neighbours], 2)) + self.common(x)[:, None]
        h = leaky_relu(self.hidden(leaky_relu(h, 0.2)), 0.2)
        ends = self.ends(h)
        both = ends[:, :, None] + ends[:, None] + self.between(torch.cat([bonds, orders], 3))
        return atoms + self.to_atoms(h), bonds + self.to_bonds(leaky_relu(both, 0.2))


class RelationalConvolution(nn.Module):
    """Each atom's own features, and those of its neighbours by the kind of bond (Schlichtkrull et al. 2018)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.own, self.neighbours = nn.Linear(before, after), nn.Linear(before, after * (BONDS - 1), bias=False)

    def forward(
        self, x: Float[Tensor, "batch atoms before"], bonds: Float[Tensor, "batch atoms atoms orders"]
    ) -> Float[Tensor, "batch atoms after"]:
        messages = self.neighbours(x).unflatten(2, (BONDS - 1, -1))
        return leaky_relu(self.own(x) + torch.einsum("bijo,bjoc->bic", bonds, messages), 0.2)


class Judge(nn.Module):
    """A graph to a logit: graph convolutions, a gated sum over atoms (Li et al. 2016), two linear layers."""

    def __init__(self, config: Config, spec: MoleculeSpec) -> None:
        super().__init__()
        self.atoms, self.types = spec.shape[0], spec.vocabulary
        own = self.types + BONDS - 1
        before, layers = own, []
        for width in config.critic_widths:
            layers.append(RelationalConvolution(before, width))
            before = width + own
        self.layers = nn.ModuleList(layers)
        self.gate, self.value = nn.Linear(before, config.pooled), nn.Linear(before, config.pooled)
        self.hidden = nn.Linear(config.pooled, config.pooled)
        self.out = nn.Linear(config.pooled, config.pooled if spec.conditions else 1)
        self.labels = label_embedding(spec, config.pooled)

    def forward(self, graph: Flat, label: Label | None = None) -> Float[Tensor, " batch"]:
        split = self.atoms * self.types
        atoms = graph[:, :split].unflatten(1, (self.atoms, self.types))
        bonds = graph[:, split:].unflatten(1, (self.atoms, self.atoms, BONDS))[..., 1:]
        atoms = x = torch.cat([atoms, bonds.sum(2)], 2)  # an atom, and how many bonds of each kind it has
        for layer in self.layers:
            x = torch.cat([layer(x, bonds), atoms], 2)
        pooled = (self.gate(x).sigmoid() * leaky_relu(self.value(x), 0.2)).sum(1) / self.atoms**0.5
        score = self.out(leaky_relu(self.hidden(pooled), 0.2))
        return (score * self.labels(label)).sum(1) if self.labels is not None else score.squeeze(1)


class MolGAN(GAN):
    """The relativistic game with R1 and R2 on one-hot graphs, both players moving at once."""

    Config = Config
    spec: MoleculeSpec
    kinds = ()
    axes = (("atom", "atom"),)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="molecules", batch=128, minutes=5.0),
    }

    def __init__(self, config: Config, spec: MoleculeSpec) -> None:
        super().__init__(config, spec)
        if config.temperature <= 0:
            raise UserError(f"--gan.temperature must be greater than 0, but it is {config.temperature}.")
        self.generator = Player(
            Painter(config, spec),
            learning_rate=Cosine(config.learning_rate, config.learning_rate_end),
            betas=(0.0, 0.99),
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(
            Judge(config, spec), learning_rate=Cosine(config.learning_rate, config.learning_rate_end), betas=(0.0, 0.99)
        )

        players = {name: deepcopy(player.network) for name, player in self.players.items()}
        self.before = nn.ModuleDict(players).requires_grad_(False)
        """Both networks when graphs were last different enough."""
        self.register_buffer("seen", torch.ones(()))
        self.seen: Tensor
        """The share of different graphs when it was looked at last."""

    @torch.no_grad()
    def _watch(self, label: Label | None) -> None:
        """Keeps the weights, or goes back to those of before, by how many different graphs are made (for the paper 10%)."""
        painter = self.generator.averaged
        assert isinstance(painter, Painter)
        device = painter.to_atoms.weight.device
        if label is not None:
            label = torch.cat([label] * (1 + WATCHED // len(label)))[:WATCHED]
        graphs = painter(normal_rows(WATCHED, painter.noise, device=device), label)
        self.seen.fill_(len(signatures(graphs).unique()) / WATCHED)
        enough = float(distributed.average(self.seen)) >= self.config.unique
        for name, kept in self.before.items():
            now = self.players[name].network
            (kept if enough else now).load_state_dict((now if enough else kept).state_dict())

    def gauges(self) -> Mapping[str, float]:
        """The share of different graphs."""
        return {"unique": float(self.seen)}

    def flat(self, graphs: Graphs) -> Flat:
        """Graphs of the data as the critic sees them."""
        atoms = one_hot(graphs.diagonal(dim1=1, dim2=2), self.spec.vocabulary)
        others = 1 - torch.eye(graphs.shape[1], dtype=torch.long, device=graphs.device)
        return torch.cat([atoms.flatten(1), one_hot(graphs * others, BONDS).flatten(1)], 1)

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        batch = draw()
        label, real = batch.get("label"), self.flat(batch[self.spec.key])
        if self.config.unique and self.clock.rounds % INTERVAL == INTERVAL - 1:
            self._watch(label)
        fake = self.painter.soft(normal_rows(len(real), self.painter.noise, device=real.device), label)
        labels = None if label is None else torch.cat([label, label])
        both = torch.cat([real, fake])
        if self.clock.every(self.config.penalty_interval):
            logits, norms = with_gradient_norm(lambda graph: self.critic(graph, labels), both)
            gamma = self.config.gamma * self.config.penalty_interval
            penalties = {name: gamma * zero_centred(part) for name, part in zip(("r1", "r2"), norms.chunk(2), strict=True)}
        else:
            logits, penalties = self.critic(both, labels), {}
        real_logits, fake_logits = logits.chunk(2)
        yield (
            self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits), **penalties),
            self.generator.minimizes(relativistic=relativistic_generator(real_logits, fake_logits)),
        )

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        return self.generated(torch.randn(n, self.painter.noise, generator=rng), condition, truncation)

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        network, inputs = super().exportable()
        return network, {**inputs, "noise": torch.randn(2, self.painter.noise)}

    @property
    def painter(self) -> Painter:
        """The network that plays."""
        assert isinstance(self.generator.network, Painter)
        return self.generator.network

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(self.flat(batch[self.spec.key]), batch.get("label"))


def signatures(graphs: Graphs) -> Int[Tensor, " batch"]:
    """A number for each graph that does not depend on the order of its atoms (Weisfeiler & Leman 1968, four rounds)."""
    types = graphs.diagonal(dim1=1, dim2=2)
    there = types > 0
    orders = graphs - torch.diag_embed(types)
    found = _mixed(types + 1)
    for _ in range(4):
        near = (_mixed(found[:, None] * 8 + orders) * (orders > 0)).sum(2)
        found = _mixed(found + 3 * near)
    return (found * there).sum(1)


def _mixed(numbers: Tensor) -> Tensor:
    """Numbers that look random (the last steps of MurmurHash3), the same for the same."""
    for multiplier in (-49_064_778_989_728_563, -4_265_267_296_055_464_877):
        numbers = (numbers ^ (numbers >> 33)) * multiplier
    return numbers ^ (numbers >> 33)
