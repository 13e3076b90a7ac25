"""Residual vector quantisation: each codebook takes what the ones before it left (Zeghidour et al. 2021, SoundStream, section 3.3)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gansmith.layers.vector_quantiser import VectorQuantiser

Frames = Float[Tensor, "batch depth frames"]


class ResidualQuantiser(nn.Module):
    """Vectors at every frame to the sums of one code of each of `stages` codebooks; gradients pass straight through."""

    def __init__(self, stages: int, codes: int, depth: int, *, decay: float, rare: float) -> None:
        super().__init__()
        self.books = nn.ModuleList(VectorQuantiser(codes, depth, decay=decay, rare=rare) for _ in range(stages))

    def forward(self, x: Frames) -> tuple[Frames, Float[Tensor, ""]]:
        """(the sums of codes with x's gradients, the mean squared distance that draws x to them)."""
        rest, total, distances = x.float(), torch.zeros_like(x, dtype=torch.float32), []
        for book in self.books:
            found, _, distance = book(rest[..., None])
            found = found[..., 0].detach()
            distances.append(distance)
            total, rest = total + found, rest - found
        return x + (total - x).detach(), torch.stack(distances).mean()

    def nearest(self, x: Frames) -> Int[Tensor, "batch stages frames"]:
        """The code of every book at every frame."""
        rest, chosen = x.float(), []
        for book in self.books:
            assert isinstance(book, VectorQuantiser)
            own = book.nearest(rest[..., None])
            rest = rest - book.look_up(own)[..., 0]
            chosen.append(own[..., 0])
        return torch.stack(chosen, 1)

    def look_up(self, chosen: Int[Tensor, "batch stages frames"]) -> Frames:
        """The sums of codes."""
        found = [book.codes[own].mT for book, own in zip(self.books, chosen.unbind(1), strict=True)]  # pyright: ignore[reportIndexIssue]
        return torch.stack(found).sum(0)

    def absorb(self) -> None:
        """Moves the codes by what was gathered since the last time; called once a round, before it."""
        for book in self.books:
            assert isinstance(book, VectorQuantiser)
            book.absorb()

    def used(self) -> float:
        """How evenly codes are used on average, from 0 to 1."""
        return sum(book.used() for book in self.books if isinstance(book, VectorQuantiser)) / len(self.books)
