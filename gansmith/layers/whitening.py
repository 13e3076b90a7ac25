"""Series made white: every frequency and every direction of the channels with the same variance, by a fixed linear map.

Levels of most series vary a hundred times more than their steps; a critic looks at what varies most. In the white space everything
counts alike. The map keeps the order of time, so that convolutions go on making sense, and is exactly invertible.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.kinds.series.spec import SeriesSpec
from gansmith.kinds.series.spectrum import cosines, knots

FLOOR = 1e-4
"""The smallest deviation that is raised to 1, as a share of the mean deviation: beneath lies rounding."""


class Whitening(nn.Module):
    """Between series in the codec's units and white ones, for any number of steps."""

    def __init__(self, spec: SeriesSpec) -> None:
        super().__init__()
        self.steps, self.channels = spec.shape
        covariances = np.array(spec.spectrum).reshape(-1, self.channels, self.channels)
        floor = FLOOR**2 * max(float(np.trace(covariances.mean(0))) / self.channels, 1e-12)
        self.cholesky = np.linalg.cholesky(covariances + floor * np.eye(self.channels))
        self.register_buffer("means", torch.tensor(spec.means, dtype=torch.float32), persistent=False)
        transform, factors = self.at_frequencies(self.steps)
        self.register_buffer("transform", transform, persistent=False)
        self.register_buffer("factors", factors, persistent=False)
        self.register_buffer("inverses", torch.linalg.inv(factors.double()).float(), persistent=False)
        self.means: Tensor
        self.transform: Tensor
        self.factors: Tensor
        self.inverses: Tensor

    def at_frequencies(self, steps: int) -> tuple[Float[Tensor, "steps steps"], Float[Tensor, "steps channels channels"]]:
        """The cosine transform of so many steps, and the Cholesky factor of the covariance at each of its frequencies."""
        at = np.arange(steps) * self.steps / steps
        known = knots(self.steps)
        above = np.clip(np.searchsorted(known, at, side="right"), 0, len(known) - 1)
        below = np.maximum(above - 1, 0)
        share = np.clip((at - known[below]) / np.maximum(known[above] - known[below], 1), 0, 1)[:, None, None]
        factors = (1 - share) * self.cholesky[below] + share * self.cholesky[above]
        return torch.tensor(cosines(steps), dtype=torch.float32), torch.tensor(factors, dtype=torch.float32)

    def white(self, series: Float[Tensor, "batch steps channels"]) -> Float[Tensor, "batch channels steps"]:
        """From the codec's units; of as many steps as the training had."""
        coefficients = torch.einsum("ft,btc->fcb", self.transform, series.float() - self.means)
        return torch.einsum("ft,fcb->bct", self.transform, self.inverses @ coefficients)

    def coloured(self, white: Float[Tensor, "batch channels steps"]) -> Float[Tensor, "batch steps channels"]:
        """Back to the codec's units, of any number of steps."""
        transform, factors = self.transform, self.factors
        if white.shape[2] != self.steps:
            transform, factors = (part.to(white.device) for part in self.at_frequencies(white.shape[2]))
        coefficients = torch.einsum("ft,bct->fcb", transform, white.float())
        return torch.einsum("ft,fcb->btc", transform, factors @ coefficients) + self.means
