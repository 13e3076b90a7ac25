"""The moving average of a player's weights: what is generated from, previewed and shared."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.utils.parametrize import ParametrizationList

from gansmith.training.clock import Clock
from gansmith.training.schedules import Schedule, as_schedule


class Average(nn.Module):
    """An exponential moving average of a network with a half-life in samples (Karras et al. 2018, appendix C).

    In `samples` samples the average forgets half of what it was, whatever the batch size. With a ramp, the half-life is at
    most that share of the samples seen so far, so that a young average does not drag the initial weights along.
    """

    def __init__(self, network: nn.Module, half_life: float | Schedule, ramp: float | None = 0.05) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.half_life, self.ramp = as_schedule(half_life), ramp
        self._parametrized = [module for module in self.network.modules() if isinstance(module, ParametrizationList)]

    def train(self, mode: bool = True) -> Average:
        """The average always generates as after training, whatever the mode of the GAN around it."""
        super().train(mode)
        self.network.eval()
        return self

    def decay(self, clock: Clock, samples: int) -> float:
        """The share of the old average that is kept after this many further samples."""
        half_life = self.half_life(clock)
        if self.ramp is not None:
            half_life = min(half_life, self.ramp * (clock.samples + samples))
        return 0.5 ** (samples / half_life) if half_life > 0 else 0.0

    @torch.no_grad()
    def update(self, network: nn.Module, clock: Clock, samples: int) -> None:
        """Moves the average towards the network; buffers (batch statistics) are averaged too, integer ones copied."""
        keep = self.decay(clock, samples)
        old, new = self.network.state_dict(), network.state_dict()
        floating = [key for key in new if new[key].is_floating_point()]
        torch._foreach_lerp_([old[key] for key in floating], [new[key] for key in floating], 1 - keep)
        for key in new.keys() - floating:
            old[key].copy_(new[key])
        for parametrization in self._parametrized:  # averaged singular vectors are none: one power iteration on averaged weights
            parametrization.train()()
            parametrization.eval()
