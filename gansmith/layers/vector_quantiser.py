"""A codebook: vectors replaced by the nearest of a few that follow them (van den Oord et al. 2017; averages as in appendix A.1)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from gansmith.training import distributed
from gansmith.training.seeds import uniform_rows

Maps = Float[Tensor, "batch depth height width"]


class VectorQuantiser(nn.Module):
    """Maps to maps of the nearest codes; gradients pass straight through to what came in.

    Codes are moving averages of the vectors that chose them, gathered in training and absorbed by `absorb`. A code that hardly any
    vector chooses begins anew at a vector of the last batch (Dhariwal et al. 2020, section 3.1), so that the codebook is used.
    """

    codes: Tensor
    counts: Tensor
    sums: Tensor
    new_counts: Tensor
    new_sums: Tensor
    fresh: Tensor

    def __init__(self, count: int, depth: int, *, decay: float, rare: float) -> None:
        """`rare` is the share of an even use below which a code begins anew."""
        super().__init__()
        self.decay, self.rare = decay, rare
        self.register_buffer("codes", torch.randn(count, depth) / depth**0.5)
        self.register_buffer("counts", torch.zeros(count))
        self.register_buffer("sums", torch.zeros(count, depth))
        self.register_buffer("new_counts", torch.zeros(count))
        self.register_buffer("new_sums", torch.zeros(count, depth))
        self.register_buffer("fresh", torch.zeros(count, depth))

    def forward(self, x: Maps) -> tuple[Maps, Int[Tensor, "batch height width"], Float[Tensor, ""]]:
        """(the codes' maps with x's gradients, which codes, the mean squared distance that draws x to its codes)."""
        chosen = self.nearest(x)
        found = self.look_up(chosen)
        if self.training:
            self._gather(x.detach().float(), chosen)
        distance = mse_loss(x.float(), found)
        return x + (found - x).detach(), chosen, distance

    def nearest(self, x: Maps) -> Int[Tensor, "batch height width"]:
        """The nearest code of every place."""
        rows = x.detach().float().movedim(1, 3)
        distances = self.codes.square().sum(1) - 2 * (rows @ self.codes.T)  # what is left out is the same for all codes
        return distances.argmin(3)

    def look_up(self, chosen: Int[Tensor, "batch height width"]) -> Maps:
        return self.codes[chosen].movedim(3, 1)

    @torch.no_grad()
    def _gather(self, x: Tensor, chosen: Tensor) -> None:
        rows, flat = x.movedim(1, 3).flatten(0, 2), chosen.flatten()
        self.new_counts.index_add_(0, flat, torch.ones_like(rows[:, 0]))
        self.new_sums.index_add_(0, flat, rows)
        picked = (uniform_rows(len(self.codes), device=rows.device) * len(rows)).long()
        self.fresh.copy_(rows[picked])

    @torch.no_grad()
    def absorb(self) -> None:
        """Moves the codes by what was gathered since the last time, in all processes together. Called once a round, before it."""
        counts, sums = distributed.average(self.new_counts), distributed.average(self.new_sums)
        fresh, seen = distributed.average(self.fresh), counts.sum()
        begun = self.counts.sum() > 0
        keep = torch.where(seen > 0, torch.where(begun, self.decay, 0.0), 1.0)
        self.counts.copy_(keep * self.counts + (1 - keep) * counts)
        self.sums.copy_(keep * self.sums + (1 - keep) * sums)
        even = self.counts.sum() / len(self.counts)
        anew = ((self.counts < self.rare * even) & (seen > 0))[:, None]
        self.sums.copy_(torch.where(anew, fresh * even, self.sums))
        self.counts.copy_(torch.where(anew[:, 0], even, self.counts))
        moved = self.sums / self.counts.clamp_min(1e-12)[:, None]
        self.codes.copy_(torch.where(seen > 0, moved, self.codes))
        self.new_counts.zero_()
        self.new_sums.zero_()

    def used(self) -> float:
        """How evenly codes are used, from 0 to 1: the perplexity of the averaged counts as a share of the codebook."""
        shares = self.counts / self.counts.sum().clamp_min(1e-12)
        return float((-(shares * shares.clamp_min(1e-12).log()).sum()).exp() / len(shares))
