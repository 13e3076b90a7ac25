"""MuseGAN: all voices of several bars at once (Dong et al. 2018, "MuseGAN: multi-track sequential generative adversarial networks").

Layers that all tracks share are followed by a branch for each voice, and the critic sees chroma and onset streams beside the notes, as in
the paper's code. What differs: voices are choices among rest, hold and pitches (straight-through Gumbel-softmax; the paper has binary
pitches), the objective is R3GAN's, time is one-dimensional, and in half of the examples some cells are given (voices, bars, the
beginning), which are kept as they are: one model makes music, accompanies, continues and fills in.

    gansmith train chorales/ --kind music --gan musegan --transpose 5
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, interpolate, leaky_relu
from torch.special import ndtr

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.data.codec import Batch
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.kinds.music.spec import MusicSpec
from gansmith.layers.labels import Label, label_embedding, one_hot, with_label
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training.ema import Average
from gansmith.training.schedules import Cosine, Geometric
from gansmith.training.seeds import normal_rows, uniform_rows

Tokens = Int[Tensor, "batch voices steps"]
Cells = Float[Tensor, "batch voices steps"]
Soft = Float[Tensor, "batch voices steps vocabulary"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of MuseGAN."""

    noise: int = 64
    """Dimensions of the noise."""
    width: int = 128
    """Channels of the layers that all voices share."""
    branch: int = 32
    """Channels of each voice's own layers."""
    critic_width: int = 96
    """Channels of the critic."""
    given: float = 0.5
    """Share of training examples of which some cells are given."""
    gamma: float = 0.5
    """Weight of the critic's gradient penalties."""
    penalty_interval: int = 4
    """Rounds from one with penalties to the next; they then weigh as many times more."""
    temperature: float = 1.0
    """Of the Gumbel-softmax where the game begins."""
    temperature_end: float = 0.4
    """Of the Gumbel-softmax at the end."""
    learning_rate: float = 5e-4
    """Adam's step size for both players at the start."""
    learning_rate_end: float = 5e-5
    """Adam's step size for both players at the end."""
    half_life: int = 5_000
    """Half-life of the generator's moving average in samples."""


def halvings(steps: int) -> int:
    """How often time is halved: at most three times."""
    return next((count for count in (3, 2, 1) if steps % 2**count == 0 and steps >> count >= 2), 0)


class Residual(nn.Module):
    """Two convolutions over three steps beside an identity; the second begins at zero."""

    def __init__(self, width: int, groups: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv1d(width, width, 3, padding=1, groups=groups)
        self.second = nn.Conv1d(width, width, 3, padding=1, groups=groups)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Float[Tensor, "batch width steps"]) -> Float[Tensor, "batch width steps"]:
        return x + self.second(leaky_relu(self.first(leaky_relu(x, 0.2)), 0.2))


class Band(nn.Module):
    """Noise, key and given cells to all voices."""

    def __init__(self, config: Config, spec: MusicSpec) -> None:
        super().__init__()
        self.spec, width = spec, config.width
        (self.voices, self.steps), self.vocabulary = spec.shape, spec.vocabulary
        self.levels = halvings(self.steps)
        self.enter = nn.Linear(config.noise + spec.label_width, width * (self.steps >> self.levels))
        self.given = nn.Conv1d(self.voices * (self.vocabulary + 1), width, 1, bias=False)  # nothing of nothing
        self.place = nn.Parameter(torch.zeros(width, self.steps))
        self.shared = nn.ModuleList(nn.Sequential(Residual(width), Residual(width)) for _ in range(self.levels + 1))
        self.part = nn.Conv1d(width, self.voices * config.branch, 1)
        self.own = Residual(self.voices * config.branch, groups=self.voices)
        self.out = nn.Conv1d(self.voices * config.branch, self.voices * self.vocabulary, 3, padding=1, groups=self.voices)
        if spec.frequencies:  # at first every token is as frequent as in the data
            counts = torch.tensor(spec.frequencies, dtype=torch.float32).clamp_min(0.1)
            self.out.bias.data.copy_((counts / counts.sum(1, keepdim=True)).log().flatten())  # pyright: ignore[reportOptionalMemberAccess]

    def forward(
        self,
        noise: Float[Tensor, "batch noise"],
        label: Label | None = None,
        given: Tokens | None = None,
        mask: Cells | None = None,
    ) -> Tokens:
        """A token for every cell, drawn by the last voices x steps numbers of the noise, or given where the mask is 1."""
        cells = None if given is None else one_hot(given, self.vocabulary)
        drawn = self.voices * self.steps
        reached = self.logits(noise[:, :-drawn], label, cells, mask).softmax(3).cumsum(3)
        dice = ndtr(noise[:, -drawn:].float()).unflatten(1, (self.voices, self.steps))[..., None]
        made = (reached < dice * reached[..., -1:]).sum(3).clamp_max(self.vocabulary - 1)
        return made if given is None or mask is None else torch.where(mask > 0, given, made)

    def soft(
        self, noise: Float[Tensor, "batch noise"], dice: Soft, label: Label | None, given: Soft, mask: Cells, temperature: float
    ) -> Soft:
        """Tokens drawn one-hot, with the gradients of the Gumbel-softmax (Jang et al. 2017); `dice` are uniform in [0, 1)."""
        gumbel = -(-dice.clamp_min(1e-9).log()).log()
        drawn = (self.logits(noise, label, given, mask) + gumbel) / temperature
        soft = drawn.softmax(3)
        hard = one_hot(drawn.argmax(3), self.vocabulary) + soft - soft.detach()
        return mask[..., None] * given + (1 - mask[..., None]) * hard

    def logits(self, noise: Tensor, label: Label | None, given: Soft | None, mask: Cells | None) -> Soft:
        x = self.enter(with_label(noise, label, self.spec)).unflatten(1, (-1, self.steps >> self.levels))
        known = None if given is None or mask is None else self._known(given, mask)
        for level, block in zip(range(self.levels, -1, -1), self.shared, strict=True):
            if level < self.levels:
                x = interpolate(x, scale_factor=2.0, mode="nearest")
            x = x + _pooled(self.place[None], level)
            x = block(x if known is None else x + _pooled(known, level))
        x = self.out(leaky_relu(self.own(self.part(leaky_relu(x, 0.2))), 0.2))
        return x.unflatten(1, (self.voices, self.vocabulary)).transpose(2, 3).float()

    def _known(self, given: Soft, mask: Cells) -> Float[Tensor, "batch width steps"]:
        cells = torch.cat([given * mask[..., None], mask[..., None]], 3)
        return self.given(cells.permute(0, 1, 3, 2).flatten(1, 2))


class Listener(nn.Module):
    """One-hot music (and which cells were given) to a logit: notes, what sounds as chroma, and onsets, over time."""

    def __init__(self, width: int, spec: MusicSpec) -> None:
        super().__init__()
        self.spec = spec
        (self.voices, self.steps), self.vocabulary = spec.shape, spec.vocabulary
        pitches = torch.arange(spec.first, spec.vocabulary)
        self.register_buffer("classes", one_hot((pitches - spec.first + spec.low) % 12, 12), persistent=False)
        self.classes: Tensor
        levels = halvings(self.steps)
        self.enter = nn.Conv1d(self.voices * (self.vocabulary + 12 + 2) + 12, width, 3, padding=1)
        self.place = nn.Parameter(torch.zeros(width, self.steps))
        self.blocks = nn.ModuleList(nn.Sequential(Residual(width), Residual(width)) for _ in range(levels + 1))
        self.judge = nn.Linear(width * (self.steps >> levels), width)
        self.out = nn.Linear(width, width if spec.conditions else 1)
        self.labels = label_embedding(spec, width)

    def forward(self, music: Float[Tensor, "batch cells"], mask: Cells, label: Label | None = None) -> Float[Tensor, " batch"]:
        music = music.unflatten(1, (self.voices, self.steps, self.vocabulary))
        begins = music[..., self.spec.first :]
        chroma = self._sounding(begins, music[..., self.spec.hold]) @ self.classes
        streams = [music, chroma, begins.sum(3, keepdim=True), mask[..., None]]
        x = torch.cat([stream.permute(0, 1, 3, 2).flatten(1, 2) for stream in streams] + [chroma.sum(1).transpose(1, 2)], 1)
        x = self.enter(x) + self.place
        for number, block in enumerate(self.blocks):
            x = block(avg_pool1d(x, 2) if number else x)
        score = self.out(leaky_relu(self.judge(leaky_relu(x, 0.2).flatten(1)), 0.2))
        return (score * self.labels(label)).sum(1) if self.labels is not None else score.squeeze(1)

    def _sounding(self, begins: Tensor, hold: Cells) -> Float[Tensor, "batch voices steps pitches"]:
        """The pitch that sounds at each step, while it is held."""
        now, found = begins[:, :, 0], [begins[:, :, 0]]
        for step in range(1, self.steps):
            now = begins[:, :, step] + hold[:, :, step, None] * now
            found.append(now)
        return torch.stack(found, 2)


class MuseGAN(GAN):
    """The relativistic game with R1 and R2, both players moving at once; some cells of some examples are given."""

    Config = Config
    spec: MusicSpec
    kinds = ("music",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="music", batch=64, minutes=5.0),
    }

    def __init__(self, config: Config, spec: MusicSpec) -> None:
        super().__init__(config, spec)
        if not 0 <= config.given <= 1:
            raise UserError(f"--gan.given must lie between 0 and 1, but it is {config.given}.")
        self.temperature = Geometric(config.temperature, config.temperature_end)
        rate = Cosine(config.learning_rate, config.learning_rate_end)
        self.generator = Player(
            Band(config, spec), learning_rate=rate, betas=(0.0, 0.99), average=partial(Average, half_life=config.half_life)
        )
        self.critic = Player(Listener(config.critic_width, spec), learning_rate=rate, betas=(0.0, 0.99))

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        batch = draw()
        label, tokens = batch.get("label"), batch[self.spec.key]
        real = one_hot(tokens, self.spec.vocabulary)
        mask = masks(tokens, self.config.given, self.spec.bar)
        band = self.generator.network
        assert isinstance(band, Band)
        noise, dice = normal_rows(len(real), self.config.noise, device=real.device), uniform_rows(*real.shape, device=real.device)
        fake = band.soft(noise, dice, label, real, mask, self.temperature(self.clock))
        both, masked = torch.cat([real, fake]).flatten(1), torch.cat([mask, mask])
        labels = None if label is None else torch.cat([label, label])
        penalties: dict[str, Tensor] = {}
        if self.clock.every(self.config.penalty_interval):
            logits, norms = with_gradient_norm(lambda music: self.critic(music, masked, labels), both)
            gamma = self.config.gamma * self.config.penalty_interval
            penalties = {name: gamma * zero_centred(part) for name, part in zip(("r1", "r2"), norms.chunk(2), strict=True)}
        else:
            logits = self.critic(both, masked, labels)
        real_logits, fake_logits = logits.chunk(2)
        yield (
            self.critic.minimizes(relativistic=relativistic_critic(real_logits, fake_logits), **penalties),
            self.generator.minimizes(relativistic=relativistic_generator(real_logits, fake_logits)),
        )

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """n examples; with "given" tokens [n, voices, steps] and a "mask" of the same shape, cells where it is 1 are kept."""
        if "length" in condition:
            raise UserError("musegan makes windows alone: remove bars or length, or train musicgame.")
        noise = truncation * torch.randn(n, self.config.noise + prod(self.spec.shape), generator=rng).to(self.device)
        label, given, mask = (condition[key].to(self.device) if key in condition else None for key in ("label", "given", "mask"))
        return {self.spec.key: self.generator.averaged(noise, label, given, mask), **condition}

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        inputs = {"noise": torch.randn(2, self.config.noise + prod(self.spec.shape))}
        if self.spec.classes:
            inputs["label"] = torch.tensor([0, len(self.spec.classes) - 1])
        return self.generator.averaged, inputs

    def scores(self, batch: Batch) -> Tensor:
        tokens = batch[self.spec.key]
        music = one_hot(tokens, self.spec.vocabulary).flatten(1)
        return self.critic(music, torch.zeros_like(tokens, dtype=music.dtype), batch.get("label"))


def masks(tokens: Tokens, share: float, bar: int) -> Cells:
    """1 for cells that are given: in this share of the examples some voices, the first bars, both of these, or random bars."""
    n, voices, steps = tokens.shape
    dice = uniform_rows(n, 3 + voices + steps // bar, device=tokens.device)
    some = (dice[:, 0] < share).float()[:, None, None]
    kind = (dice[:, 1] * 4).floor()[:, None, None]
    by_voice = (dice[:, 3 : 3 + voices] < 0.5).float()[:, :, None].expand(-1, -1, steps)
    played = (dice[:, 2, None] * (steps // bar)).floor() * bar
    first = (torch.arange(steps, device=tokens.device) < played).float()[:, None].expand(-1, voices, -1)
    bars = (dice[:, 3 + voices :] < 0.5).float().repeat_interleave(bar, 1)[:, None].expand(-1, voices, -1)
    return some * torch.where(
        kind == 0, by_voice, torch.where(kind == 1, first, torch.where(kind == 2, bars, by_voice.maximum(first)))
    )


def _pooled(x: Float[Tensor, "batch width steps"], level: int) -> Float[Tensor, "batch width fewer"]:
    """Means over 2 ** level steps."""
    return avg_pool1d(x, 2**level) if level else x
