"""Frames that a generated clip begins and ends with, as models that can begin with frames take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class StartsFromFrames(Protocol):
    """A GAN of clips that can begin with given frames: `generate` takes the conditions of `Ends.condition`."""

    @property
    def starts_from_frames(self) -> bool:
        """Whether it was trained to."""
        ...


@dataclass(frozen=True)
class Ends:
    """Packed frames uint8 [channels, height, width] that a clip begins and ends with."""

    first: Tensor
    before: Tensor | None = None
    """The frame before the first one, which then stands at the beginning of the clip."""
    last: Tensor | None = None

    def condition(self, n: int) -> dict[str, Tensor]:
        """ "given" [n, 3, C, H, W] from -1 to 1 (first, before, last; 0 where there is none) and "there" [n, 3], 1 where there is one."""
        frames = [self.first, self.before, self.last]
        given = torch.stack(
            [torch.zeros_like(self.first).float() if own is None else own.float() * (2 / 255) - 1 for own in frames]
        )
        there = torch.tensor([float(own is not None) for own in frames])
        return {"given": given.expand(n, *given.shape), "there": there.expand(n, 3)}
