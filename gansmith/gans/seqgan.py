"""SeqGAN: sequences as actions, a critic's verdict as reward (Yu et al. 2017, "SeqGAN: sequence generative adversarial nets with policy
gradient").

Algorithm 1: likelihood first, then the critic against its samples, then by turns. What a token is worth is the mean verdict on sequences
that go on from it by Monte Carlo roll-outs. The roll-out policy is the model's moving average, the recurrent layer a GRU (the paper: a
delayed copy, an LSTM), and fewer roll-outs and moves of the critic are the default, as a CPU wants (the paper: 16, and 15 epochs).

    gansmith train captions.txt --gan seqgan
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, leaky_relu

from gansmith.data.codec import Batch
from gansmith.data.tokens import TokenSpec
from gansmith.data.values import Moves
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.labels import Label, label_embedding
from gansmith.layers.sequence import SequenceModel, Tokens, example_inputs, refused, there_of
from gansmith.training.clock import Clock
from gansmith.training.ema import Average
from gansmith.training.seeds import uniform_rows

SIZES = (1, 2, 3, 4, 5, 8, 10, 15, 20)
"""Tokens under the critic's filters; those longer than a sequence are left out."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of SeqGAN."""

    width: int = 128
    """Hidden units of the model (the paper: 32)."""
    embedding: int = 64
    """Numbers that stand for a token (the paper: 32)."""
    filters: int = 64
    """Filters of the critic of each size."""
    rollouts: int = 4
    """Sequences by which each token is judged."""
    critic_moves: Moves = 3
    """Moves of the critic for each of the model in the game."""
    likelihood_share: float = 0.6
    """Share of the budget in which the model learns by likelihood."""
    critic_share: float = 0.1
    """Share of the budget after that in which the critic learns against the model as it is."""
    learning_rate: float = 5e-3
    """Adam's step size for the model by likelihood."""
    policy_learning_rate: float = 5e-4
    """Adam's step size for the model by rewards."""
    critic_learning_rate: float = 1e-4
    """Adam's step size for the critic."""
    dropout: float = 0.25
    """Share of the critic's features that is left out while it learns."""
    half_life: int = 2_000
    """Half-life of the model's moving average in samples."""


@dataclass(frozen=True)
class _Rate:
    config: Config

    def __call__(self, clock: Clock) -> float:
        by_likelihood = clock.progress() < self.config.likelihood_share
        return self.config.learning_rate if by_likelihood else self.config.policy_learning_rate


class ConvolutionalCritic(nn.Module):
    """Filters of several sizes, the greatest value of each over the sequence, a highway layer (Kim 2014; Srivastava et al. 2015)."""

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__()
        self.pad = spec.pad
        self.embedding = nn.Embedding(spec.vocabulary, config.embedding)
        sizes = [size for size in SIZES if size <= spec.shape[0]]
        self.filters = nn.ModuleList(nn.Conv1d(config.embedding, config.filters, size) for size in sizes)
        width = config.filters * len(sizes)
        self.gate, self.change = nn.Linear(width, width), nn.Linear(width, width)
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(width, 1)
        self.labels = label_embedding(spec, width)

    def forward(self, tokens: Tokens, label: Label | None = None) -> Float[Tensor, " batch"]:
        embedded = (self.embedding(tokens) * there_of(tokens, self.pad)[..., None]).transpose(1, 2)
        x = torch.cat([leaky_relu(convolution(embedded), 0.2).amax(2) for convolution in self.filters], 1)
        gate = self.gate(x).sigmoid()
        x = self.dropout(gate * leaky_relu(self.change(x), 0.2) + (1 - gate) * x)
        score = self.out(x).squeeze(1)
        return score if self.labels is None or label is None else score + (x * self.labels(label)).sum(1)


class SeqGAN(GAN):
    """Likelihood, then policy gradients with Monte Carlo roll-outs."""

    Config = Config
    spec: TokenSpec
    kinds = ("text",)
    axes = (("token",),)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="text", batch=64, minutes=5.0),
    }

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__(config, spec)
        if not (0 <= config.likelihood_share <= 1 and 0 <= config.critic_share <= 1 - config.likelihood_share):
            raise UserError(
                "--gan.likelihood-share and --gan.critic-share are shares of the budget that add up to 1 at most, but they are "
                f"{config.likelihood_share} and {config.critic_share}."
            )
        self.generator = Player(
            SequenceModel(spec, width=config.width, embedding=config.embedding),
            learning_rate=_Rate(config),
            max_gradient_norm=5.0,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(ConvolutionalCritic(config, spec), learning_rate=config.critic_learning_rate)

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        done, model = self.clock.progress() + 1e-9, self.generator.network
        assert isinstance(model, SequenceModel)
        if done < self.config.likelihood_share:
            batch = draw()
            yield self.generator.minimizes(likelihood=model.surprise(batch[self.spec.key], batch.get("label")))
            return
        in_game = done >= self.config.likelihood_share + self.config.critic_share
        for _ in range(self.config.critic_moves if in_game else 1):
            batch = draw()
            tokens, label = batch[self.spec.key], batch.get("label")
            fake = self._samples(model, tokens, label)
            logits = self.critic(torch.cat([tokens, fake]), None if label is None else torch.cat([label, label]))
            truth = torch.cat([torch.ones_like(logits[: len(tokens)]), torch.zeros_like(logits[len(tokens) :])])
            yield self.critic.minimizes(minimax=binary_cross_entropy_with_logits(logits, truth))
        if in_game:
            fake = self._samples(model, tokens, label)
            there = there_of(fake, self.spec.pad)
            worth = self._worth(fake, label) * there
            gained = (worth * model.log_probabilities(fake, label)).sum() / there.sum()
            yield self.generator.minimizes(rewards=-gained)

    @torch.no_grad()
    def _samples(self, model: SequenceModel, like: Tensor, label: Label | None) -> Tensor:
        return model.sampled(uniform_rows(*like.shape, device=like.device), label)

    @torch.no_grad()
    def _worth(self, fake: Tensor, label: Label | None) -> Tensor:
        """The action value of each token [batch, length] (equation 4): the mean verdict on sequences that go on from there."""
        n, length = fake.shape
        policy = self.generator.averaged
        assert isinstance(policy, SequenceModel)
        labels = None if label is None else label.repeat_interleave(length, 0)
        total = torch.zeros(n * length, device=fake.device)
        was = self.critic.training
        self.critic.eval()
        for _ in range(self.config.rollouts):
            finished = policy.rolled_out(
                fake, uniform_rows(n * length, length, device=fake.device).unflatten(0, (n, length)), label
            )
            total += self._verdict(finished.flatten(0, 1), labels)
        self.critic.train(was)
        return (total / self.config.rollouts).unflatten(0, (n, length))

    def _verdict(self, finished: Tensor, labels: Label | None) -> Tensor:
        """What finished sequences [batch, length] are worth, from 0 to 1; those of one sequence's places stand in a row."""
        return self.critic(finished, labels).float().sigmoid()

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """n sequences; the truncation is the temperature. A "prefix" [n, length], -1 where nothing is given, is kept."""
        refused(self.name, condition, ("suffix",))
        model, length = self.generator.averaged, self.spec.shape[0]
        assert isinstance(model, SequenceModel)
        noise = torch.randn(n, length, generator=rng).to(self.device)
        label = condition["label"].to(self.device) if "label" in condition else None
        prefix = condition["prefix"].to(self.device) if "prefix" in condition else None
        made = model.sampled(torch.special.ndtr(noise), label, temperature=truncation, prefix=prefix, may_stop=True)
        return {self.spec.key: made, **{key: value for key, value in condition.items() if key != "prefix"}}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        return self.generator.averaged, example_inputs(self.spec)
