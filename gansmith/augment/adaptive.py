"""The strength of augmentation that follows how much the critic overfits (Karras et al. 2020, "... with limited data", section 3)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.training import distributed
from gansmith.training.clock import Clock


class AdaptiveStrength(nn.Module):
    """A probability p that rises while the critic is too sure of the training examples, and falls while it is not.

    The measure is r_t = E[sign D(real)], 0 without overfitting and 1 with it (equation 1); p moves towards keeping it at `target`.
    Everything is held in buffers, so a training resumes exactly.
    """

    p: Tensor
    signs: Tensor
    seen: Tensor

    def __init__(self, *, target: float = 0.6, full_swing: int | None = 500_000, interval: int = 256) -> None:
        """p goes from 0 to 1 in `full_swing` samples at the fastest, None: in an eighth of the budget; it moves every `interval`."""
        super().__init__()
        self.target, self.full_swing, self.interval = target, full_swing, interval
        self.register_buffer("p", torch.zeros(()))
        self.register_buffer("signs", torch.zeros(()))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def observe(self, logits: Float[Tensor, "batch *any"], clock: Clock) -> None:
        """Takes the critic's logits for real examples, 0 being undecided, and moves p when `interval` examples have been seen."""
        count = logits.shape[0] * distributed.processes()
        self.signs += distributed.average(logits.float().sign().mean()) * count
        self.seen += count
        swing = self.full_swing or (clock.total or 0) / 8
        due = self.seen >= self.interval  # stays on the device, which nobody waits for
        if swing:
            step = (self.signs / self.seen - self.target).sign() * self.seen / swing
            self.p.add_(step * due).clamp_(0, 1)
        self.signs.mul_(~due)
        self.seen.mul_(~due)
