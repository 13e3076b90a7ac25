"""ORGAN: SeqGAN whose rewards also say what sequences should be good for (Guimaraes et al. 2017, "Objective-reinforced generative
adversarial networks (ORGAN) for sequence generation models").

The reward of a finished sequence is a mixture of the critic's verdict and an objective, a number from 0 to 1 that its kind of data knows
how to compute (of molecules qed, sa, logp, ...). Sequences that occur several times in a batch earn less (section 3.1: divided by how
often). All else is SeqGAN's.

    gansmith train drugs.csv --gan organ --gan.objective qed
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from gansmith import kinds as all_kinds
from gansmith.data.tokens import TokenSpec
from gansmith.data.values import Moves
from gansmith.errors import UserError
from gansmith.game import Preset
from gansmith.gans import seqgan
from gansmith.layers.labels import Label


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of ORGAN."""

    objective: str = "qed"
    """What sequences should be good for; of molecules qed, logp, sa, weight, tpsa, rings or atoms, -sa for little of it."""
    objective_share: float = 0.7
    """Weight of the objective beside the critic's verdict in the reward; 0 plays SeqGAN."""
    width: int = 128
    """Hidden units of the model (the paper: 32)."""
    embedding: int = 64
    """Numbers that stand for a token (the paper: 32)."""
    filters: int = 64
    """Filters of the critic of each size."""
    rollouts: int = 2
    """Sequences by which each token is judged."""
    critic_moves: Moves = 3
    """Moves of the critic for each of the model in the game."""
    likelihood_share: float = 0.6
    """Share of the budget in which the model learns by likelihood."""
    critic_share: float = 0.1
    """Share of the budget after that in which the critic learns against the model as it is."""
    learning_rate: float = 5e-3
    """Adam's step size for the model by likelihood."""
    policy_learning_rate: float = 5e-4
    """Adam's step size for the model by rewards."""
    critic_learning_rate: float = 1e-4
    """Adam's step size for the critic."""
    dropout: float = 0.25
    """Share of the critic's features that is left out while it learns."""
    half_life: int = 2_000
    """Half-life of the model's moving average in samples."""


class ORGAN(seqgan.SeqGAN):
    """Likelihood, then policy gradients with Monte Carlo roll-outs towards real-looking sequences that meet an objective."""

    Config = Config
    kinds = ()
    axes = (("token",),)
    rewarded = True
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(about="minutes on a CPU", kind="molecules", batch=64, minutes=5.0),
    }
    config: Config

    def __init__(self, config: Config, spec: TokenSpec) -> None:
        if not 0 <= config.objective_share <= 1:
            raise UserError(f"--gan.objective-share must lie between 0 and 1, but it is {config.objective_share}.")
        super().__init__(config, spec)
        assert callable(self._reward)  # what is wrong with the objective is said at once

    @cached_property
    def _reward(self) -> Callable[[np.ndarray], np.ndarray]:
        return all_kinds.find(self.spec.kind).reward(self.spec, self.config.objective)

    def _verdict(self, finished: Tensor, labels: Label | None) -> Tensor:
        """The critic's probabilities [batch], mixed with the objective over how many of the batch's sequences end alike."""
        share = self.config.objective_share
        probability = super()._verdict(finished, labels)
        if not share:
            return probability
        rows, places = np.unique(finished.cpu().numpy(), axis=0, return_inverse=True)
        places, begun = places.reshape(-1), np.arange(len(finished)) // finished.shape[1]
        different = np.unique(np.stack([places, begun]), axis=1)[0]
        counts = np.bincount(different, minlength=len(rows))
        worth = torch.from_numpy((self._reward(rows) / counts)[places]).to(probability)
        return share * worth + (1 - share) * probability
