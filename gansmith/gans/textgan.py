"""TextGAN: sentences whose features match (Zhang et al. 2017, "Adversarial feature matching for text generation").

A recurrent network writes a sentence from noise, taking the likeliest token each time; gradients pass through the softmax (soft-argmax). A
convolutional critic tells sentences apart, says which noise they came from, and gives features; the writer minimises the maximum mean
discrepancy between the features of real and written sentences (equation 5), the critic maximises it, too (equation 7). Before that both
learn as an autoencoder (section 3.2), whose codes are normalised here so that noise resembles them.

    gansmith train captions.txt --gan textgan
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, leaky_relu, softplus

from gansmith.data.codec import Batch
from gansmith.data.tokens import TokenSpec
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.labels import Label, label_embedding, one_hot
from gansmith.layers.sequence import NEVER, Tokens, refused
from gansmith.training.clock import Clock
from gansmith.training.ema import Average
from gansmith.training.schedules import Geometric
from gansmith.training.seeds import normal_rows

BANDWIDTHS = (0.25, 1.0, 4.0, 16.0)
"""Of the Gaussian kernels whose sum compares features, in units of the mean squared distance."""
SIZES = (2, 3, 4, 5)
"""Tokens under the critic's filters."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of TextGAN."""

    noise: int = 64
    """Dimensions of the noise."""
    width: int = 256
    """Hidden units of the writer."""
    embedding: int = 128
    """Numbers that stand for a token."""
    filters: int = 96
    """Filters of the critic of each size."""
    autoencoder_share: float = 0.5
    """Share of the budget in which both learn as an autoencoder."""
    blur: float = 0.3
    """Deviation of the noise on the autoencoder's codes."""
    code: float = 1.0
    """Weight of telling the noise from the sentence, in the critic's move."""
    matching: float = 1.0
    """Weight of the discrepancy of features, in the critic's move."""
    temperature: float = 1.0
    """Of the softmax where the game begins."""
    temperature_end: float = 0.3
    """Of the softmax at the end: nearer to the likeliest token."""
    learning_rate: float = 2e-3
    """Adam's step size for both in the autoencoder."""
    game_learning_rate: float = 1e-4
    """Adam's step size for both in the game."""
    half_life: int = 3_000
    """Half-life of the writer's moving average in samples."""


@dataclass(frozen=True)
class _Rate:
    config: Config

    def __call__(self, clock: Clock) -> float:
        done = clock.progress() >= self.config.autoencoder_share
        return self.config.game_learning_rate if done else self.config.learning_rate


class NoiseWriter(nn.Module):
    """Noise (and label) to tokens: it enters the first state and every step."""

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__()
        self.length, self.pad, self.end = spec.shape[0], spec.pad, spec.end
        self.embedding = nn.Embedding(spec.vocabulary, config.embedding)
        self.first, self.every = nn.Linear(config.noise, config.width), nn.Linear(config.noise, config.embedding)
        self.labels = label_embedding(spec, config.embedding)
        self.recurrent = nn.GRU(config.embedding, config.width, batch_first=True)
        self.out = nn.Linear(config.width, spec.vocabulary)
        self.register_buffer("barred", torch.where(torch.tensor(spec.frequencies) > 0, 0.0, NEVER), persistent=False)
        self.barred: Tensor

    def forward(self, noise: Float[Tensor, "batch noise"], label: Label | None = None) -> Tokens:
        """The likeliest token each time."""
        state, every = self._begin(noise, label)
        token = torch.full((noise.shape[0],), self.end, device=noise.device)
        ended, written = torch.zeros(noise.shape[0], dtype=torch.bool, device=noise.device), []
        for _ in range(self.length):
            hidden, state = self.recurrent((self.embedding(token) + every)[:, None], state)
            token = self._logits(hidden[:, 0]).argmax(1)
            written.append(torch.where(ended, self.pad, token))
            ended = ended | (token == self.end)
        return torch.stack(written, 1)

    def soft(
        self, noise: Float[Tensor, "batch noise"], label: Label | None, temperature: float
    ) -> Float[Tensor, "batch length vocabulary"]:
        """One-hot tokens with the gradients of the softmax; behind the end, padding."""
        state, every = self._begin(noise, label)
        embedded = self.embedding.weight[self.end].expand(noise.shape[0], -1)
        count = self.out.out_features
        alive = torch.ones(noise.shape[0], 1, device=noise.device)
        nothing = one_hot(torch.full((noise.shape[0],), self.pad, device=noise.device), count)
        written = []
        for _ in range(self.length):
            hidden, state = self.recurrent((embedded + every)[:, None], state)
            logits = self._logits(hidden[:, 0])
            soft, hard = (logits / temperature).softmax(1), one_hot(logits.argmax(1), count)
            token = hard + soft - soft.detach()
            written.append(alive * token + (1 - alive) * nothing)
            alive = alive * (1 - hard[:, self.end, None])
            embedded = token @ self.embedding.weight
        return torch.stack(written, 1)

    def surprise(self, tokens: Tokens, noise: Float[Tensor, "batch noise"], label: Label | None) -> Float[Tensor, ""]:
        """The mean negative logarithm of the probability of each token, given those before it and the noise."""
        state, every = self._begin(noise, label)
        before = torch.cat([torch.full_like(tokens[:, :1], self.end), tokens[:, :-1]], 1)
        states, _ = self.recurrent(self.embedding(before) + every[:, None], state)
        return cross_entropy(self._logits(states).flatten(0, 1), tokens.flatten(), ignore_index=self.pad)

    def _begin(self, noise: Tensor, label: Label | None) -> tuple[Tensor, Tensor]:
        every = self.every(noise)
        return self.first(noise).tanh()[None].contiguous(), every if self.labels is None else every + self.labels(label)

    def _logits(self, states: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch vocabulary"]:
        return self.out(states).float() + self.barred


class FeatureCritic(nn.Module):
    """One-hot tokens to features, and these to a logit and a code: the noise that the sentence came from."""

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__()
        self.embedding = nn.Linear(spec.vocabulary, config.embedding, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.5)
        sizes = [size for size in SIZES if size <= spec.shape[0]]
        self.filters = nn.ModuleList(nn.Conv1d(config.embedding, config.filters, size) for size in sizes)
        width = config.filters * len(sizes)
        self.hidden, self.whole = nn.Linear(width, width), nn.Linear(width, 1)
        self.code = nn.Sequential(nn.Linear(width, config.noise), nn.LayerNorm(config.noise, elementwise_affine=False))
        self.labels = label_embedding(spec, width)

    def forward(self, sentence: Tensor, label: Label | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """(features [batch, F], logits [batch], codes [batch, noise]) of [batch, length, vocabulary]."""
        embedded = self.embedding(sentence).transpose(1, 2)
        features = torch.cat([leaky_relu(convolution(embedded), 0.2).amax(2) for convolution in self.filters], 1)
        hidden = leaky_relu(self.hidden(features), 0.2)
        logits = self.whole(hidden).squeeze(1)
        if self.labels is not None and label is not None:
            logits = logits + (hidden * self.labels(label)).sum(1)
        return features, logits, self.code(features)


def discrepancy(real: Float[Tensor, "n features"], fake: Float[Tensor, "m features"]) -> Float[Tensor, ""]:
    """The squared maximum mean discrepancy under a sum of Gaussian kernels (Gretton et al. 2012, equation 5, biased)."""
    both = torch.cat([real, fake]).float()
    squares = both.square().sum(1)
    distances = (squares[:, None] + squares - 2 * both @ both.T).clamp_min(0)
    unit = distances.detach().mean().clamp_min(1e-6)
    kernel = sum((-distances / (width * unit)).exp() for width in BANDWIDTHS)
    n = len(real)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()  # pyright: ignore[reportIndexIssue]


class TextGAN(GAN):
    """An autoencoder first, then matched features."""

    Config = Config
    spec: TokenSpec
    kinds = ("text",)
    axes = (("token",),)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="text", batch=128, minutes=5.0),
    }

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__(config, spec)
        self.temperature = Geometric(config.temperature, config.temperature_end)
        self.generator = Player(
            NoiseWriter(config, spec),
            learning_rate=_Rate(config),
            betas=(0.5, 0.99),
            max_gradient_norm=5.0,
            average=partial(Average, half_life=config.half_life),
        )
        self.critic = Player(FeatureCritic(config, spec), learning_rate=_Rate(config), betas=(0.5, 0.99), max_gradient_norm=5.0)

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        batch, writer = draw(), self.generator.network
        assert isinstance(writer, NoiseWriter)
        tokens, label = batch[self.spec.key], batch.get("label")
        real = one_hot(tokens, self.spec.vocabulary)
        noise = normal_rows(len(tokens), self.config.noise, device=tokens.device)
        if self.clock.progress() < self.config.autoencoder_share:
            code = self.critic(real, label)[2] + self.config.blur * noise
            surprise = writer.surprise(tokens, code, label)
            yield self.generator.minimizes(reconstruction=surprise), self.critic.minimizes(reconstruction=surprise)
            return
        fake = writer.soft(noise, label, self.temperature(self.clock))
        features, real_logits, _ = self.critic(real, label)
        fake_features, fake_logits, code = self.critic(fake.detach(), label)
        yield self.critic.minimizes(
            minimax=softplus(-real_logits).mean() + softplus(fake_logits).mean(),
            code=self.config.code * (code - noise).square().mean(),
            matching=-self.config.matching * discrepancy(features, fake_features),
        )
        features, fake_features = self.critic(real, label)[0].detach(), self.critic(fake, label)[0]
        yield self.generator.minimizes(matching=discrepancy(features, fake_features))

    def condition_of(self, key: str, value: str, n: int) -> Tensor | None:
        """Raises UserError for what it cannot keep to."""
        refused(self.name, (key,))
        return None

    def scores(self, batch: Batch) -> Tensor:
        return self.critic(one_hot(batch[self.spec.key], self.spec.vocabulary), batch.get("label"))[1]
