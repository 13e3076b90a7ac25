"""GumbelGAN: tokens drawn so that gradients reach the writer (Kusner & Hernandez-Lobato 2016, "GANs for sequences of discrete elements").

A recurrent network writes. Its tokens are drawn by the Gumbel-softmax, one-hot going forward and soft going back (straight-through;
Jang et al. 2017), and a convolutional critic reads whole texts. Between the moves of the game the writer learns by likelihood, without
which such games do not begin (Guo et al. 2018, LeakGAN, section "interleaved training").

    gansmith train captions.txt --kind text --gan gumbelgan

The built-in sentences in words, 35 CPU seconds (40,000 samples), one thread of an AMD EPYC, seeds 0 to 2: 92%, 93%, 91% are grammatical
(an n-gram model 42%). Captions of images: see docs/text.md; what the game adds to the likelihood lies within the noise there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, leaky_relu
from torch.special import ndtr

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.data.codec import Batch
from gansmith.data.tokens import TokenSpec
from gansmith.data.values import CountOrNone
from gansmith.game import Draw, Move, Player, Preset
from gansmith.gans._written import Written
from gansmith.layers.labels import Label, label_embedding, one_hot
from gansmith.layers.sequence import frequent
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine, Geometric
from gansmith.training.seeds import uniform_rows

Tokens = Int[Tensor, "batch length"]
Soft = Float[Tensor, "batch length vocabulary"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of GumbelGAN."""

    width: int = 256
    """Hidden units of the writer."""
    embedding: int = 128
    """Numbers that stand for a token, in the writer's inputs and outputs alike."""
    critic_width: int = 128
    """Channels of the critic."""
    critic_blocks: int = 3
    """Residual blocks of the critic; each sees twice as far as the one before."""
    likelihood_moves: CountOrNone = 8
    """Moves of the writer by likelihood in each round, before the move of the game; 0 plays the paper's game."""
    game: float = 0.3
    """Weight of the game in the writer's move."""
    temperature: float = 1.0
    """Of the Gumbel-softmax where the game begins."""
    temperature_end: float = 0.5
    """Of the Gumbel-softmax at the end: nearer to one-hot, with less even gradients."""
    gamma: float = 0.1
    """Weight of the critic's gradient penalties."""
    penalty_interval: int = 4
    """Rounds from one with penalties to the next; they then weigh as many times more."""
    learning_rate: float = 5e-3
    """Adam's step size for the writer at the start."""
    learning_rate_end: float = 2e-4
    """Adam's step size for the writer at the end."""
    critic_learning_rate: float = 5e-4
    """Adam's step size for the critic."""
    dropout: float = 0.1
    """Share of the writer's inputs and outputs that is left out while it learns by likelihood."""
    half_life: int = 5_000
    """Half-life of the writer's moving average in samples."""


class Writer(nn.Module):
    """A recurrent network (GRU) that writes one token after the other; the token "end" stands before the first one."""

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__()
        self.length, self.vocabulary = spec.shape[0], spec.vocabulary
        self.pad, self.end = spec.pad, spec.end
        self.embedding = nn.Parameter(torch.randn(spec.vocabulary, config.embedding) / config.embedding**0.5)
        self.labels = label_embedding(spec, config.embedding)
        self.recurrent = nn.GRU(config.embedding, config.width, batch_first=True)
        self.out = nn.Linear(config.width, config.embedding)
        bias, barred = frequent(spec)
        self.bias = nn.Parameter(bias)
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("barred", barred, persistent=False)
        self.barred: Tensor

    def forward(self, noise: Float[Tensor, "batch length"], label: Label | None = None, temperature: float = 1.0) -> Tokens:
        """A text for each row of normal noise, one number for each token; a temperature below 1 draws likelier tokens."""
        dice = ndtr(noise.float())
        prompt, state = self._begin(noise.shape[0], label)  # not its len, which an export would hold fixed
        ended = torch.zeros(noise.shape[0], dtype=torch.bool, device=noise.device)
        written = []
        for position in range(self.length):
            logits, state = self._next(prompt, state)
            if temperature == 0:
                token = logits.argmax(1)
            else:
                reached = (logits / temperature).softmax(1).cumsum(1)
                token = (reached < dice[:, position, None] * reached[:, -1:]).sum(1)
            written.append(torch.where(ended, self.pad, token))
            ended = ended | (token == self.end)
            prompt = self._read(self.embedding[token], label)
        return torch.stack(written, 1)

    def soft(self, dice: Soft, label: Label | None, temperature: float) -> Soft:
        """Texts as one-hot tokens whose gradients are those of the Gumbel-softmax; `dice` are uniform in [0, 1)."""
        gumbel = -(-dice.clamp_min(1e-9).log()).log()
        prompt, state = self._begin(len(dice), label)
        alive = torch.ones(len(dice), 1, device=dice.device)
        behind = one_hot(torch.full((len(dice),), self.pad, device=dice.device), self.vocabulary)
        written = []
        for position in range(self.length):
            logits, state = self._next(prompt, state)
            drawn = ((logits + gumbel[:, position]) / temperature).softmax(1)
            hard = one_hot(drawn.argmax(1), self.vocabulary)
            token = hard + drawn - drawn.detach()
            written.append(alive * token + (1 - alive) * behind)
            alive = alive * (1 - hard[:, self.end, None])
            prompt = self._read(token @ self.embedding, label)
        return torch.stack(written, 1)

    def surprise(self, text: Tokens, label: Label | None) -> Float[Tensor, ""]:
        """The mean negative logarithm of the probability of each token, given those before it, up to the end."""
        before = torch.cat([torch.full_like(text[:, :1], self.end), text[:, :-1]], 1)
        states, _ = self.recurrent(self.dropout(self._read(self.embedding[before], label)))
        logits = self._logits(self.dropout(states))
        return cross_entropy(logits.flatten(0, 1), text.flatten(), ignore_index=self.pad)

    def _begin(self, n: int, label: Label | None) -> tuple[Tensor, Tensor]:
        """What stands before the first token, and the first state."""
        first = self.embedding[self.end].expand(n, -1)
        return self._read(first, label), first.new_zeros(1, n, self.recurrent.hidden_size)

    def _read(self, embedded: Float[Tensor, "batch *positions embedding"], label: Label | None) -> Tensor:
        """Embedded tokens, with that of the label at every position."""
        if self.labels is None:
            return embedded
        own = self.labels(label)
        return embedded + (own if embedded.dim() == 2 else own[:, None])

    def _next(self, prompt: Tensor, state: Tensor) -> tuple[Float[Tensor, "batch vocabulary"], Tensor]:
        out, state = self.recurrent(prompt[:, None], state)
        return self._logits(out[:, 0]), state

    def _logits(self, states: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch vocabulary"]:
        return (self.out(states) @ self.embedding.T + self.bias).float() + self.barred


class Block(nn.Module):
    """Two convolutions over three tokens that lie `apart`, beside an identity."""

    def __init__(self, width: int, apart: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(width, width, 3, padding=apart, dilation=apart)
        self.second = nn.Conv1d(width, width, 3, padding=apart, dilation=apart)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Float[Tensor, "batch width length"]) -> Float[Tensor, "batch width length"]:
        return x + self.second(leaky_relu(self.first(leaky_relu(x, 0.2)), 0.2))


class Reader(nn.Module):
    """One-hot or soft tokens (and label) to a logit: convolutions, then the mean and the greatest over positions; labels enter by
    projection (Miyato & Koyama 2018)."""

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__()
        width = config.critic_width
        self.embedding = nn.Linear(spec.vocabulary, width, bias=False)
        nn.init.normal_(self.embedding.weight)
        self.enter = nn.Conv1d(width, width, 3, padding=1)
        self.blocks = nn.Sequential(*[Block(width, 2**number) for number in range(config.critic_blocks)])
        self.judge = nn.Linear(2 * width, width if spec.conditions else 1)
        self.labels = label_embedding(spec, width)

    def forward(self, text: Soft, label: Label | None = None) -> Float[Tensor, " batch"]:
        x = leaky_relu(self.blocks(self.enter(self.embedding(text).transpose(1, 2))), 0.2)
        score = self.judge(torch.cat([x.mean(2), x.amax(2)], 1))
        return (score * self.labels(label)).sum(1) if self.labels is not None else score.squeeze(1)


class GumbelGAN(Written):
    """The relativistic game with R1 and R2, both players moving at once, after moves of the writer by likelihood."""

    Config = Config
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="text", batch=64, minutes=4.0),
    }

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__(config, spec)
        self.temperature = Geometric(config.temperature, config.temperature_end)
        self.generator = Player(
            Writer(config, spec),
            learning_rate=Cosine(config.learning_rate, config.learning_rate_end),
            betas=(0.9, 0.99),
            max_gradient_norm=1.0,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(Reader(config, spec), learning_rate=config.critic_learning_rate, betas=(0.5, 0.99))

    @property
    def writer(self) -> Writer:
        """The network that plays."""
        network = self.generator.network
        assert isinstance(network, Writer)
        return network

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        for _ in range(self.config.likelihood_moves):
            batch = draw()
            yield self.generator.minimizes(likelihood=self.writer.surprise(batch[self.spec.key], batch.get("label")))
        batch = draw()
        label, (n, length) = batch.get("label"), batch[self.spec.key].shape
        real = one_hot(batch[self.spec.key], self.spec.vocabulary)
        dice = uniform_rows(n, length, self.spec.vocabulary, device=real.device)
        fake = self.writer.soft(dice, label, self.temperature(self.clock))
        labels = None if label is None else torch.cat([label, label])
        both = torch.cat([real, fake])
        if self.clock.every(self.config.penalty_interval):
            logits, squared_norms = with_gradient_norm(lambda text: self.critic(text, labels), both)
            gamma = self.config.gamma * self.config.penalty_interval
            r1, r2 = (gamma * zero_centred(norms) for norms in squared_norms.chunk(2))
            penalties = {"r1": r1, "r2": r2}
        else:
            logits, penalties = self.critic(both, labels), {}
        real_logits, fake_logits = logits.chunk(2)
        yield (
            self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits), **penalties),
            self.generator.minimizes(relativistic=self.config.game * relativistic_generator(real_logits, fake_logits)),
        )

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(one_hot(batch[self.spec.key], self.spec.vocabulary), batch.get("label"))
