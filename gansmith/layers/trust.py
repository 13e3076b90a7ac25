"""How far the logits of a critic foretell what it has not seen."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from gansmith.training import distributed

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
"""What the logits may count, of which the one is taken that foretells best."""

LEAST = 0.002
"""Nats by which the logits must foretell better than nothing, to count at all."""


class Trust(nn.Module):
    """Running means of a critic's loss on samples and data that it had not seen, at each share of its logits.

    Part of the critic, so that a model that is saved knows it. Before anything was foretold the logits count nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("foretold", torch.full((len(SHARES),), 2.0).log())
        self.foretold: Tensor

    @torch.no_grad()
    def learn(self, real: Float[Tensor, " n"], fake: Float[Tensor, " m"], new: float) -> None:
        """Takes logits of unseen real and generated examples into the means, of which they make up the share `new`."""
        shares = torch.tensor(SHARES, device=real.device)[:, None]
        loss = (softplus(-shares * real.float()).mean(1) + softplus(shares * fake.float()).mean(1)) / 2
        self.foretold.lerp_(distributed.average(loss), new)

    @property
    def share(self) -> float:
        """What the logits count."""
        best = int(self.foretold.argmin())
        return SHARES[best] if float(self.foretold[best]) < float(self.foretold[0]) - LEAST else 0.0

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *more: Any) -> None:
        """Models of before did not save it."""
        name = f"{prefix}foretold"
        super()._load_from_state_dict({name: self.foretold, **state_dict}, prefix, *more)  # pyright: ignore[reportArgumentType]
