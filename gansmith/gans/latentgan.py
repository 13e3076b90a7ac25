"""LatentGAN: a game about the codes of an autoencoder (Prykhodko et al. 2019, "A de novo molecular generation method using latent vector
based generative adversarial network", for molecules; Haidar et al. 2019, LATEXT-GAN, for texts).

A recurrent encoder turns a sequence into a code, a decoder writes it again; words are left out of what the decoder reads and noise is added
to codes, so that neighbouring codes mean similar sequences. Then a plain network learns to make codes from noise, in the relativistic game
with R1 and R2 (Huang et al. 2024; the paper: WGAN-GP). It keeps behind models by likelihood in quality; what it alone can do is walk
between two sequences and change one:

    gansmith train captions.txt --gan latentgan
    gansmith edit runs/captions-0001 interpolate --between "a dog." --between "two cats on a sofa."
    gansmith edit runs/reviews-0001 restyle "what a bore." --where class=good
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, leaky_relu

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.data.codec import Batch
from gansmith.data.tokens import TokenSpec
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.layers.labels import Label, label_embedding, with_label
from gansmith.layers.sequence import Tokens, frequent, refused, there_of
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training import distributed
from gansmith.training.clock import Clock
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows, uniform_rows

REMEMBERED = 0.99
"""How much of a class's mean code stays each round."""
Codes = Float[Tensor, "batch code"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of LatentGAN."""

    code: int = 64
    """Numbers of a code."""
    width: int = 256
    """Hidden units of encoder and decoder."""
    embedding: int = 128
    """Numbers that stand for a token."""
    noise: int = 64
    """Dimensions of the noise."""
    layers: int = 3
    """Hidden layers of the network that makes codes, and of its critic."""
    latent_width: int = 256
    """Their hidden units."""
    blur: float = 0.15
    """Deviation of the noise on the autoencoder's codes, whose own numbers have deviation 1."""
    left_out: float = 0.3
    """Share of the tokens that the decoder does not get to read while it learns, so that it must use the code."""
    autoencoder_share: float = 0.7
    """Share of the budget in which the autoencoder learns, before the game."""
    gamma: float = 0.5
    """Weight of the critic's gradient penalties."""
    learning_rate: float = 3e-3
    """Adam's step size for the autoencoder at the start; a twentieth at the end of its stage."""
    game_learning_rate: float = 5e-4
    """Adam's step size of both in the game."""
    half_life: int = 2_000
    """Half-life of the moving averages in samples."""


@dataclass(frozen=True)
class _Rate:
    config: Config

    def __call__(self, clock: Clock) -> float:
        if clock.progress() + 1e-9 >= self.config.autoencoder_share:
            return self.config.game_learning_rate
        done = min(1.0, clock.progress() / max(1e-9, self.config.autoencoder_share))
        return self.config.learning_rate * (1 - 0.95 * done) * min(1.0, (clock.rounds + 1) / 50)


class SequenceAutoencoder(nn.Module):
    """Sequences to codes and back; the code (and label) enters the decoder's first state, every step, and the choice of every token."""

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__()
        self.length, self.pad, self.end, self.unknown = spec.shape[0], spec.pad, spec.end, spec.unknown
        self.embedding = nn.Parameter(torch.randn(spec.vocabulary, config.embedding) / config.embedding**0.5)
        self.encoder = nn.GRU(config.embedding, config.width // 2, batch_first=True, bidirectional=True)
        self.to_code = nn.Linear(config.width, config.code)
        self.norm = nn.LayerNorm(config.code, elementwise_affine=False)
        self.labels = label_embedding(spec, config.code)
        self.first, self.every = nn.Linear(config.code, config.width), nn.Linear(config.code, config.embedding)
        self.decoder = nn.GRU(config.embedding, config.width, batch_first=True)
        self.out = nn.Linear(config.width, config.embedding)
        self.topic = nn.Linear(config.code, config.embedding)
        nn.init.normal_(self.topic.weight, std=config.code**-0.5)  # codes matter from the first round on
        bias, barred = frequent(spec)
        self.bias = nn.Parameter(bias)
        self.register_buffer("barred", barred, persistent=False)
        self.barred: Tensor

    def encode(self, tokens: Tokens) -> Codes:
        """Codes with mean 0 and deviation 1 over their numbers: the greatest of the states over the sequence, in other directions."""
        there = there_of(tokens, self.pad)[..., None]
        states, _ = self.encoder(self.embedding[tokens])
        return self.norm(self.to_code((states.float() - 2 * (1 - there)).amax(1)))

    def decode(self, code: Codes, label: Label | None = None) -> Tokens:
        """What is written from codes, the likeliest token each time."""
        state, every, topic = self._begin(code, label)
        token = torch.full((code.shape[0],), self.end, device=code.device)
        ended, written = torch.zeros(code.shape[0], dtype=torch.bool, device=code.device), []
        for _ in range(self.length):
            hidden, state = self.decoder((self.embedding[token] + every)[:, None], state)
            token = self._logits(hidden[:, 0], topic).argmax(1)
            written.append(torch.where(ended, self.pad, token))
            ended = ended | (token == self.end)
        return torch.stack(written, 1)

    def surprise(
        self, tokens: Tokens, code: Codes, label: Label | None, kept: Float[Tensor, "batch length"] | None = None
    ) -> Float[Tensor, ""]:
        """The mean negative logarithm of the probability of each token; those where `kept` is 0 are not read."""
        state, every, topic = self._begin(code, label)
        before = torch.cat([torch.full_like(tokens[:, :1], self.end), tokens[:, :-1]], 1)
        read = self.embedding[before]
        if kept is not None:
            read = torch.where(kept[..., None] > 0, read, self.embedding[self.unknown])
        states, _ = self.decoder(read + every[:, None], state)
        return cross_entropy(self._logits(states, topic[:, None]).flatten(0, 1), tokens.flatten(), ignore_index=self.pad)

    def _begin(self, code: Codes, label: Label | None) -> tuple[Tensor, Tensor, Tensor]:
        whole = code if self.labels is None or label is None else code + self.labels(label)
        return self.first(whole).tanh()[None].contiguous(), self.every(whole), self.topic(whole)

    def _logits(self, states: Tensor, topic: Tensor) -> Float[Tensor, "*batch vocabulary"]:
        return ((self.out(states) + topic) @ self.embedding.T + self.bias).float() + self.barred


class Dense(nn.Module):
    """Noise to codes, or codes to logits: plain layers behind each other."""

    def __init__(self, before: int, width: int, layers: int, after: int) -> None:
        super().__init__()
        sizes = [before, *[width] * layers]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False))
        self.out = nn.Linear(width, after)

    def forward(self, x: Float[Tensor, "batch before"]) -> Float[Tensor, "batch after"]:
        for number, layer in enumerate(self.hidden):
            new = leaky_relu(layer(x), 0.2)
            x = new if number == 0 else x + new
        return self.out(x)


class LatentWriter(nn.Module):
    """Noise (and label) to codes, and these to sequences by the decoder."""

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__()
        self.spec = spec
        self.autoencoder = SequenceAutoencoder(config, spec)
        self.codes = Dense(config.noise + spec.label_width, config.latent_width, config.layers, config.code)
        self.norm = nn.LayerNorm(config.code, elementwise_affine=False)
        self.register_buffer("means", torch.zeros(max(1, len(spec.classes)), config.code))
        self.means: Tensor
        """The mean code of each class."""

    def forward(self, noise: Float[Tensor, "batch noise"], label: Label | None = None) -> Tokens:
        return self.autoencoder.decode(self.code(noise, label), label)

    def code(self, noise: Float[Tensor, "batch noise"], label: Label | None) -> Codes:
        return self.norm(self.codes(with_label(noise, label, self.spec)))


class LatentGAN(GAN):
    """An autoencoder, then the relativistic game with R1 and R2 about its codes."""

    Config = Config
    spec: TokenSpec
    kinds = ("text",)
    axes = (("token",),)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="text", batch=64, minutes=5.0),
    }

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__(config, spec)
        for name in ("autoencoder_share", "left_out"):
            if not 0 <= getattr(config, name) <= 1:
                raise UserError(f"--gan.{name.replace('_', '-')} must lie between 0 and 1, but it is {getattr(config, name)}.")
        writer = LatentWriter(config, spec)
        average = partial(Average, half_life=config.half_life)
        self.generator = Player(writer, learning_rate=_Rate(config), max_gradient_norm=5.0, average=average)
        made = Dense(config.code + spec.label_width, config.latent_width, config.layers, 1)
        self.critic = Player(made, learning_rate=config.game_learning_rate, betas=(0.0, 0.99))

    @property
    def writer(self) -> LatentWriter:
        assert isinstance(self.generator.network, LatentWriter)
        return self.generator.network

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        batch, writer = draw(), self.writer
        tokens, label = batch[self.spec.key], batch.get("label")
        n = len(tokens)
        if self.clock.progress() + 1e-9 < self.config.autoencoder_share:
            clean = writer.autoencoder.encode(tokens)
            if self.spec.classes and label is not None:
                self._remember(clean.detach(), label)
            code = clean + self.config.blur * normal_rows(n, self.config.code, device=tokens.device)
            kept = (uniform_rows(*tokens.shape, device=tokens.device) >= self.config.left_out).float()
            yield self.generator.minimizes(reconstruction=writer.autoencoder.surprise(tokens, code, label, kept))
            return
        with torch.no_grad():
            real = writer.autoencoder.encode(tokens)
        fake = writer.code(normal_rows(n, self.config.noise, device=tokens.device), label)
        labels = None if label is None else torch.cat([label, label])
        logits, norms = with_gradient_norm(lambda code: self._judged(code, labels), torch.cat([real, fake]))
        real_logits, fake_logits = logits.chunk(2)
        r1, r2 = (self.config.gamma * zero_centred(part) for part in norms.chunk(2))
        yield (
            self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits), r1=r1, r2=r2),
            self.generator.minimizes(relativistic=relativistic_generator(real_logits, fake_logits)),
        )

    def _judged(self, code: Codes, label: Label | None) -> Float[Tensor, " batch"]:
        return self.critic(with_label(code, label, self.spec)).squeeze(1)

    @torch.no_grad()
    def _remember(self, code: Codes, label: Label) -> None:
        """The running mean code of each class that occurs."""
        means = self.writer.means
        for number in range(len(means)):
            own = (label == number).float()[:, None]
            there = own.sum()
            mean = distributed.average((own * code).sum(0) / there.clamp_min(1))
            means[number].lerp_(mean, (1 - REMEMBERED) * (there > 0).float())

    # ---- use --------------------------------------------------------------------------------------------------------------------

    def condition_of(self, key: str, value: str, n: int) -> Tensor | None:
        """Raises UserError for what it cannot keep to."""
        refused(self.name, (key,))
        return None

    @torch.no_grad()
    def encode(self, batch: Batch) -> Codes:
        """The codes of examples [n, code] (see `gansmith.tasks.coding`)."""
        return self._averaged.autoencoder.encode(batch[self.spec.key].to(self.device))

    @torch.no_grad()
    def decode(self, codes: Codes, condition: Batch) -> Batch:
        """What is written from codes."""
        label = condition["label"].to(self.device) if "label" in condition else None
        return {**condition, self.spec.key: self._averaged.autoencoder.decode(codes, label)}

    @torch.no_grad()
    def coded(self, noise: Float[Tensor, "batch noise"], condition: Batch) -> Codes:
        """The codes that noise becomes."""
        label = condition["label"].to(self.device) if "label" in condition else None
        return self._averaged.code(noise.to(self.device), label)

    def moved(self, codes: Codes, wanted: Label, strength: float) -> Codes:
        """Codes moved from the class whose mean is nearest to each towards the wanted one: by the difference of the means, times
        `strength`."""
        means, own = self._averaged.means, self.nearest(codes)
        return self._averaged.norm(codes + strength * (means[wanted.to(codes.device)] - means[own]))

    def nearest(self, codes: Codes) -> Int[Tensor, " batch"]:
        """The class whose mean code is nearest to each."""
        return torch.cdist(codes, self._averaged.means).argmin(1)

    @property
    def _averaged(self) -> LatentWriter:
        averaged = self.generator.averaged
        assert isinstance(averaged, LatentWriter)
        return averaged

    def scores(self, batch: Batch) -> Tensor:
        with torch.no_grad():
            code = self.writer.autoencoder.encode(batch[self.spec.key])
        return self._judged(code, batch.get("label"))
