"""Steps of music seen together: convolutions and attention over all of them, and pitch classes seen from each pitch."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

CLASSES = 12
"""Pitch classes."""


class Block(nn.Module):
    """Two convolutions over three steps and attention over all of them, each beside an identity."""

    def __init__(self, width: int, heads: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, nn.Dropout1d(dropout)
        self.before, self.between = nn.GroupNorm(1, width), nn.GroupNorm(1, width)
        self.first = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv1d(width, width, 3, padding=1)
        self.ask, self.answer = nn.Conv1d(width, 3 * width, 1), nn.Conv1d(width, width, 1)
        for last in (self.second, self.answer):
            nn.init.zeros_(last.weight)

    def forward(self, x: Float[Tensor, "batch width steps"]) -> Float[Tensor, "batch width steps"]:
        x = x + self.dropout(self.second(gelu(self.first(gelu(self.before(x))))))
        parts = self.ask(self.between(x)).unflatten(1, (3, self.heads, -1)).transpose(3, 4)  # [B, 3, heads, steps, width of each]
        found = scaled_dot_product_attention(parts[:, 0], parts[:, 1], parts[:, 2])
        return x + self.dropout(self.answer(found.transpose(2, 3).flatten(1, 2)))


class Harmony(nn.Module):
    """How often pitches sound, to channels of each pitch: what pitch classes sound at a step, near it and in all, seen from that pitch's
    class, so that it is the same in every key."""

    def __init__(self, channels: int, steps: int, bar: int) -> None:
        super().__init__()
        self.spans = (1, 2 * (bar // 4) + 1, 2 * steps + 1)
        self.hidden = nn.Linear(len(self.spans) * CLASSES, 6 * channels)
        self.out = nn.Linear(6 * channels, channels)
        turned = torch.arange(CLASSES)[:, None] + torch.arange(CLASSES)
        self.register_buffer("turned", turned % CLASSES, persistent=False)
        self.turned: Tensor

    def forward(self, sounding: Float[Tensor, "batch pitches steps"]) -> Float[Tensor, "batch channels pitches steps"]:
        pitches = sounding.shape[1]
        octaves = -(-pitches // CLASSES)
        whole = torch.nn.functional.pad(sounding, (0, 0, 0, octaves * CLASSES - pitches))
        classes = whole.unflatten(1, (octaves, CLASSES)).sum(1).float()  # [B, classes, steps]
        found = []
        for span in self.spans:
            count = span * torch.nn.functional.avg_pool1d(classes, span, 1, span // 2)
            share = count / (1 + count.sum(1, keepdim=True))
            found.append(share[:, self.turned])  # [B, class, from that class on, steps]
        seen = torch.cat(found, 2).permute(0, 1, 3, 2).to(sounding.dtype)
        made = self.out(gelu(self.hidden(seen))).permute(0, 3, 1, 2)  # [B, channels, classes, steps]
        return made.repeat(1, 1, octaves, 1)[:, :, :pitches]
