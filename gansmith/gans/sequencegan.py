"""SequenceGAN: a likelihood model, a critic of what it writes, and a game that must prove itself (ours; Deng et al. 2020, "Residual
energy-based models for text generation"; d'Autume et al. 2019, ScratchGAN).

A recurrent network learns by likelihood for most of the budget. At its end a critic learns to tell its samples from the data, and when
the model is used the critic draws one of several samples by its logits (`--where critic=8` changes how many). How far its logits are
trusted is measured on samples and data that it has not seen yet: a critic that has learned nothing has no say.

Of texts the critic is the logarithm of how much likelier an n-gram model of the data has them than one of the samples. It learns in
seconds. A sixteenth of the texts, at most 256, is kept from both models, so that what was learned by heart earns no trust. Of molecules
(and texts with labels) it weighs runs of tokens, and also what surrounds each atom.

QM9, 100 CPU seconds: drawing one of four lowers the Frechet ChemNet distance from .44 to .28 (likelihood alone for as long: .40) and the
score of a fresh classifier from .56 to .52 (.55); see docs/molecules.md.

The network is a GRU, or with `--gan.core transformer` a causal transformer, which suits GPUs. Data of contexts and replies (`--context`,
`--dialogue`) are learned as replies, and the critic also learns that a reply to something else is wrong. With `--gan.infill 0.5`, in half
of the rounds it learns to write what stands between a beginning and an end (`--where prefix="the old" --where suffix="by the sea."`).
Labels are left out of a tenth of the training, so that `--where guidance=2` can write more plainly of the class.

What `--gan.likelihood-share` and `--gan.critic-share` leave of the budget is a game: the logits of a recurrent critic are rewards, and
the network learns by policy gradients beside the likelihood; a second critic, which gives no rewards, watches whether that makes samples
any harder to tell apart: if not, the weights from before are taken back. By default nothing is left: as many seconds of likelihood gain
more.

    gansmith train captions.txt --gan sequencegan
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from gansmith.data.tokens import TokenSpec
from gansmith.errors import UserError
from gansmith.game import Draw, Look, Move, Player, Preset
from gansmith.gans._sequence_options import Config, Rate, RunsRate
from gansmith.gans._sequence_use import SequenceUse
from gansmith.layers.counts_critic import CountsCritic
from gansmith.layers.labels import Label
from gansmith.layers.ngram_critic import MIXED, NgramCritic
from gansmith.layers.pool import Pool
from gansmith.layers.sequence import (
    SequenceCritic,
    SequenceModel,
    area,
    discounted,
    in_between,
    there_of,
)
from gansmith.training import distributed
from gansmith.training.ema import Average
from gansmith.training.seeds import uniform_rows

REMEMBERED = 0.95
"""How much of a running mean stays each round."""
KEPT_BACK, MOST_BACK = 16, 256
"""One of so many texts, or of more so that there are no more than so many, is not learned where a critic counts: such texts say how far
the critic is trusted."""
POOL, FRESH, TIMES, AT_ONCE = 16_384, 4, 4, 512
"""Examples of the data, and samples, from which a critic of runs learns; every how many rounds new samples join them, and how many batches
at once; how many of each it learns from in a round."""
COUNTED = 8
"""How many batches of samples at once join those that a critic counts: it is as good as the smaller of its two counts."""
SMALL = 3e-4
"""Weight of the squares of its weights."""
SLACK = 0.05
"""Nats a token that the likelihood may lose in the game."""
GAIN = 0.01
"""What the area under the second critic's curve must have lost at the end, or the weights from before are taken back."""


def _back(count: int) -> Tensor:
    """Which of so many texts are kept back."""
    every = max(KEPT_BACK, -(-count // MOST_BACK))
    return torch.arange(count) % every == every - 1


def _number_of(tokens: Tensor) -> Tensor:
    """A number, seldom 0, that depends on all tokens of an example [batch]."""
    powers = torch.full((tokens.shape[1],), MIXED, device=tokens.device).cumprod(0)  # sums wrap around
    return ((tokens + 1) * powers).sum(1)


def _suiting(config: Config, spec: TokenSpec, plays: bool) -> str:
    """The critic that suits the data, if the one that is asked for does not: runs, recurrent or counts."""
    if config.critic == "counts" and not (plays or spec.context or spec.conditions):
        return "counts"
    if config.critic in ("auto", "counts"):
        return "recurrent" if plays or spec.context else "runs"
    return config.critic


class SequenceGAN(SequenceUse):
    """Likelihood, critics on the model's own samples, policy gradients behind a gate, resampling."""

    Config = Config
    spec: TokenSpec
    kinds = ("text",)
    axes = (("token",),)
    tasks = ("generation", "replies")
    makers = ("generator", "critic")
    half_precision = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            about="minutes on a CPU",
            kind="text",
            batch=64,
            minutes=5.0,
            config={"likelihood_share": 0.96, "critic_share": 0.04, "critic": "counts"},
        ),
        "molecules": Preset(about="molecules, minutes on a CPU", kind="molecules", batch=64, minutes=5.0),
    }

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        super().__init__(config, spec)
        if not 1 <= config.tries <= 64:
            raise UserError(f"--gan.tries must be between 1 and 64, but it is {config.tries}.")
        shares = config.likelihood_share, config.critic_share
        if not (min(shares) >= 0 and sum(shares) <= 1 + 1e-9):  # 1 - .8 is less than .2
            raise UserError(
                "--gan.likelihood-share and --gan.critic-share are shares of the budget that add up to 1 at most, but they are "
                f"{config.likelihood_share} and {config.critic_share}."
            )
        for name in ("infill", "label_dropout"):
            if not 0 <= getattr(config, name) < 1:
                raise UserError(
                    f"--gan.{name.replace('_', '-')} must be at least 0 and less than 1, but it is {getattr(config, name)}."
                )
        if not 1 <= config.runs <= 16:
            raise UserError(f"--gan.runs must be between 1 and 16, but it is {config.runs}.")
        if config.critic == "runs" and (self.plays or spec.context):
            raise UserError(
                f"--gan.critic runs has no say in {'the game' if self.plays else 'replies'}: choose recurrent, or leave it out."
            )
        if config.core == "transformer" and config.width % config.heads:
            raise UserError(f"--gan.width must be a multiple of --gan.heads ({config.heads}), but it is {config.width}.")
        network = SequenceModel(
            spec,
            width=config.width,
            embedding=config.embedding,
            layers=config.layers,
            dropout=config.dropout,
            core=config.core,
            heads=config.heads,
            signs=2 if config.infill else 0,
            longest_before=spec.context + (spec.shape[0] + 2 if config.infill else 0),
        )
        self.generator = Player(
            network,
            learning_rate=Rate(config),
            betas=(0.9, 0.98),
            optimizer=partial(torch.optim.AdamW, weight_decay=0.01, fused=True),
            max_gradient_norm=1.0,
            average=partial(Average, half_life=config.half_life),
        )
        made = partial(SequenceCritic, spec, width=config.critic_width, embedding=64, dropout=0.15)
        chosen = _suiting(config, spec, self.plays)
        self.pooled, self.counted = chosen != "recurrent", chosen == "counts"
        """Whether the critic learns against samples that are kept; whether it counts runs, or weighs them."""
        if self.pooled:
            critic = CountsCritic(spec, longest=config.runs) if self.counted else NgramCritic(spec, longest=config.runs)
            self.critic = Player(critic, learning_rate=RunsRate(config), betas=(0.9, 0.99))
            self.real, self.made = Pool(spec, POOL), Pool(spec, POOL)
        else:
            self.critic = Player(made(), learning_rate=config.critic_learning_rate, betas=(0.5, 0.99))
        if self.plays:
            self.judge = Player(made(), learning_rate=config.critic_learning_rate, betas=(0.5, 0.99))
        self.before = nn.ModuleDict({"model": deepcopy(network), "critic": deepcopy(self.critic.network)}).requires_grad_(False)
        """The model and its critic when the game began."""
        self.register_buffer("expected", torch.zeros(spec.shape[0]))
        self.register_buffer("seen", torch.tensor([0.5, 0.0, 0.5, 0.0]))
        """Running means: the area under the second critic's curve and nats a token, before and in the game."""
        self.expected: Tensor
        self.seen: Tensor
        if self.counted:
            self.register_buffer("back", torch.zeros(MOST_BACK, dtype=torch.long))
        self.back: Tensor
        """Numbers of the texts that are kept back."""
        self.taken_back = False

    def get_extra_state(self) -> Tensor:
        return torch.tensor([self.taken_back])

    def set_extra_state(self, state: Tensor) -> None:
        self.taken_back = bool(state[0])

    @property
    def model(self) -> SequenceModel:
        """The network that plays."""
        assert isinstance(self.generator.network, SequenceModel)
        return self.generator.network

    @property
    def plays(self) -> bool:
        """Whether a share of the budget is left to the game."""
        return self.config.adversarial and self.config.likelihood_share + self.config.critic_share < 1 - 1e-9

    @property
    def stage(self) -> str:
        """likelihood, critic or game."""
        done = self.clock.progress() + 1e-9  # sums of shares are not exact
        if done < self.config.likelihood_share:
            return "likelihood"
        begun = done >= self.config.likelihood_share + self.config.critic_share
        return "game" if begun and self.plays and not self.taken_back else "critic"

    def play(self, draw: Draw) -> Iterator[Move | tuple[Move, ...]]:
        batch = draw()
        tokens, label, context, stage = batch[self.spec.key], batch.get("label"), batch.get("context"), self.stage
        if stage == "likelihood":
            yield self.generator.minimizes(likelihood=self._surprise(tokens, label, context))
            return
        if stage == "critic" and self.plays and not self.taken_back:
            self._begin_from_the_average()
        if self.counted:
            self._count(tokens, label)
            return
        if self.pooled:
            yield self._runs_told_apart(tokens, label)
            return
        fake = self._samples(tokens, label, context)
        yield self._critics(tokens, fake, label, context)
        if stage == "game":
            rewards = self._rewards(fake, label, context)
            there = there_of(fake, self.spec.pad)
            if self.clock.rounds % self.config.gate_interval == self.config.gate_interval - 1:
                self._check(last=self.clock.progress() > 0.95)
            if self.taken_back:
                return
            advantage = (rewards - self.expected) * there
            gained = (advantage * self.model.log_probabilities(fake, label, context)).sum() / there.sum()
            earned = distributed.average((rewards * there).sum(0) / there.sum(0).clamp_min(1))
            self.expected.lerp_(earned, 1 - REMEMBERED)
            likelihood = self.model.surprise(tokens, label, context)
            self._remember(3, likelihood.detach())
            yield self.generator.minimizes(rewards=-gained, likelihood=self.config.likelihood * likelihood)

    def _surprise(self, tokens: Tensor, label: Label | None, context: Tensor | None) -> Tensor:
        """Nats a token: of the sequences, or in some rounds of what stands between two of their places; some labels are not seen."""
        kept = None
        if label is not None and self.config.label_dropout:
            kept = (uniform_rows(len(tokens), device=tokens.device) >= self.config.label_dropout).float()
        done, share = self.clock.rounds, self.config.infill
        given, learned = None, tokens
        if int((done + 1) * share) > int(done * share):
            given, learned = in_between(tokens, uniform_rows(len(tokens), 2, device=tokens.device), self.spec)
        if self.counted and self.config.critic_share:
            back = self._kept_back(tokens)
            learned = learned.masked_fill((back & ~back.all())[:, None], self.spec.pad)
        before = [part for part in (context, given) if part is not None]
        return self.model.surprise(learned, label, torch.cat(before, 1) if before else None, kept)

    @torch.no_grad()
    def _samples(self, tokens: Tensor, label: Label | None, context: Tensor | None, times: int = 1) -> Tensor:
        """So many times as many samples as tokens [batch, length]."""
        playing = self.model if self.stage == "game" else self.generator.averaged
        assert isinstance(playing, SequenceModel)
        labels = None if label is None else torch.cat([label] * times)
        dice = uniform_rows(times * len(tokens), tokens.shape[1], device=tokens.device)
        with torch.autocast(tokens.device.type, enabled=False):  # which would cast the weights at every token
            return playing.sampled(dice, labels, before=context)

    @torch.no_grad()
    def prepare(self, look: Look) -> None:
        """A critic that counts looks at texts once. Some are kept back: the model does not learn them, unless they occur twice."""
        if not (self.counted and self.config.critic_share):
            return
        batch = look(POOL)
        tokens = batch[self.spec.key]
        self.real.add(tokens, batch.get("label"))
        numbers, count = _number_of(tokens).unique(return_counts=True)
        own = _number_of(tokens[_back(len(tokens)).to(tokens.device)])
        once = own[torch.isin(own, numbers[count == 1])]
        self.back[: len(once)] = once

    def _kept_back(self, tokens: Tensor) -> Tensor:
        """Whether each example is one of those that are not learned [batch]."""
        return torch.isin(_number_of(tokens), self.back)

    @torch.no_grad()
    def _count(self, tokens: Tensor, label: Label | None) -> None:
        """New samples every few rounds; in the last round the critic learns from all of them, but for every eighth batch."""
        if self.clock.every(FRESH) or not self.made.added:
            labels = None if label is None else torch.cat([label] * COUNTED)
            self.made.add(self._samples(tokens, label, None, COUNTED), labels)
        if not self.clock.last:
            return
        critic = self._critic
        assert isinstance(critic, CountsCritic)
        real, made = self.real.all(), self.made.all()
        back = _back(len(real)).to(real.device)
        aside = torch.arange(len(made), device=made.device) // len(tokens) % 8 == 0
        critic.learn(real[~back], made[~aside], real[back], made[aside])
        if back.any() and aside.any():
            self._remember(0, area(critic(real[back])[1], critic(made[aside])[1]))
            averaged = self.generator.averaged
            assert isinstance(averaged, SequenceModel)
            self._remember(1, averaged.surprise(real[back][:AT_ONCE], None))
            self.seen[2:].copy_(self.seen[:2])
        self.real.forget()  # a finished run holds no examples of the data
        self.made.forget()
        self.back.zero_()

    def _runs_told_apart(self, tokens: Tensor, label: Label | None) -> Move:
        """The critic of runs tells examples of the data from samples. A batch of the data joins those that it learns from in each round,
        new samples every few rounds; they measure it before it learns from them."""
        critic = self._critic
        if self.clock.every(FRESH) or not self.made.added:
            made, labels = self._samples(tokens, label, None, TIMES), None if label is None else torch.cat([label] * TIMES)
            with torch.no_grad():
                real, fake = critic(tokens, label)[1], critic(made, labels)[1]
                critic.trust.learn(real, fake, 0.1)
                self._watch(area(real, fake), tokens, label, None)
            self.made.add(made, labels)
        self.real.add(tokens, label)
        (real, own), (fake, theirs) = self.real.some(AT_ONCE), self.made.some(AT_ONCE)
        if self.clock.last:
            self.real.forget()  # a finished run holds no examples of the data
        labels = None if own is None or theirs is None else torch.cat([own, theirs])
        logits = critic(torch.cat([real, fake]), labels)[1]
        truth = torch.cat([torch.ones(len(real)), torch.zeros(len(fake))]).to(logits.device)
        return self.critic.minimizes(
            whole=binary_cross_entropy_with_logits(logits, truth), weights=SMALL * critic.weights.weight.square().sum()
        )

    def _critics(self, real: Tensor, fake: Tensor, label: Label | None, context: Tensor | None) -> tuple[Move, ...]:
        """The critic, and the second one if there will be a game, tell real from generated, token by token and as a whole; of replies also
        those that answer something else (Reed et al. 2016), which weigh as much as the generated ones."""
        parts, weights = [real, fake], [1.0, 1.0]
        before = context
        if context is not None:
            parts, weights = [real, fake, real], [1.0, 0.5, 0.5]
            before = torch.cat([context, context, context.roll(1, 0)])
        labels = None if label is None else torch.cat([label] * len(parts))
        both = torch.cat(parts)
        there, moves = there_of(both, self.spec.pad), []
        truth = torch.cat([torch.full((len(part),), float(place == 0), device=real.device) for place, part in enumerate(parts)])
        weight = torch.cat([torch.full((len(part),), own, device=real.device) for part, own in zip(parts, weights, strict=True)])
        critics = {"critic": self.critic, **({"judge": self.judge} if self.plays else {})}
        for name, player in critics.items():
            positions, whole = player(both, labels, before)
            first, second = whole.detach()[: 2 * len(real)].chunk(2)
            if name == list(critics)[-1]:
                if self.stage == "game":
                    self._remember(2, area(first, second))
                else:
                    self._watch(area(first, second), real, label, context)
            if name == "critic":
                self._critic.trust.learn(first, second, 1 - REMEMBERED)
            by_token = binary_cross_entropy_with_logits(positions, truth[:, None].expand_as(positions), reduction="none")
            by_whole = binary_cross_entropy_with_logits(whole, truth, weight)
            weighed = there * weight[:, None]
            moves.append(player.minimizes(tokens=(by_token * weighed).sum() / weighed.sum(), whole=by_whole))
        return tuple(moves)

    @torch.no_grad()
    def _watch(self, found: Tensor, tokens: Tensor, label: Label | None, context: Tensor | None) -> None:
        """Remembers the area under a critic's curve and nats a token, before the game."""
        averaged = self.generator.averaged
        assert isinstance(averaged, SequenceModel)
        self._remember(0, found)
        self._remember(1, averaged.surprise(tokens, label, context))
        self.seen[2:].copy_(self.seen[:2])

    @torch.no_grad()
    def _rewards(self, fake: Tensor, label: Label | None, context: Tensor | None) -> Tensor:
        """What each token earned [batch, length]: its own reward and the discounted later ones, the last of which is the whole's."""
        positions, whole = self.critic(fake, label, context)
        there = there_of(fake, self.spec.pad)
        last = there * (there.cumsum(1) == there.sum(1, keepdim=True)).float()
        return discounted((positions / 2).tanh() * there + 2 * (whole / 2).tanh()[:, None] * last, self.config.discount)

    def _remember(self, place: int, value: Tensor) -> None:
        kept = torch.where(self.seen[place] == (0.5 if place % 2 == 0 else 0.0), 0.0, REMEMBERED)
        self.seen[place] = kept * self.seen[place] + (1 - kept) * distributed.average(value)

    @torch.no_grad()
    def _begin_from_the_average(self) -> None:
        """The averaged model is the one whose samples the critics learn; the game will begin with it, and may come back to it."""
        for network in (self.model, self.before["model"]):
            network.load_state_dict(self.generator.averaged.state_dict())
        self.before["critic"].load_state_dict(self.critic.network.state_dict())

    @torch.no_grad()
    def _check(self, last: bool) -> None:
        """Takes the weights back if the game made things worse, or at the end not better."""
        area_before, nats_before, area_now, nats_now = self.seen.tolist()
        worse = nats_now > nats_before + SLACK or area_now > area_before + GAIN
        if worse or (last and area_now > area_before - GAIN):
            self.taken_back = True
            for network in (self.model, self.generator.averaged):
                network.load_state_dict(self.before["model"].state_dict())
            self.critic.network.load_state_dict(self.before["critic"].state_dict())

    def gauges(self) -> Mapping[str, float]:
        """What the second critic and the likelihood say of the game."""
        before, nats_before, now, nats_now = self.seen.tolist()
        if self.stage == "likelihood":
            return {}
        said = {"critic_auc_before": before, "critic_auc": now, "nats_before": nats_before, "nats": nats_now}
        return {**said, "trust": self.trust, "taken_back": float(self.taken_back)}
