"""Optimisation: a model of tokens learns by reinforcement to write what an objective scores high.

The augmented likelihood of REINVENT (Olivecrona et al. 2017, "Molecular de-novo design through deep reinforcement learning", section 3.2):
the agent begins as a copy of the trained model, the prior, and minimises (log prior(x) + sigma * score(x) - log agent(x))^2 over what it
writes. Beside it, as in REINVENT 2.0 (Blaschke et al. 2020), a diversity filter, which gives no more reward to a family of examples that
has been found often, and a replay of the best ones. Where the model has a critic, its probability that an example is real is part of the
reward, so that the agent stays near the data.
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
    """Examples of the best ones that are learned again in each round."""
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
    device, rng = gan.device, torch.Generator().manual_seed(settings.seed)
    dice = np.random.default_rng(settings.seed)
    prior.eval()
    found.agent = agent = _learner(prior)
    optimizer = torch.optim.Adam(agent.parameters(), lr=settings.learning_rate)
    known: dict[str, float] = {}
    families: Counter[str] = Counter()
    memory: dict[str, tuple[float, Tensor, Tensor | None]] = {}
    idle = 0
    while len(found.names) < settings.calls and idle < IDLE:
        batch = condition(settings.batch, rng) if condition is not None else {}
        label = batch["label"].to(device) if "label" in batch else None
        with torch.no_grad():
            tokens = agent.sampled(torch.rand(settings.batch, agent.length, generator=rng).to(device), label, may_stop=True)
        names = objective.names(tokens.cpu().numpy())
        first = {name: place for place, name in reversed(list(enumerate(names))) if name is not None}
        new = [name for name in dict.fromkeys(names) if name is not None and name not in known]
        new = new[: settings.calls - len(found.names)]
        idle = 0 if new else idle + 1
        for name, score in zip(new, objective.scores(new) if new else (), strict=True):
            known[name] = score
            found.families[name] = objective.family(name)
            found.names.append(name)
            found.scores.append(score)
        rows = torch.tensor([place for name, place in first.items() if name in known], dtype=torch.long, device=device)
        if not len(rows):
            yield
            continue
        written = [str(names[place]) for place in rows.tolist()]
        some, own = tokens[rows], None if label is None else label[rows]
        rewards = torch.tensor([known[name] for name in written], device=device) * _probability(gan, some, own, settings)
        if settings.critic:
            rewards = rewards ** (1 / (1 + settings.critic))
        for place, name in enumerate(written):
            if name in new:
                families[found.families[name]] += 1
            if families[found.families[name]] > settings.alike:
                rewards[place] = 0
                memory.pop(name, None)
            else:
                memory[name] = float(rewards[place]), some[place], None if own is None else own[place]
        memory = dict(sorted(memory.items(), key=lambda each: -each[1][0])[:BEST])
        if settings.replay and memory:
            again = list(memory.values())
            weights = np.array([each[0] for each in again]) + 1e-6
            chosen = dice.choice(len(again), min(settings.replay, len(again)), replace=False, p=weights / weights.sum())
            some = torch.cat([some, torch.stack([again[place][1] for place in chosen])])
            own = None if own is None else torch.cat([own, torch.stack([_sure(again[place][2]) for place in chosen])])
            rewards = torch.cat([rewards, torch.tensor([again[place][0] for place in chosen], device=device)])
        with torch.no_grad():
            goal = prior.log_probabilities(some, own).sum(1) + settings.sigma * rewards
        loss = (goal - agent.log_probabilities(some, own).sum(1)).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(agent.parameters(), 500.0)
        optimizer.step()
        yield


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
    if player is None or not settings.critic or not isinstance(player.averaged, SequenceCritic):
        return torch.ones(len(tokens), device=tokens.device)
    player.eval()
    return player.averaged(tokens, label)[1].sigmoid() ** settings.critic


def _sure(label: Tensor | None) -> Tensor:
    assert label is not None
    return label


def described(found: Found, counts: Sequence[int] = (1, 10, 100)) -> Mapping[str, float]:
    """Means of the best, and the area under the curve of the best ten."""
    ordered = sorted(found.scores, reverse=True)
    means = {f"top_{count}": float(np.mean(ordered[:count])) for count in counts if ordered}
    return {**means, "auc_top_10": found.area(10), "calls": len(found.scores)}
