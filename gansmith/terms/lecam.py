"""LeCam regularisation: logits held near what the other side used to get (Tseng et al. 2021)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.training.distributed import average


class LeCam(nn.Module):
    """The regulariser of "Regularizing GANs under limited data" (equation 3), with its two moving averages as buffers.

    Calling it updates the averages of the real and the generated logits, then returns the mean squared distance of the real logits
    to the generated average plus that of the generated logits to the real average.
    """

    real_average: Tensor
    fake_average: Tensor

    def __init__(self, decay: float = 0.99) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("real_average", torch.zeros(()))
        self.register_buffer("fake_average", torch.zeros(()))

    def forward(self, real: Float[Tensor, "*any"], fake: Float[Tensor, "*any"]) -> Float[Tensor, ""]:
        real, fake = real.float(), fake.float()
        with torch.no_grad():
            self.real_average.lerp_(average(real.mean()), 1 - self.decay)
            self.fake_average.lerp_(average(fake.mean()), 1 - self.decay)
        real_average, fake_average = self.real_average.clone(), self.fake_average.clone()  # the next call changes them in place
        return (real - fake_average).square().mean() + (fake - real_average).square().mean()
