"""WaveNet's gated convolutions with skips, not causal (van den Oord et al. 2016; as in Kim et al. 2021, VITS, section 2.5)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class WaveNet(nn.Module):
    """Numbers at every frame to other numbers at every frame; frames behind the end stay 0. It begins by answering 0 with `zero`."""

    def __init__(
        self, channels: int, width: int, out: int, *, layers: int, size: int = 5, beside: int = 0, zero: bool = False
    ) -> None:
        """`beside` numbers an example, such as those of a speaker, join every layer."""
        super().__init__()
        self.enter = nn.Conv1d(channels, width, 1)
        self.gates = nn.ModuleList(nn.Conv1d(width, 2 * width, size, padding=size // 2) for _ in range(layers))
        self.beside = nn.ModuleList(nn.Linear(beside, 2 * width) for _ in range(layers)) if beside else None
        self.mixes = nn.ModuleList(nn.Conv1d(width, 2 * width, 1) for _ in range(layers))
        self.leave = nn.Conv1d(width, out, 1)
        if zero:
            nn.init.zeros_(self.leave.weight)
            nn.init.zeros_(self.leave.bias)  # pyright: ignore[reportArgumentType]

    def forward(
        self,
        x: Float[Tensor, "batch channels frames"],
        there: Float[Tensor, "batch 1 frames"],
        beside: Float[Tensor, "batch beside"] | None = None,
    ) -> Float[Tensor, "batch out frames"]:
        x = self.enter(x) * there
        total = torch.zeros_like(x)
        for place, (gate, mix) in enumerate(zip(self.gates, self.mixes, strict=True)):
            inner = gate(x)
            if self.beside is not None and beside is not None:
                inner = inner + self.beside[place](beside)[:, :, None]
            value, opening = inner.chunk(2, 1)
            step, skip = mix(value.tanh() * opening.sigmoid()).chunk(2, 1)
            x, total = (x + step) * there, total + skip
        return self.leave(total) * there
