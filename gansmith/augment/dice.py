"""The random numbers of one batch: every row decides for itself what happens to it; so many rows `together` share theirs."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.training.seeds import normal_rows, uniform_rows

Row = Float[Tensor, " batch"]


class Dice:
    """Draws one number for each row from torch's global generator, the same ones for one process and for many.

    Of every `together` rows that follow each other, as the frames of a clip do, all get the same number."""

    def __init__(self, batch: int, p: float | Tensor, device: torch.device, dtype: torch.dtype, together: int = 1) -> None:
        self.batch, self.p, self.device, self.dtype, self.together = batch // together, p, device, dtype, together

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Row:
        return low + (high - low) * self._rows(uniform_rows(self.batch, device=self.device))

    def normal(self, deviation: float) -> Row:
        return deviation * self._rows(normal_rows(self.batch, device=self.device))

    def integers(self, choices: int) -> Row:
        """Whole numbers from 0 to choices - 1."""
        return torch.floor(self.uniform(0.0, float(choices)))

    def angle(self) -> Row:
        return self.uniform(-math.pi, math.pi)

    def sometimes(self, strength: float, value: Row) -> Row:
        """The value with probability strength times p, otherwise 0."""
        return self.with_probability(self.p * strength, value)

    def with_probability(self, probability: float | Tensor, value: Row) -> Row:
        return torch.where(self.uniform() < probability, value, torch.zeros_like(value))

    def _rows(self, drawn: Row) -> Row:
        return drawn.to(self.dtype) if self.together == 1 else drawn.to(self.dtype).repeat_interleave(self.together)
