"""MolGAN: graphs of atoms and bonds made at once (De Cao & Kipf 2018, "MolGAN: an implicit generative model for small molecular graphs").

The generator is a plain network from noise to the logits of every atom and every bond; the critic is a relational graph convolution, which
does not depend on the order of the atoms. The paper's WGAN-GP is replaced by the relativistic game with R1 and R2 (Huang et al. 2024),
against which the paper's collapse (10% unique) is rarer, and its softmax by straight-through choices.

    gansmith train qm9.csv --language graph --gan molgan
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.data.codec import Batch
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.kinds.molecules.spec import BONDS, MoleculeSpec
from gansmith.layers.labels import Label, label_embedding, one_hot, with_label
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine
from gansmith.training.seeds import normal_rows

Graphs = Int[Tensor, "batch atoms atoms"]
Flat = Float[Tensor, "batch numbers"]
"""One-hot atoms [atoms, types] and one-hot bonds [atoms, atoms, BONDS] of each graph, flattened side by side."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of MolGAN."""

    noise: int = 32
    """Dimensions of the noise."""
    widths: tuple[int, ...] = (128, 256, 512)
    """Hidden units of the generator's layers."""
    critic_widths: tuple[int, ...] = (128, 64)
    """Channels of the critic's graph convolutions."""
    pooled: int = 128
    """Channels in which the critic sums up a graph."""
    gamma: float = 1.0
    """Weight of the critic's gradient penalties."""
    learning_rate: float = 5e-4
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
        self.spec, self.temperature = spec, config.temperature
        self.atoms, self.types = spec.shape[0], spec.vocabulary
        layers, before = [], config.noise + spec.conditions
        for width in config.widths:
            layers += [nn.Linear(before, width), nn.LeakyReLU(0.2)]
            before = width
        self.layers = nn.Sequential(*layers)
        self.to_atoms = nn.Linear(before, self.atoms * self.types)
        self.to_bonds = nn.Linear(before, self.atoms * self.atoms * BONDS)

    def forward(self, noise: Float[Tensor, "batch noise"], label: Label | None = None) -> Graphs:
        """The likeliest atoms and bonds."""
        atoms, bonds = self.logits(noise, label)
        atoms, bonds = atoms.argmax(2), bonds.argmax(3)
        there = atoms > 0
        others = 1 - torch.eye(self.atoms, dtype=torch.long, device=noise.device)
        return torch.diag_embed(atoms) + bonds * there[:, :, None] * there[:, None] * others

    def soft(self, noise: Float[Tensor, "batch noise"], label: Label | None) -> Flat:
        """The same one-hot, with the gradients of the softmax."""
        atoms, bonds = (self._straight(logits) for logits in self.logits(noise, label))
        there = 1 - atoms[..., :1]
        both = (there[:, :, None] * there[:, None]) * (1 - torch.eye(self.atoms, device=noise.device))[:, :, None]
        none = one_hot(torch.zeros((), dtype=torch.long, device=noise.device), BONDS)
        bonds = both * bonds + (1 - both) * none
        return torch.cat([atoms.flatten(1), bonds.flatten(1)], 1)

    def logits(self, noise: Tensor, label: Label | None) -> tuple[Tensor, Tensor]:
        """[batch, atoms, types] and, symmetric, [batch, atoms, atoms, BONDS]."""
        x = self.layers(with_label(noise, label, self.spec))
        bonds = self.to_bonds(x).unflatten(1, (self.atoms, self.atoms, BONDS)).float()
        return self.to_atoms(x).unflatten(1, (self.atoms, self.types)).float(), (bonds + bonds.transpose(1, 2)) / 2

    def _straight(self, logits: Tensor) -> Tensor:
        soft = (logits / self.temperature).softmax(-1)
        return one_hot(logits.argmax(-1), logits.shape[-1]) + soft - soft.detach()


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
        before, layers = self.types, []
        for width in config.critic_widths:
            layers.append(RelationalConvolution(before, width))
            before = width + self.types
        self.layers = nn.ModuleList(layers)
        self.gate, self.value = nn.Linear(before, config.pooled), nn.Linear(before, config.pooled)
        self.hidden = nn.Linear(config.pooled, config.pooled)
        self.out = nn.Linear(config.pooled, config.pooled if spec.conditions else 1)
        self.labels = label_embedding(spec, config.pooled)

    def forward(self, graph: Flat, label: Label | None = None) -> Float[Tensor, " batch"]:
        split = self.atoms * self.types
        atoms = graph[:, :split].unflatten(1, (self.atoms, self.types))
        bonds = graph[:, split:].unflatten(1, (self.atoms, self.atoms, BONDS))[..., 1:]
        x = atoms
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

    def flat(self, graphs: Graphs) -> Flat:
        """Graphs of the data as the critic sees them."""
        atoms = one_hot(graphs.diagonal(dim1=1, dim2=2), self.spec.vocabulary)
        others = 1 - torch.eye(graphs.shape[1], dtype=torch.long, device=graphs.device)
        return torch.cat([atoms.flatten(1), one_hot(graphs * others, BONDS).flatten(1)], 1)

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        batch = draw()
        label, real = batch.get("label"), self.flat(batch[self.spec.key])
        painter = self.generator.network
        assert isinstance(painter, Painter)
        fake = painter.soft(normal_rows(len(real), self.config.noise, device=real.device), label)
        labels = None if label is None else torch.cat([label, label])
        logits, norms = with_gradient_norm(lambda graph: self.critic(graph, labels), torch.cat([real, fake]))
        real_logits, fake_logits = logits.chunk(2)
        r1, r2 = (self.config.gamma * zero_centred(part) for part in norms.chunk(2))
        yield (
            self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits), r1=r1, r2=r2),
            self.generator.minimizes(relativistic=relativistic_generator(real_logits, fake_logits)),
        )

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(self.flat(batch[self.spec.key]), batch.get("label"))
