"""Monotonic alignment search (Kim et al. 2020, Glow-TTS, algorithm 1): which symbol each frame belongs to, over all examples at once."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

NEVER = -1e9


@torch.no_grad()
def monotonic_durations(
    scores: Float[Tensor, "batch symbols frames"], symbols: Int[Tensor, " batch"], frames: Int[Tensor, " batch"]
) -> Int[Tensor, "batch symbols"]:
    """How many frames each symbol lasts where every one lasts at least one, all in order, and the sum of scores is largest.

    `symbols` and `frames` are how many of them each example has; what lies behind counts nothing.
    """
    batch, most, count = scores.shape
    value = scores.new_full((batch, most), NEVER)
    value[:, 0] = scores[:, 0, 0]
    moved = torch.zeros(count, batch, most, dtype=torch.bool, device=scores.device)
    for at in range(1, count):
        before = torch.nn.functional.pad(value[:, :-1], (1, 0), value=NEVER)
        moved[at] = before > value
        value = torch.maximum(value, before) + scores[:, :, at]
    durations = torch.zeros(batch, most, dtype=torch.long, device=scores.device)
    place = (symbols - 1).clamp_min(0)[:, None]
    for at in reversed(range(count)):
        there = (at < frames)[:, None]
        durations.scatter_add_(1, place, there.long())
        place = place - (there & moved[at].gather(1, place)).long()
    return durations
