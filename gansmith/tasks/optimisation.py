"""Optimisation: a model of tokens learns by reinforcement to write what an objective scores high.

The augmented likelihood of REINVENT (Olivecrona et al. 2017, "Molecular de-novo design through deep reinforcement learning", section 3.2):
the agent begins as a copy of the trained model, the prior, and minimises (log prior(x) + sigma * score(x) - log agent(x))^2 over what it
writes. Beside it, as in REINVENT 2.0 (Blaschke et al. 2020), a diversity filter, which gives no more reward to a family of examples that
has been found often, and a replay of the best ones. Where the model has a critic, its probability that an example is real is part of the
reward, so that the agent stays near the data. Objectives that can breed examples from the best ones add to what is replayed (as in Kim et
al. 2024, "Genetic-guided GFlowNets").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Annotated, Protocol

import numpy as np
import torch
from torch import Tensor

from gansmith.data.codec import Batch
from gansmith.data.values import Count, Number, Seed, Whole
from gansmith.errors import UserError
from gansmith.game import GAN
from gansmith.layers.counts_critic import CountsCritic
from gansmith.layers.ngram_critic import NgramCritic
from gansmith.layers.sequence import SequenceCritic, SequenceModel

BEST = 100
"""Examples from which the replayed ones are drawn."""
IDLE = 25
"""Rounds without a new example after which the agent is given up."""
STEP = 100
"""Calls from one point of a curve to the next, as in PMO (Gao et al. 2022)."""


class Objective(Protocol):
    """What is to be optimised."""

    def names(self, tokens: np.ndarray) -> Sequence[str | None]:
        """What rows of tokens mean; None for what means nothing. Equal names are one example."""
        ...

    def scores(self, names: Sequence[str]) -> Sequence[float]:
        """How good each example is, from 0 to 1."""
        ...

    def family(self, name: str) -> str:
        """What it is a variant of, for the diversity filter."""
        ...

    def bred(self, best: Sequence[tuple[str, float]], count: int, rng: np.random.Generator) -> Sequence[str]:
        """Up to so many examples made from good ones (with their scores) without the model; none where there is no way to."""
        ...

    def tokens(self, name: str) -> np.ndarray | None:
        """How the model would write an example that was bred; None if it cannot."""
        ...


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to optimise."""

    calls: Annotated[int, Whole(1, 10_000_000)] = 5000
    """Different examples that are scored."""
    batch: Count = 64
    """Examples that the agent writes in a round."""
    sigma: Annotated[float, Number(0, 1e6)] = 500.0
    """What a score of 1 adds to the logarithm of a probability; greater leaves the prior sooner (PMO: 500, REINVENT: 60 to 128)."""
    learning_rate: Annotated[float, Number(0, 1)] = 5e-4
    """Adam's step size."""
    critic: Annotated[float, Number(0, 100)] = 0.2
    """Weight of the critic's probability beside the score, in their geometric mean."""
    alike: Count = 25
    """How many examples of one family are rewarded."""
    replay: Annotated[int, Whole(0, BEST)] = 24
    """Examples of the best ones that are learned again in each step."""
    replays: Annotated[int, Whole(0, 1000)] = 3
    """Steps in each round that learn from the replay alone."""
    bred: Annotated[int, Whole(0, 100_000)] = 32
    """Examples that are bred from the best ones in each round, if the objective can."""
    seed: Seed = 0
    """Decides what is written."""


@dataclass
class Found:
    """Every example that was scored, in order, and the agent."""

    names: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    calls: int = 0
    """How many were allowed."""
    families: dict[str, str] = field(default_factory=dict)
    agent: SequenceModel | None = None

    def best(self, count: int | None = None, alike: int | None = None) -> list[tuple[str, float]]:
        """(example, score), the best first; at most `alike` of one family."""
        order = sorted(zip(self.names, self.scores, strict=True), key=lambda each: -each[1])
        seen: Counter[str] = Counter()
        kept = []
        for name, score in order:
            own = self.families.get(name, name)
            seen[own] += 1
            if alike is None or seen[own] <= alike:
                kept.append((name, score))
        return kept[:count]

    def curve(self, count: int = 10) -> list[float]:
        """The mean score of the best `count`, after every STEP calls and after the last."""
        places = [*range(STEP, len(self.scores), STEP), len(self.scores)]
        return [float(np.mean(sorted(self.scores[:place])[-count:])) for place in places] if self.scores else []

    def area(self, count: int = 10) -> float:
        """The area under that curve over the calls that were allowed, from 0 to 1 (PMO's measure, by trapezia; what was reached lasts)."""
        heights = [0.0, *self.curve(count)]
        places = [0, *range(STEP, len(self.scores), STEP), len(self.scores)]
        whole = max(1, self.calls)
        under = sum(
            (a + b) / 2 * (right - left) for a, b, left, right in zip(heights, heights[1:], places, places[1:], strict=False)
        )
        return (under + heights[-1] * (whole - places[-1])) / whole


def writer_of(gan: GAN) -> SequenceModel:
    """The network that writes tokens. Raises UserError for a GAN that makes examples otherwise."""
    network = gan.players["generator"].averaged if "generator" in gan.players else None
    if not isinstance(network, SequenceModel):
        raise UserError(
            f"{gan.name} does not write tokens one by one, so that it cannot be optimised: train sequencegan on the same data."
        )
    return network


def optimise(
    gan: GAN,
    objective: Objective,
    settings: Settings,
    condition: Callable[[int, torch.Generator], Batch] | None = None,
    watch: Callable[[Found], None] | None = None,
) -> Found:
    """What the agent found; `condition` gives labels of n examples, and `watch` sees what there is after each round.

    Raises UserError for a GAN that does not write tokens one by one. Ctrl-C ends it with what there is.
    """
    prior = writer_of(gan)
    found = Found(calls=settings.calls)
    try:
        for _ in _rounds(gan, prior, objective, settings, condition, found):
            if watch is not None:
                watch(found)
    except KeyboardInterrupt:
        if not found.names:
            raise
    return found


def _rounds(
    gan: GAN,
    prior: SequenceModel,
    objective: Objective,
    settings: Settings,
    condition: Callable[[int, torch.Generator], Batch] | None,
    found: Found,
) -> Iterator[None]:
    search = _Search(gan, prior, objective, settings, found)
    rng = torch.Generator().manual_seed(settings.seed)
    idle = 0
    while len(found.names) < settings.calls and idle < IDLE:
        before = len(found.names)
        batch = condition(settings.batch, rng) if condition is not None else {}
        label = batch["label"].to(gan.device) if "label" in batch else None
        with torch.no_grad():
            dice = torch.rand(settings.batch, search.agent.length, generator=rng).to(gan.device)
            tokens = search.agent.sampled(dice, label, may_stop=True)
        written = search.score(objective.names(tokens.cpu().numpy()), tokens, label)
        search.breed(label)
        if written is not None:
            search.learn(*search.with_replay(*written))
        for _ in range(settings.replays):
            if search.memory and settings.replay:
                search.learn(*search.with_replay())
        idle = 0 if len(found.names) > before else idle + 1
        yield


class _Search:
    """The agent, what it found, and what it learns again."""

    def __init__(self, gan: GAN, prior: SequenceModel, objective: Objective, settings: Settings, found: Found) -> None:
        prior.eval()
        self.gan, self.prior, self.objective, self.settings, self.found = gan, prior, objective, settings, found
        found.agent = self.agent = _learner(prior)
        self.optimizer = torch.optim.Adam(self.agent.parameters(), lr=settings.learning_rate)
        self.dice = np.random.default_rng(settings.seed)
        self.known: dict[str, float] = {}
        self.families: Counter[str] = Counter()
        self.memory: dict[str, tuple[float, Tensor, Tensor | None]] = {}
        """The best BEST examples that count: reward, tokens and label of each."""

    def score(
        self, names: Sequence[str | None], tokens: Tensor, label: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor] | None:
        """(tokens, label, reward) of the different ones among examples, new ones scored as long as calls are left; None without any."""
        found = self.found
        new = [name for name in dict.fromkeys(names) if name is not None and name not in self.known]
        new = new[: found.calls - len(found.names)]
        for name, score in zip(new, self.objective.scores(new) if new else (), strict=True):
            self.known[name] = score
            found.families[name] = self.objective.family(name)
            self.families[found.families[name]] += 1
            found.names.append(name)
            found.scores.append(score)
        first = {name: place for place, name in reversed(list(enumerate(names))) if name is not None and name in self.known}
        if not first:
            return None
        rows = torch.tensor(list(first.values()), device=tokens.device)
        some, own = tokens[rows], None if label is None else label[rows]
        rewards = torch.tensor([self.known[name] for name in first], device=tokens.device)
        if self.settings.critic:
            rewards = (rewards * _probability(self.gan, some, own, self.settings)) ** (1 / (1 + self.settings.critic))
        for place, name in enumerate(first):
            if self.families[found.families[name]] > self.settings.alike:
                rewards[place] = 0
                self.memory.pop(name, None)
            else:
                self.memory[name] = float(rewards[place]), some[place], None if own is None else own[place]
        self.memory = dict(sorted(self.memory.items(), key=lambda each: -each[1][0])[:BEST])
        return some, own, rewards

    def breed(self, label: Tensor | None) -> None:
        """Scores examples that are bred from the best ones, and remembers those that the model could have written."""
        if not self.settings.bred:
            return
        best = self.found.best(BEST, self.settings.alike)
        names = [name for name in self.objective.bred(best, self.settings.bred, self.dice) if name not in self.known]
        if not names:
            return
        rows = [self.objective.tokens(name) for name in names]
        nothing = np.full(self.agent.length, self.agent.pad)
        tokens = torch.from_numpy(np.array([nothing if row is None else row for row in rows]).astype(np.int64))
        before = dict(self.memory)
        places = None if label is None else label[torch.from_numpy(self.dice.integers(0, len(label), len(rows)))]
        self.score(names, tokens.to(self.gan.device), places)
        for name, row in zip(names, rows, strict=True):
            if row is None and name not in before:
                self.memory.pop(name, None)

    def with_replay(
        self, tokens: Tensor | None = None, label: Tensor | None = None, rewards: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Examples with some of the best ones behind them, or these alone."""
        parts = [(tokens, label, rewards)] if tokens is not None and rewards is not None else []
        again = list(self.memory.values())
        if again and self.settings.replay:
            weights = np.array([each[0] for each in again]) + 1e-6
            count = min(self.settings.replay, len(again))
            chosen = [again[place] for place in self.dice.choice(len(again), count, replace=False, p=weights / weights.sum())]
            labels = [own for _, _, own in chosen if own is not None]
            scores = torch.tensor([reward for reward, _, _ in chosen], device=self.gan.device)
            parts.append((torch.stack([row for _, row, _ in chosen]), torch.stack(labels) if labels else None, scores))
        labels = [own for _, own, _ in parts if own is not None]
        return (
            torch.cat([part[0] for part in parts]),
            torch.cat(labels) if labels else None,
            torch.cat([part[2] for part in parts]),
        )

    def learn(self, tokens: Tensor, label: Tensor | None, rewards: Tensor) -> None:
        """A step towards the augmented likelihood."""
        with torch.no_grad():
            goal = self.prior.log_probabilities(tokens, label).sum(1) + self.settings.sigma * rewards
        loss = (goal - self.agent.log_probabilities(tokens, label).sum(1)).square().mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.agent.parameters(), 500.0)
        self.optimizer.step()


def _learner(prior: SequenceModel) -> SequenceModel:
    """A copy that learns, without dropout: an agent is compared with its prior token by token."""
    agent = deepcopy(prior).requires_grad_(True).train()
    for module in agent.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return agent


@torch.no_grad()
def _probability(gan: GAN, tokens: Tensor, label: Tensor | None, settings: Settings) -> Tensor:
    """The probability of being real that the critic gives each, to the power of its weight; 1 without a critic."""
    player = gan.players.get("critic")
    if player is None or not settings.critic or not isinstance(player.averaged, SequenceCritic | NgramCritic | CountsCritic):
        return torch.ones(len(tokens), device=tokens.device)
    player.eval()
    return player.averaged(tokens, label)[1].sigmoid() ** settings.critic


def described(found: Found, counts: Sequence[int] = (1, 10, 100)) -> Mapping[str, float]:
    """Means of the best, and the area under the curve of the best ten."""
    ordered = sorted(found.scores, reverse=True)
    means = {f"top_{count}": float(np.mean(ordered[:count])) for count in counts if ordered}
    return {**means, "auc_top_10": found.area(10), "calls": len(found.scores)}
