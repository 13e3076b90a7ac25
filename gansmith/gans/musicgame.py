"""MusicGame: fills in whatever cells of a piece are missing, by likelihood and in a game (ours; Huang et al. 2017, "Counterpoint by
convolution", Coconet).

The model sees some cells of a piece (a voice at a step) and learns probabilities of the hidden ones by likelihood. In every fourth
round there is a game: what is drawn for hidden cells, straight through a Gumbel-softmax, is judged by a relativistic critic with chroma
and onset streams (MuseGAN's). In the last rounds the critic learns against finished pieces of the model, of which each round makes a few
for a pool, since a piece takes as long as thirty examples by likelihood; when the model is used `--where critic=4` draws one of four by its
logits. A piece is filled in cell by cell in an order of chance, then a few cells at a time are drawn anew (Gibbs sampling): one model makes
music, accompanies, continues and fills in; `--where bars=16` goes on bar by bar.

What cells say of others is partly the same for every pitch (convolutions over pitches and steps, and what pitch classes sound near by and
in the whole window, which tells the key), and partly depends on the place.

    gansmith train chorales/ --transpose 5
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, gelu
from torch.special import ndtr

from gansmith.adversarial import relativistic_critic, relativistic_generator
from gansmith.data.codec import Batch
from gansmith.errors import UserError
from gansmith.game import GAN, Draw, Move, Player, Preset
from gansmith.gans.musegan import Cells, Listener, Tokens, masks
from gansmith.kinds.music.spec import MusicSpec
from gansmith.layers.harmony import Block, Harmony
from gansmith.layers.labels import Label, label_embedding, one_hot
from gansmith.layers.sequence import drawn, resampled
from gansmith.penalties import with_gradient_norm, zero_centred
from gansmith.training.clock import Clock
from gansmith.training.ema import Average
from gansmith.training.seeds import normal_rows, uniform_rows

States = Int[Tensor, "batch voices steps"]
"""0 rests, 1 to P begin a pitch, P + 1 to 2 P go on with it: a cell says what sounds, whatever stands before it."""
GAIN = 16.0
"""Of weights that few inputs share, which Adam alone would move slowly."""
NEAR = 9
"""Steps that say what a cell near them is, whatever the pitch."""
POOL, FRESH = 512, 8
"""Finished pieces that the critic learns against at the end, and how many of them are made anew in each round."""
FILLING, ANEW, COOLER = 0.4, 0.15, 0.5
"""The share of the rounds in which cells are filled in; the share of the cells that are drawn anew in each round behind them, and the
temperature of that beside the one that is asked for: cells that are drawn at once do not know of each other, which leaves notes that begin
between two beats."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of MusicGame."""

    width: int = 128
    """Channels of the model."""
    blocks: int = 2
    """Blocks of two convolutions and attention over time."""
    heads: int = 4
    """Heads of the attention."""
    intervals: int = 16
    """Channels of what is known of intervals, the same for every pitch."""
    interval_blocks: int = 6
    """Convolutions in these channels; each reaches twice as many steps as the one before."""
    dropout: float = 0.1
    """Share of each block's changes that is left out while it learns."""
    critic_width: int = 96
    """Channels of the critic."""
    given: float = 0.4
    """Share of training examples of which whole voices, bars, or the beginning are given; of the others cells at random."""
    game: float = 0.1
    """Weight of the game beside the likelihood; 0 plays none."""
    game_interval: int = 4
    """Rounds from one of the game to the next."""
    gamma: float = 0.5
    """Weight of the critic's gradient penalties."""
    temperature: float = 0.7
    """Of the Gumbel-softmax."""
    critic_share: float = 0.03
    """Share of the budget, at its end, in which the critic learns against pieces of the model; such rounds take four times as long."""
    rounds: int = 96
    """Rounds of the sampling."""
    learning_rate: float = 4e-3
    """Adam's step size for the model at the start; a hundredth at the end of its stage."""
    critic_learning_rate: float = 5e-4
    """Adam's step size for the critic."""
    half_life: int = 1_500
    """Half-life of the model's moving average in samples."""


@dataclass(frozen=True)
class _Rate:
    """Warm-up over 50 rounds, then half a cosine to a hundredth."""

    config: Config

    def __call__(self, clock: Clock) -> float:
        done = min(1.0, clock.progress() / max(1e-9, 1 - self.config.critic_share))
        fall = 0.01 + 0.99 * (1 + float(torch.cos(torch.tensor(torch.pi * done)))) / 2
        return self.config.learning_rate * fall * min(1.0, (clock.rounds + 1) / 50)


class Filler(nn.Module):
    """States of some cells to probabilities of states of all."""

    def __init__(self, config: Config, spec: MusicSpec) -> None:
        super().__init__()
        self.spec, width = spec, config.width
        (self.voices, self.steps), self.pitches = spec.shape, spec.vocabulary - spec.first
        self.states, self.rounds = 2 * self.pitches + 1, config.rounds
        self.enter = nn.Conv1d(self.voices * (self.states + 1), width, 1)
        self.place = nn.Parameter(0.1 * torch.randn(width, self.steps))
        self.labels = label_embedding(spec, width)
        self.blocks = nn.ModuleList(
            Block(width, config.heads, 2 ** (number % 3), config.dropout) for number in range(config.blocks)
        )
        self.norm = nn.GroupNorm(1, width)
        self.out = nn.Conv1d(width, self.voices * self.states, 1)
        self.near = nn.Conv2d(3 * self.voices, 2 * self.voices, (1, NEAR), padding="same")
        self.intervals = nn.Conv2d(3 * self.voices, config.intervals, (25, 3), padding="same")
        self.harmony = Harmony(config.intervals, self.steps, spec.bar)
        self.further = nn.ModuleList(
            nn.Conv2d(config.intervals, config.intervals, (5, 3), padding="same", dilation=(1, 2 ** (number % 4)))
            for number in range(config.interval_blocks)
        )
        self.joined = nn.Conv2d(config.intervals, 2 * self.voices, (1, 5), padding="same")
        for weight in (self.out.weight, self.near.weight, self.joined.weight):
            nn.init.zeros_(weight)
        if spec.frequencies:  # at first every state is as frequent as in the data
            self.out.bias.data.copy_(self._frequencies().log().flatten())  # pyright: ignore[reportOptionalMemberAccess]

    @property
    def noise(self) -> int:
        """Numbers that decide a piece: for each round, what is drawn for every cell, and which cells are drawn anew."""
        return self.rounds * 2 * self.voices * self.steps

    def forward(
        self,
        noise: Float[Tensor, "batch noise"],
        label: Label | None = None,
        given: Tokens | None = None,
        mask: Cells | None = None,
        temperature: float = 1.0,
    ) -> Tokens:
        """Pieces cell by cell in an order of chance, few at first and more at once when most is known (Uria et al. 2014; Chang et al. 2022,
        MaskGIT, section 3.2); then by Gibbs sampling, which draws a few cells anew in each round. What sounds where the mask is 1 is kept;
        it begins there if what stood before it changed."""
        dice = ndtr(noise.float()).unflatten(1, (self.rounds, 2, self.voices, self.steps))
        known = torch.zeros_like(dice[:, 0, 0]) if mask is None else mask
        states = torch.zeros_like(known, dtype=torch.long) if given is None else states_of(given, self.spec)
        order = (dice[:, 0, 1] + 2 * (1 - known)).flatten(1).argsort(1).argsort(1).view_as(known)
        given_first, cells = known.flatten(1).sum(1)[:, None, None], self.voices * self.steps
        seen, first = known, max(1, round(FILLING * self.rounds))
        for number in range(self.rounds):
            logits = self.logits(one_hot(states, self.states), seen, label)
            heat = temperature if number < first else COOLER * temperature
            states = torch.where(seen > 0, states, self._drawn(logits, dice[:, number, 0], heat))
            if number + 1 < first:
                share = ((number + 1) / first) ** 2
                seen = (order < given_first + share * (cells - given_first)).float().maximum(known)
            else:
                seen = (dice[:, number, 1] >= ANEW).float().maximum(known)
        return self.tokens(states)

    def logits(
        self, states: Float[Tensor, "batch voices steps states"], mask: Cells, label: Label | None
    ) -> Float[Tensor, "batch voices steps states"]:
        known = torch.cat([states * mask[..., None], mask[..., None]], 3)
        x = self.enter(known.permute(0, 1, 3, 2).flatten(1, 2)) + self.place
        if self.labels is not None and label is not None:
            x = x + self.labels(label)[..., None]
        for block in self.blocks:
            x = block(x)
        found = self.out(gelu(self.norm(x))).unflatten(1, (self.voices, self.states)).transpose(2, 3).float()
        rest, pitched = found.split([1, 2 * self.pitches], 3)
        return torch.cat([rest, pitched + self._relative(known)], 3)

    def _relative(self, known: Float[Tensor, "batch voices steps more"]) -> Float[Tensor, "batch voices steps pitched"]:
        """What cells near by, of any voice, say of a pitch by how far they are from it: the same for every pitch."""
        seen = known[..., 1 : 1 + 2 * self.pitches].unflatten(3, (2, self.pitches)).permute(0, 1, 3, 4, 2).flatten(1, 2)
        mask = known[..., -1][:, :, None].expand(-1, -1, self.pitches, -1)
        x = torch.cat([seen, mask], 1)  # [B, 3 * voices, pitches, steps]
        x = x.contiguous(memory_format=torch.channels_last)  # in which convolutions of few channels are quicker
        found = self.intervals(x) + self.harmony(seen.sum(1))
        for convolution in self.further:
            found = found + convolution(gelu(found))
        x = GAIN * (self.near(x) + self.joined(gelu(found))).float()
        return x.unflatten(1, (self.voices, 2)).permute(0, 1, 4, 2, 3).flatten(3)

    def _frequencies(self) -> Float[Tensor, "voices states"]:
        """How often each voice has each state, if every pitch is held as often as others."""
        counts = torch.tensor(self.spec.frequencies, dtype=torch.float32).clamp_min(0.1)
        rest, hold, begun = counts[:, :1], counts[:, 1:2], counts[:, self.spec.first :]
        found = torch.cat([rest, begun, begun * hold / begun.sum(1, keepdim=True)], 1)
        return found / found.sum(1, keepdim=True)

    def _drawn(self, logits: Float[Tensor, "batch voices steps states"], dice: Cells, temperature: float) -> States:
        return drawn(logits.flatten(0, 2), dice.flatten(), temperature).view(dice.shape)

    def tokens(self, states: States) -> Tokens:
        """What goes on with the pitch before it holds; all else begins."""
        sounds = torch.where(states > self.pitches, states - self.pitches, states)
        before = torch.nn.functional.pad(sounds[..., :-1], (1, 0))
        held = (states > self.pitches) & (sounds == before)
        return torch.where(held, self.spec.hold, torch.where(sounds == 0, self.spec.rest, sounds + self.spec.first - 1))


def states_of(tokens: Tokens, spec: MusicSpec) -> States:
    """The states of tokens; a hold behind a rest rests."""
    places = torch.arange(tokens.shape[-1], device=tokens.device)
    begun = torch.where(tokens == spec.hold, 0, places).cummax(-1).values
    sounds = tokens.gather(-1, begun)
    pitch = (sounds - spec.first + 1).clamp_min(0) * (sounds >= spec.first)
    return torch.where((tokens == spec.hold) & (pitch > 0), pitch + spec.vocabulary - spec.first, pitch)


def blocks_of(spec: MusicSpec) -> list[int]:
    """Lengths of blocks that are hidden together, from a bar to a step."""
    sizes = [spec.bar]
    while sizes[-1] % 2 == 0 and sizes[-1] > 1:
        sizes.append(sizes[-1] // 2)
    return sizes if sizes[-1] == 1 else [*sizes, 1]


class MusicGame(GAN):
    """Likelihood of hidden cells, and a relativistic game about what is drawn for them; then a critic of finished pieces."""

    Config = Config
    spec: MusicSpec
    kinds = ("music",)
    probed = 32
    makers = ("generator", "critic")
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="music", batch=64, minutes=10.0),
    }

    def __init__(self, config: Config, spec: MusicSpec) -> None:
        super().__init__(config, spec)
        for name in ("given", "critic_share", "dropout"):
            if not 0 <= getattr(config, name) <= 1:
                raise UserError(f"--gan.{name.replace('_', '-')} must lie between 0 and 1, but it is {getattr(config, name)}.")
        if config.width % config.heads:
            raise UserError(f"--gan.width must be a multiple of --gan.heads ({config.heads}), but it is {config.width}.")
        self.generator = Player(
            Filler(config, spec),
            optimizer=partial(torch.optim.AdamW, weight_decay=0.01, fused=True),
            learning_rate=_Rate(config),
            betas=(0.9, 0.98),
            max_gradient_norm=1.0,
            average=partial(Average, half_life=config.half_life),
        )
        heard = Listener(config.critic_width, spec)
        self.critic = Player(heard, learning_rate=config.critic_learning_rate, betas=(0.0, 0.99))
        self.register_buffer("pool", torch.zeros(POOL, *spec.shape, dtype=torch.uint8))
        self.register_buffer("pool_labels", torch.zeros(POOL, dtype=torch.long))
        self.register_buffer("pooled", torch.zeros((), dtype=torch.long))
        self.pool: Tensor
        self.pool_labels: Tensor
        self.pooled: Tensor
        """How many pieces were made for the pool."""

    @property
    def filler(self) -> Filler:
        assert isinstance(self.generator.network, Filler)
        return self.generator.network

    @property
    def finished(self) -> bool:
        """Whether the model learns no more, and only its critic does."""
        return self.clock.progress() + 1e-9 >= 1 - self.config.critic_share

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        batch = draw()
        label, tokens = batch.get("label"), batch[self.spec.key]
        if self.finished:
            yield self._critic_of_pieces(tokens, label)
            return
        filler, states = self.filler, states_of(tokens, self.spec)
        mask = self._hidden(tokens)
        real = one_hot(states, filler.states)
        logits = filler.logits(real, mask, label)
        likelihood = self._surprise(logits, states, mask)
        if not self.config.game or not self.clock.every(self.config.game_interval):
            yield self.generator.minimizes(likelihood=likelihood)
            return
        soft = straight_through(logits, uniform_rows(*logits.shape, device=logits.device), self.config.temperature)
        fake = mask[..., None] * real + (1 - mask[..., None]) * soft
        both, masked = torch.cat([real, fake]), torch.cat([mask, mask])
        labels = None if label is None else torch.cat([label, label])
        scores, norms = with_gradient_norm(lambda music: self.critic(music, masked, labels), self._heard(both))
        real_scores, fake_scores = scores.chunk(2)
        penalties = {
            name: self.config.gamma * zero_centred(part) for name, part in zip(("r1", "r2"), norms.chunk(2), strict=True)
        }
        yield (
            self.critic.minimizes(relativistic=relativistic_critic(real_scores, fake_scores), **penalties),
            self.generator.minimizes(
                likelihood=likelihood, relativistic=self.config.game * relativistic_generator(real_scores, fake_scores)
            ),
        )

    def _critic_of_pieces(self, tokens: Tokens, label: Label | None) -> Move:
        """The critic learns to tell finished pieces of the averaged model from the data."""
        made, own = self._made(tokens, label)
        free = torch.zeros(2 * len(tokens), *self.spec.shape, device=tokens.device)
        both = one_hot(torch.cat([states_of(tokens, self.spec), states_of(made, self.spec)]), self.filler.states)
        labels = None if label is None or own is None else torch.cat([label, own])
        scores, norms = with_gradient_norm(lambda music: self.critic(music, free, labels), self._heard(both))
        real_scores, fake_scores = scores.chunk(2)
        truth = torch.cat([torch.ones_like(real_scores), torch.zeros_like(fake_scores)])
        penalty = self.config.gamma * zero_centred(norms)
        loss = binary_cross_entropy_with_logits(scores, truth)
        return self.critic.minimizes(pieces=loss, penalty=penalty)

    @torch.no_grad()
    def _made(self, tokens: Tokens, label: Label | None) -> tuple[Tokens, Label | None]:
        """Pieces of the averaged model, as many as real ones, with their labels: from the pool, to which a few new ones are added."""
        averaged = self.generator.averaged
        assert isinstance(averaged, Filler)
        count = min(FRESH, len(tokens))
        new = averaged(normal_rows(count, averaged.noise, device=tokens.device), None if label is None else label[:count])
        places = (self.pooled + torch.arange(count, device=tokens.device)) % POOL
        self.pool[places] = new.to(self.pool.dtype)
        if label is not None:
            self.pool_labels[places] = label[:count]
        self.pooled += count
        chosen = (uniform_rows(len(tokens), device=tokens.device) * self.pooled.clamp_max(POOL)).long()
        return self.pool[chosen].long(), None if label is None else self.pool_labels[chosen]

    def _heard(self, states: Float[Tensor, "batch voices steps states"]) -> Float[Tensor, "batch cells"]:
        """States as the tokens that the critic hears: a pitch that goes on is a hold."""
        count = self.filler.pitches
        rest, begun, going = states.split([1, count, count], 3)
        return torch.cat([rest, going.sum(3, keepdim=True), begun], 3).flatten(1)

    def _hidden(self, tokens: Tokens) -> Cells:
        """1 for cells that are seen: whole voices, bars or the beginning, or blocks of some length at random."""
        n, voices, steps = tokens.shape
        dice = uniform_rows(n, 3, device=tokens.device)
        sizes = blocks_of(self.spec)
        which = (dice[:, 0] * len(sizes)).long()
        mask = torch.zeros(n, voices, steps, device=tokens.device)
        for number, size in enumerate(sizes):
            some = uniform_rows(n, voices, steps // size, device=tokens.device) < dice[:, 1, None, None]
            mask = torch.where((which == number)[:, None, None], some.float().repeat_interleave(size, 2), mask)
        whole = masks(tokens, 1.0, self.spec.bar)
        mask = torch.where((dice[:, 2] < self.config.given)[:, None, None], whole, mask)
        full = mask.flatten(1).amin(1) > 0
        return torch.where(full[:, None, None], 0.0, mask)

    @staticmethod
    def _surprise(logits: Tensor, states: States, mask: Cells) -> Float[Tensor, ""]:
        """Nats a hidden cell, on average over examples, so that those with few hidden cells count as much (Uria et al. 2014)."""
        by_cell = cross_entropy(logits.flatten(0, 2), states.flatten(), reduction="none").view_as(mask)
        hidden = 1 - mask
        return ((by_cell * hidden).flatten(1).sum(1) / hidden.flatten(1).sum(1).clamp_min(1)).mean()

    # ---- use --------------------------------------------------------------------------------------------------------------------

    def condition_of(self, key: str, value: str, n: int) -> Tensor | None:
        """critic=4 draws one of four by the critic's logits."""
        if key != "critic":
            return None
        if not value.isdigit() or not 1 <= int(value) <= 64:
            raise UserError(f"critic must be a whole number between 1 and 64, but it is {value!r}.")
        return torch.full((n,), float(value))

    def generate(self, n: int, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Batch:
        """n examples; with "given" tokens [n, voices, steps] and a "mask" of the same shape, cells where it is 1 are kept. The truncation
        is the temperature. With a "length" [n] in steps they go on behind a window: bar by bar, given the bars before."""
        if "length" in condition and n:
            rest = {key: value for key, value in condition.items() if key != "length"}
            made = self._longer(n, int(condition["length"][0]), rest, rng, truncation)
            return {**{key: value for key, value in rest.items() if key != "critic"}, self.spec.key: made}
        filler = self.generator.averaged
        assert isinstance(filler, Filler)
        label, given, mask = (condition[key].to(self.device) if key in condition else None for key in ("label", "given", "mask"))
        tries = int(condition["critic"][0]) if "critic" in condition and n else 1

        def make() -> Tokens:
            return filler(torch.randn(n, filler.noise, generator=rng).to(self.device), label, given, mask, truncation)

        if tries == 1:
            made = make()
        else:
            critic = self.critic.averaged
            free = torch.zeros(n, *self.spec.shape, device=self.device)

            def logits(tokens: Tokens) -> Tensor:
                return critic(self._heard(one_hot(states_of(tokens, self.spec), filler.states)), free, label)

            made = resampled(make, logits, tries, torch.rand(n, generator=rng).to(self.device))
        kept = {key: value for key, value in condition.items() if key != "critic"}
        return {**kept, self.spec.key: made}

    def _longer(self, n: int, length: int, condition: Batch, rng: torch.Generator, truncation: float) -> Tokens:
        """Pieces [n, voices, length]: a window, then each next bar given those before it; in each window the first bars are as they are."""
        (voices, steps), bar = self.spec.shape, self.spec.bar
        made = self.generate(n, condition, rng=rng, truncation=truncation)[self.spec.key]
        mask = torch.zeros(n, voices, steps, device=made.device)
        mask[:, :, : steps - bar] = 1
        while made.shape[2] < length:
            begin = made.shape[2] - (steps - bar)
            given = torch.nn.functional.pad(made[:, :, begin:], (0, bar))
            if steps > bar:  # a note that sounds when the window begins, begins with it
                sounds = states_of(made, self.spec)[:, :, begin]
                pitch = torch.where(sounds > self.filler.pitches, sounds - self.filler.pitches, sounds)
                given[:, :, 0] = torch.where(pitch > 0, pitch + self.spec.first - 1, self.spec.rest)
            more = self.generate(n, {**condition, "given": given, "mask": mask}, rng=rng, truncation=truncation)[self.spec.key]
            made = torch.cat([made, more[:, :, steps - bar :]], 2)
        return made[:, :, :length]

    def scores(self, batch: Batch) -> Tensor:
        tokens = batch[self.spec.key]
        heard = self._heard(one_hot(states_of(tokens, self.spec), self.filler.states))
        return self.critic(heard, torch.zeros_like(tokens, dtype=heard.dtype), batch.get("label"))

    def exportable(self) -> tuple[nn.Module, dict[str, Tensor]]:
        filler = self.generator.averaged
        assert isinstance(filler, Filler)
        inputs = {"noise": torch.randn(2, filler.noise)}
        if self.spec.classes:
            inputs["label"] = torch.tensor([0, len(self.spec.classes) - 1])
        return filler, inputs


def straight_through(logits: Tensor, dice: Tensor, temperature: float) -> Tensor:
    """One-hot draws with the gradients of the Gumbel-softmax (Jang et al. 2017); `dice` are uniform in [0, 1)."""
    gumbel = -(-dice.clamp_min(1e-9).log()).log()
    soft = ((logits + gumbel) / temperature).softmax(-1)
    return one_hot(soft.argmax(-1), logits.shape[-1]) + soft - soft.detach()
