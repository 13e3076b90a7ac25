"""Watches a game for the failures that GANs are known for, and says in words what happens and what to do.

Cheap checks read the log record of every tick; a probe, every few ticks, compares generated, training and held-out examples in
the codec's sketch space.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.training.clock import Clock

PROBED = 256
"""Examples of each kind in a probe."""
GROWN = 20_000
"""Samples before a game is judged by what it generates: an untrained generator is no collapsed one."""
BINS = 32
"""Regions into which the real data are divided to look for dropped modes, at most."""
VISITS = 8
"""Examples of a probe for every region: of fewer, some regions would be missed by chance."""


@dataclass(frozen=True)
class Alarm:
    """One finding: a name for machines and a sentence with what was seen and what to do."""

    name: str
    sentence: str

    def to_json(self) -> dict[str, str]:
        return {"level": "warning", **asdict(self)}


@dataclass(frozen=True)
class Probe:
    """What a probe found."""

    diversity: float
    """Mean distance between generated examples, as a share of that between real ones."""
    realism: float
    """Share of generated examples as near to a training example as real ones are to each other (precision, k = 5)."""
    missing: float
    """Share of the real data in regions where almost nothing is generated."""
    nearness: float
    """Median distance of generated examples to the nearest training example, over that of held-out examples; 1 where those are copies
    themselves, as rows of a few categories are."""
    critic_advantage: float
    """Probability that the critic scores a held-out example above a generated one."""
    critic_spread: float
    """Deviation of the critic's scores over their magnitude; 0 for a critic that says the same of everything."""


class Landmarks:
    """What probes need of the real data, computed once: sketches, regions and distances."""

    def __init__(
        self,
        training: Float[Tensor, "training features"],
        held_out: Float[Tensor, "held features"],
        probed: int = PROBED,
        partners: bool = False,
    ) -> None:
        """A probe generates `probed` examples. `partners` says that they are made of the inputs of the first held-out examples, and should
        resemble these one by one: then variety and regions are compared with those of the same held-out examples."""
        self.training = training
        self.reference = training[:1024]
        own = held_out[:probed] if partners else held_out
        self.diversity = torch.pdist(own).mean().item() if len(own) > 1 else 0.0
        self.held_nearness = _nearest(held_out, training).median().item()
        neighbours = min(6, len(self.reference))
        self.radius = torch.cdist(self.reference, self.reference).kthvalue(neighbours, dim=1).values
        self.centres, self.share = _regions(training[:4096], min(BINS, max(2, min(len(training) // 16, probed // VISITS))))
        if partners:
            self.share = self._visits(own)

    def probe(self, fake: Float[Tensor, "fakes features"], real_scores: Tensor, fake_scores: Tensor) -> Probe:
        scores = torch.cat([real_scores.flatten(), fake_scores.flatten()]).float()
        wins = (real_scores.flatten()[:, None] > fake_scores.flatten()[None, :]).float()
        ties = (real_scores.flatten()[:, None] == fake_scores.flatten()[None, :]).float()
        visits = self._visits(fake)
        return Probe(
            diversity=torch.pdist(fake).mean().item() / max(self.diversity, 1e-12),
            realism=(torch.cdist(fake, self.reference) <= self.radius).any(1).float().mean().item(),
            missing=self.share[visits < 0.1 * self.share].sum().item(),
            nearness=_nearest(fake, self.training).median().item() / self.held_nearness if self.held_nearness else 1.0,
            critic_advantage=(wins + ties / 2).mean().item(),
            critic_spread=(scores.std() / (scores.abs().mean() + 1e-12)).item(),
        )

    def _visits(self, x: Tensor) -> Float[Tensor, " regions"]:
        """The share of examples in each region."""
        return torch.bincount(torch.cdist(x, self.centres).argmin(1), minlength=len(self.centres)) / len(x)


def _nearest(x: Tensor, others: Tensor) -> Tensor:
    return torch.cat([torch.cdist(part, others).amin(1) for part in x.split(256)])


def _regions(x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Centres and shares of the regions of k-means, started from far points: the bins of Richardson & Weiss 2018, section 2."""
    chosen = [0]
    distance = torch.cdist(x, x[:1]).squeeze(1)
    for _ in range(count - 1):
        chosen.append(int(distance.argmax()))
        distance = torch.minimum(distance, torch.cdist(x, x[chosen[-1] :][:1]).squeeze(1))
    centres = x[chosen].clone()
    for _ in range(20):
        nearest = torch.cdist(x, centres).argmin(1)
        sizes = torch.bincount(nearest, minlength=count)
        sums = torch.zeros_like(centres).index_add_(0, nearest, x)
        centres = torch.where(sizes[:, None] > 0, sums / sizes.clamp_min(1)[:, None], centres)
    nearest = torch.cdist(x, centres).argmin(1)
    return centres, torch.bincount(nearest, minlength=count) / len(x)


class Health:
    """Remembers what it has seen, and raises each alarm when it has lasted."""

    LASTING = 2
    """Probes or ticks in a row that a symptom must last."""

    def __init__(self) -> None:
        self.first_norms: list[float] = []
        self.streaks: dict[str, int] = {}
        self.own: dict[str, int] = {}

    def state(self) -> dict[str, Any]:
        return {"first_norms": self.first_norms, "streaks": self.streaks, "own": self.own}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.first_norms, self.streaks = list(state["first_norms"]), dict(state["streaks"])
        self.own = dict(state.get("own", {}))  # runs of earlier versions have none

    def check_tick(self, record: Mapping[str, Any]) -> list[Alarm]:
        """Alarms that the record of a tick gives rise to: a generator that no longer learns."""
        norm = record["gradient_norms"].get("generator")
        if norm is None:
            return []
        if len(self.first_norms) < 5:
            self.first_norms.append(norm)
        usual = sorted(self.first_norms)[len(self.first_norms) // 2]
        return self._lasting(
            "vanishing_gradients",
            norm <= 1e-7 or norm < 1e-3 * usual,
            f"The generator's gradient has all but vanished (norm {norm:.1e}, at first {usual:.1e}), so it no longer "
            "learns: use a "
            "non-saturating or relativistic loss, lower the critic's learning rate, or add a gradient penalty.",
        )

    def check_probe(self, probe: Probe, clock: Clock) -> list[Alarm]:
        """Alarms that a probe gives rise to; young games are given time."""
        progress = clock.progress() if clock.samples >= GROWN else 0.0
        return [
            *self._lasting(
                "dead_critic",
                probe.critic_spread < 1e-4,
                f"The critic says the same of everything (spread of its scores {probe.critic_spread:.1e}), so the "
                "generator learns nothing from "
                "it: lower its learning rate or its penalty, or start anew with another seed.",
            ),
            *self._lasting(
                "critic_always_wins",
                probe.critic_advantage > 0.995 and progress > 0.3 and probe.realism < 0.05,
                f"The critic tells real from generated in {probe.critic_advantage:.0%} of pairs while only "
                f"{probe.realism:.0%} of what is generated "
                "looks real: strengthen the gradient penalty, lower the critic's learning rate, or let it move less often.",
            ),
            *self._lasting(
                "collapse",
                progress > 0.2 and probe.diversity < 0.5,
                f"Mode collapse: what is generated varies only {probe.diversity:.0%} as much as the real data; use --gan "
                "r3gan or a gradient penalty, "
                "lower the learning rates, or enlarge the batch.",
            ),
            *self._lasting(
                "dropped_modes",
                progress > 0.5 and probe.realism > 0.5 and probe.missing > 0.15 and probe.diversity >= 0.5,
                f"Mode collapse: almost nothing is generated where {probe.missing:.0%} of the real data lie, though the "
                "rest looks real; use "
                "--gan r3gan or a gradient penalty, lower the learning rates, or enlarge the batch.",
            ),
            *self._lasting(
                "memorisation",
                progress > 0.2 and probe.nearness < 0.5,
                f"Memorisation: generated examples lie {probe.nearness:.2f} times as far from the nearest training "
                "example as real held-out ones do, "
                "so they may be copies: use more data, augmentation or a shorter training, and look at the nearest "
                "neighbours in the report.",
            ),
        ]

    def check_own(self, symptoms: Mapping[str, str]) -> list[Alarm]:
        """Alarms for what a GAN finds in itself; a symptom that has gone is forgotten."""
        for name in {*self.own, *symptoms}:
            self.own[name] = self.own.get(name, 0) + 1 if name in symptoms else 0
        return [Alarm(name, sentence) for name, sentence in symptoms.items() if self.own[name] >= self.LASTING]

    def _lasting(self, name: str, present: bool, sentence: str) -> list[Alarm]:
        self.streaks[name] = self.streaks.get(name, 0) + 1 if present else 0
        return [Alarm(name, sentence)] if self.streaks[name] >= self.LASTING else []
