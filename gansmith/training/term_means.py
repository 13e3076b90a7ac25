"""The terms of the moves since the last tick, summed on the device and read once a tick."""

import torch
from torch import Tensor

from gansmith.training import distributed


class TermMeans:
    """Means of named scalars. Adding never waits for the device; a NaN or infinity anywhere makes the mean non-finite."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def add(self, name: str, value: Tensor) -> None:
        value = value.detach().float()
        if name in self.sums:
            self.sums[name] += value
            self.counts[name] += 1
        else:
            self.sums[name] = value.clone()
            self.counts[name] = 1

    def read(self) -> dict[str, float]:
        """The means over all additions and all processes."""
        if not self.sums:
            return {}
        means = torch.stack([total / self.counts[name] for name, total in self.sums.items()])
        return dict(zip(self.sums, distributed.average(means).tolist(), strict=True))

    def clear(self) -> None:
        self.sums.clear()
        self.counts.clear()
