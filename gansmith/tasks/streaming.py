"""Games whose models write one token after the other, and can be watched at it: what `gansmith generate --stream` needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import torch

from gansmith.data.codec import Batch


@runtime_checkable
class Streams(Protocol):
    """A GAN that makes a sequence token by token."""

    def stream(self, condition: Batch, *, rng: torch.Generator, truncation: float = 1.0) -> Iterator[Batch]:
        """One example under a condition of one, as far as it is written, after each token."""
        ...
