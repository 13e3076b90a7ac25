"""Transformer blocks over the positions of a grid, with learned relative positions (Jiang et al. 2021, TransGAN, section 3)."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu

from gansmith.errors import UserError

WHOLE = 1024
"""Positions up to which a grid attends as a whole; larger ones attend within windows (the paper's grid self-attention)."""
LARGEST_WINDOW, SMALLEST_WINDOW = 16, 4


def linear(features_in: int, features_out: int, gain: float = 1.0) -> nn.Linear:
    """A linear layer whose weights keep the variance at the start, times the gain squared; its bias is zero."""
    layer = nn.Linear(features_in, features_out)
    nn.init.normal_(layer.weight, 0, gain / math.sqrt(features_in))
    nn.init.zeros_(layer.bias)
    return layer


def even_root(x: Float[Tensor, "batch positions width"]) -> Float[Tensor, "batch positions width"]:
    """Each position's features over their root mean square: the paper's normalisation, without weights."""
    return x * (x.square().mean(2, keepdim=True) + 1e-8).rsqrt()


def as_maps(x: Float[Tensor, "batch positions width"], grid: tuple[int, int]) -> Float[Tensor, "batch width height columns"]:
    """Positions, read row by row, as maps."""
    return x.transpose(1, 2).unflatten(2, grid)


def as_positions(maps: Float[Tensor, "batch width height columns"]) -> Float[Tensor, "batch positions width"]:
    """Maps as positions, row by row."""
    return maps.flatten(2).transpose(1, 2)


def relative_positions(height: int, width: int) -> Int[Tensor, "positions positions"]:
    """For every two positions of a grid, read row by row, the number of their offset: (2 height - 1)(2 width - 1) there are."""
    row, column = (places.flatten() for places in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))
    down, right = row[:, None] - row + height - 1, column[:, None] - column + width - 1
    return down * (2 * width - 1) + right


def window_of(grid: tuple[int, int]) -> tuple[int, int]:
    """Within what window the positions of this grid attend: all of it, or the largest part of at most 16x16 that divides it.

    Raises UserError where a large grid has no such parts of at least 4x4.
    """
    if grid[0] * grid[1] <= WHOLE:
        return grid
    height, width = (max(part for part in range(1, LARGEST_WINDOW + 1) if side % part == 0) for side in grid)
    if min(height, width) < SMALLEST_WINDOW:
        raise UserError(
            f"A transformer attends within equal windows of 4 to 16 positions, into which {grid[0]}x{grid[1]} cannot be parted: train "
            "with a --resolution that halves more often, such as 64, or with --gan r3gan, which takes any size."
        )
    return height, width


class GridBlock(nn.Module):
    """Attention between the positions of each window, then two linear layers, each added to what it got."""

    offsets: Tensor

    def __init__(self, width: int, *, heads: int, grid: tuple[int, int], expansion: int) -> None:
        """`expansion` is how much wider the block is between its linear layers. Raises UserError where heads do not part the width."""
        super().__init__()
        if width % heads:
            raise UserError(f"Every width must be a multiple of the {heads} heads, but {width} is not: change --gan.heads.")
        self.heads, self.grid, self.window = heads, grid, window_of(grid)
        height, columns = self.window
        self.query_key_value = linear(width, 3 * width)
        self.nearness = nn.Parameter(torch.zeros((2 * height - 1) * (2 * columns - 1), heads))
        self.register_buffer("offsets", relative_positions(height, columns), persistent=False)
        self.out = linear(width, width, 0.5)
        self.wide, self.narrow = linear(width, expansion * width), linear(expansion * width, width, 0.5)

    def forward(self, x: Float[Tensor, "batch positions width"]) -> Float[Tensor, "batch positions width"]:
        x = x + self.attended(x)
        return x + self.narrow(gelu(self.wide(even_root(x))))

    def attended(self, x: Float[Tensor, "batch positions width"]) -> Float[Tensor, "batch positions width"]:
        parts = self.query_key_value(self.parted(even_root(x))).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind()  # [B, heads, positions, width / heads]
        nearness = self.nearness[self.offsets].permute(2, 0, 1).to(query.dtype)
        attention = (query @ key.transpose(2, 3) * query.shape[3] ** -0.5 + nearness).softmax(3)
        return self.joined(self.out((attention @ value).transpose(1, 2).flatten(2)))

    def parted(self, x: Float[Tensor, "batch positions width"]) -> Float[Tensor, "windows inside width"]:
        """The windows as examples of their own."""
        if self.window == self.grid:
            return x
        (rows, columns), (height, width) = self._windows(), self.window
        x = x.unflatten(1, (rows, height, columns, width)).transpose(2, 3)  # [B, rows, columns, height, width, features]
        return x.flatten(3, 4).flatten(0, 2)

    def joined(self, x: Float[Tensor, "windows inside width"]) -> Float[Tensor, "batch positions width"]:
        """What was parted, as a whole again."""
        if self.window == self.grid:
            return x
        (rows, columns), (height, width) = self._windows(), self.window
        x = x.unflatten(0, (-1, rows, columns)).unflatten(3, (height, width)).transpose(2, 3)
        return x.flatten(1, 4)

    def _windows(self) -> tuple[int, int]:
        return self.grid[0] // self.window[0], self.grid[1] // self.window[1]
