"""A frame of a film made of the frames given and of those made before (Wang et al. 2018, "Video-to-video synthesis")."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.layers.clips import moved_along
from gansmith.layers.resnet_translator import ResNetTranslator

REACH = 0.5
"""How far a pixel may come from, in halves of the frame."""


@dataclass(frozen=True)
class Memory:
    """The last frames that were given and made, the newest first."""

    given: tuple[Tensor, ...] = ()
    made: tuple[Tensor, ...] = ()

    def with_frame(self, given: Tensor, made: Tensor, most: int) -> Memory:
        """What is remembered after one more frame."""
        return Memory((given, *self.given)[:most], (made, *self.made)[:most])


@dataclass(frozen=True)
class Made:
    """A frame [B, C, H, W], and how it came about."""

    frame: Tensor
    flow: Tensor | None = None
    """[B, 2, H, W]: how far away in the frame before, in halves of a frame, each pixel was. None where there is none before."""


class FrameMaker(nn.Module):
    """The last frame made, moved along a flow, and a painted one, mixed by a mask (equation 4); the network finds all three."""

    def __init__(self, given: int, made: int, *, past: int, width: int, blocks: int) -> None:
        """From `given` to `made` channels; `past` is how many frames before are looked at, 0 for each frame by itself."""
        super().__init__()
        self.given, self.made, self.past = given, made, past
        seen = given + past * (given + made + 1)
        self.network = ResNetTranslator(seen, made + 3 if past else made, width=width, blocks=blocks)
        self.multiple = self.network.multiple

    def next(self, given: Float[Tensor, "batch channels height width"], memory: Memory) -> Made:
        """The next frame; where nothing lies before, a plane says so, and all is painted."""
        planes = [given]
        for place in range(self.past):
            known = place < len(memory.made)
            planes += [memory.given[place], memory.made[place]] if known else [
                given.new_zeros(given.shape[0], self.given + self.made, *given.shape[2:])
            ]  # fmt: skip
            planes.append(given.new_full((given.shape[0], 1, *given.shape[2:]), float(known)))
        found = self.network(torch.cat([own.float() for own in planes], 1))
        painted = found[:, : self.made]
        if not (self.past and memory.made):
            return Made(painted)
        flow, stays = REACH * found[:, self.made : self.made + 2], (found[:, self.made + 2 :] + 1) / 2
        with torch.autocast(given.device.type, enabled=False):
            before = moved_along(memory.made[0].float(), flow.float())
        return Made(torch.lerp(painted, before, stays.expand_as(painted)), flow)

    def forward(
        self, input: Float[Tensor, "batch frames channels height width"]
    ) -> Float[Tensor, "batch frames made height width"]:
        memory, frames = Memory(), []
        for given in input.unbind(1):
            frames.append(self.next(given, memory).frame)
            memory = memory.with_frame(given, frames[-1], self.past)
        return torch.stack(frames, 1)
