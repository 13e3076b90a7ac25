"""RelGAN: a relational memory that writes, judged in many representations (Nie et al. 2019, "RelGAN: relational generative adversarial
networks for text generation").

The generator keeps a memory of a few slots, which attend to each other and to the token that was read (Santoro et al. 2018). After a stage
by likelihood its tokens are drawn by the Gumbel-softmax, whose inverse temperature grows from 1 to 100 over the game. The critic embeds a
text in many small representations, each read by the same convolutions; the loss is the relativistic one. The paper's widths are larger
(two heads of 256, 64 representations, 300 filters of each size).

    gansmith train captions.txt --gan relgan
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu, scaled_dot_product_attention
from torch.special import ndtr

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.data.codec import Batch
from gansmith.data.tokens import TokenSpec
from gansmith.data.values import Moves
from gansmith.errors import UserError
from gansmith.game import Draw, Move, Player, Preset
from gansmith.gans._written import Written
from gansmith.layers.labels import Label, label_embedding, one_hot
from gansmith.layers.sequence import Tokens, drawn, frequent
from gansmith.training.clock import Clock
from gansmith.training.ema import Average
from gansmith.training.seeds import uniform_rows

SIZES = (2, 3, 4, 5)
"""Tokens under the critic's filters; those longer than a sequence are left out."""
Memory = Float[Tensor, "batch slots width"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of RelGAN."""

    slots: int = 1
    """Rows of the memory."""
    heads: int = 2
    """Heads of its attention."""
    head_width: int = 96
    """Numbers of each head (the paper: 256)."""
    embedding: int = 64
    """Numbers that stand for a token the generator reads (the paper: 32)."""
    representations: int = 16
    """Small embeddings of each token in the critic (the paper: 64)."""
    representation: int = 2
    """Numbers of each of them (the paper: 1)."""
    filters: int = 64
    """Filters of the critic of each size (the paper: 300)."""
    likelihood_share: float = 0.8
    """Share of the budget in which the generator learns by likelihood."""
    critic_moves: Moves = 2
    """Moves of the critic for each of the generator (the paper: 5)."""
    inverse_temperature: float = 100.0
    """Of the Gumbel-softmax at the end: greater leaves less of the diversity, and more of the gradients' noise."""
    learning_rate: float = 3e-3
    """Adam's step size by likelihood (the paper: 0.01)."""
    game_learning_rate: float = 1e-4
    """Adam's step size of both in the game."""
    half_life: int = 2_000
    """Half-life of the generator's moving average in samples."""


@dataclass(frozen=True)
class _Rate:
    config: Config

    def __call__(self, clock: Clock) -> float:
        by_likelihood = clock.progress() + 1e-9 < self.config.likelihood_share
        return self.config.learning_rate if by_likelihood else self.config.game_learning_rate


class RelationalMemory(nn.Module):
    """Slots that attend to each other and to what is read, behind an input and a forget gate (Santoro et al. 2018, section 3)."""

    def __init__(self, slots: int, heads: int, head_width: int, embedding: int) -> None:
        super().__init__()
        self.slots, self.heads, self.width = slots, heads, heads * head_width
        self.enter = nn.Linear(embedding, self.width)
        self.ask, self.answer = nn.Linear(self.width, self.width), nn.Linear(self.width, 2 * self.width)
        self.attended, self.settled = nn.LayerNorm(self.width), nn.LayerNorm(self.width)
        self.think = nn.Sequential(nn.Linear(self.width, self.width), nn.ReLU(), nn.Linear(self.width, self.width))
        self.read_gates, self.memory_gates = nn.Linear(self.width, 2 * self.width), nn.Linear(self.width, 2 * self.width)

    def begin(self, n: int, like: Tensor) -> Memory:
        """An empty memory, whose slots are told apart by unit vectors."""
        return torch.eye(self.slots, self.width, device=like.device, dtype=like.dtype).expand(n, -1, -1)

    def forward(self, x: Float[Tensor, "batch embedding"], memory: Memory) -> Memory:
        read = self.enter(x)[:, None]
        known = torch.cat([memory, read], 1)
        query = self.ask(memory).unflatten(2, (self.heads, -1)).transpose(1, 2)
        key, value = self.answer(known).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        found = scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        new = self.attended(memory + found)
        new = self.settled(new + self.think(new))
        take, keep = (self.read_gates(read) + self.memory_gates(memory.tanh())).chunk(2, 2)
        return take.sigmoid() * new.tanh() + (keep + 1).sigmoid() * memory


class MemoryWriter(nn.Module):
    """Writes one token after the other; the token "end" stands before the first one, the label at every position."""

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__()
        self.length, self.vocabulary, self.pad, self.end = spec.shape[0], spec.vocabulary, spec.pad, spec.end
        self.embedding = nn.Embedding(spec.vocabulary, config.embedding)
        self.labels = label_embedding(spec, config.embedding)
        self.memory = RelationalMemory(config.slots, config.heads, config.head_width, config.embedding)
        self.out = nn.Linear(config.slots * self.memory.width, spec.vocabulary)
        bias, barred = frequent(spec)
        self.out.bias.data.copy_(bias)
        self.register_buffer("barred", barred, persistent=False)
        self.barred: Tensor

    def forward(self, noise: Float[Tensor, "batch length"], label: Label | None = None, temperature: float = 1.0) -> Tokens:
        """A text for each row of normal noise; a temperature below 1 draws likelier tokens, 0 the likeliest."""
        dice, state, read = ndtr(noise.float()), *self._begin(noise.shape[0], noise)
        ended = torch.zeros(noise.shape[0], dtype=torch.bool, device=noise.device)
        written = []
        for position in range(self.length):
            logits, state = self._next(read, label, state)
            token = drawn(logits, dice[:, position], temperature)
            written.append(torch.where(ended, self.pad, token))
            ended = ended | (token == self.end)
            read = self.embedding(token)
        return torch.stack(written, 1)

    def soft(
        self, dice: Float[Tensor, "batch length vocabulary"], label: Label | None, inverse_temperature: float
    ) -> Float[Tensor, "batch length vocabulary"]:
        """Texts as soft tokens (equation 5); `dice` are uniform in [0, 1). The likeliest of each is read next; behind the end, padding."""
        gumbel = -(-dice.clamp_min(1e-9).log()).log()
        state, read = self._begin(len(dice), dice)
        alive = torch.ones(len(dice), 1, device=dice.device)
        nothing = one_hot(torch.full((len(dice),), self.pad, device=dice.device), self.vocabulary)
        written = []
        for position in range(self.length):
            logits, state = self._next(read, label, state)
            soft = (inverse_temperature * (logits + gumbel[:, position])).softmax(1)
            token = soft.argmax(1)
            written.append(alive * soft + (1 - alive) * nothing)
            alive = alive * (token != self.end).float()[:, None]
            read = self.embedding(token)
        return torch.stack(written, 1)

    def surprise(self, tokens: Tokens, label: Label | None) -> Float[Tensor, ""]:
        """The mean negative logarithm of the probability of each token, given those before it, up to the end."""
        state, read = self._begin(len(tokens), self.barred)
        found = []
        for position in range(self.length):
            logits, state = self._next(read, label, state)
            found.append(logits)
            read = self.embedding(tokens[:, position])
        return cross_entropy(torch.stack(found, 1).flatten(0, 1), tokens.flatten(), ignore_index=self.pad)

    def _begin(self, n: int, like: Tensor) -> tuple[Memory, Tensor]:
        return self.memory.begin(n, like), self.embedding.weight[self.end].expand(n, -1)

    def _next(self, read: Tensor, label: Label | None, state: Memory) -> tuple[Float[Tensor, "batch vocabulary"], Memory]:
        state = self.memory(read if self.labels is None else read + self.labels(label), state)
        return self.out(state.flatten(1)).float() + self.barred, state


class ManyReader(nn.Module):
    """One-hot or soft tokens to a logit for each representation [batch, representations] (section 2.3)."""

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__()
        self.count = config.representations
        self.embedding = nn.Linear(spec.vocabulary, config.representations * config.representation, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.5)
        sizes = [size for size in SIZES if size <= spec.shape[0]]
        self.filters = nn.ModuleList(nn.Conv1d(config.representation, config.filters, size) for size in sizes)
        width = config.filters * len(sizes)
        self.gate, self.change, self.hidden = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, 100)
        self.out, self.labels = nn.Linear(100, 1), label_embedding(spec, 100)

    def forward(
        self, text: Float[Tensor, "batch length vocabulary"], label: Label | None = None
    ) -> Float[Tensor, "batch representations"]:
        embedded = self.embedding(text).unflatten(2, (self.count, -1)).permute(0, 2, 3, 1).flatten(0, 1)
        x = torch.cat([relu(convolution(embedded)).amax(2) for convolution in self.filters], 1)
        gate = self.gate(x).sigmoid()
        x = self.hidden(gate * relu(self.change(x)) + (1 - gate) * x)
        score = self.out(x)
        if self.labels is not None and label is not None:
            score = score + (x * self.labels(label).repeat_interleave(self.count, 0)).sum(1, keepdim=True)
        return score.view(-1, self.count)


class RelGAN(Written):
    """Likelihood, then the relativistic game on soft tokens."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="text", batch=64, minutes=5.0),
    }

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__(config, spec)
        if not 0 <= config.likelihood_share <= 1:
            raise UserError(f"--gan.likelihood-share must lie between 0 and 1, but it is {config.likelihood_share}.")
        if config.inverse_temperature < 1:
            raise UserError(f"--gan.inverse-temperature must be at least 1, but it is {config.inverse_temperature}.")
        self.generator = Player(
            MemoryWriter(config, spec),
            learning_rate=_Rate(config),
            betas=(0.9, 0.999),
            max_gradient_norm=5.0,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(ManyReader(config, spec), learning_rate=config.game_learning_rate, max_gradient_norm=5.0)

    @property
    def sharpness(self) -> float:
        """The inverse temperature: from 1 at the beginning of the game to the greatest at the end (section 2.2)."""
        share = self.config.likelihood_share
        done = max(0.0, self.clock.progress() - share) / max(1e-9, 1 - share)
        return self.config.inverse_temperature ** min(1.0, done)

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        writer = self.generator.network
        assert isinstance(writer, MemoryWriter)
        if self.clock.progress() + 1e-9 < self.config.likelihood_share:
            batch = draw()
            yield self.generator.minimizes(likelihood=writer.surprise(batch[self.spec.key], batch.get("label")))
            return
        for move in range(self.config.critic_moves + 1):
            batch = draw()
            label, real = batch.get("label"), one_hot(batch[self.spec.key], self.spec.vocabulary)
            for_writer = move == self.config.critic_moves
            with torch.set_grad_enabled(for_writer):
                fake = writer.soft(uniform_rows(*real.shape, device=real.device), label, self.sharpness)
            labels = None if label is None else torch.cat([label, label])
            real_logits, fake_logits = self.critic(torch.cat([real, fake]), labels).flatten(1).chunk(2)
            if for_writer:
                yield self.generator.minimizes(relativistic=relativistic_generator(real_logits, fake_logits))
            else:
                yield self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits))

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(one_hot(batch[self.spec.key], self.spec.vocabulary), batch.get("label")).mean(1)
