"""A large image through a network in overlapping tiles, without seams, and with smaller ones when memory runs out."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gansmith.errors import UserError, is_out_of_memory

FIRST_TILE = 512
"""The side of tiles, in pixels of the input, when the whole image does not fit into memory."""
SMALLEST_TILE = 32


def translated(
    network: nn.Module,
    image: Float[Tensor, "1 channels height width"],
    *,
    scale: int = 1,
    tile: int | None = None,
    overlap: int = 32,
) -> Float[Tensor, "1 made tall wide"]:
    """What the network makes of the image, `scale` times as large. With `tile`, in tiles of that side; else as a whole.

    Tiles overlap by `overlap` pixels on every side. The outer half of the overlap is seen but not used; over the inner half
    neighbouring tiles fade into each other. Pixels further from a tile's edge than the network sees are those of the whole image.
    When memory runs out everything is made anew with tiles of half the side. Raises UserError when not even small tiles fit.
    """
    while True:
        try:
            return network(image).float() if tile is None else _in_tiles(network, image, scale, tile, overlap)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        tile = FIRST_TILE if tile is None else tile // 2
        while tile >= 2 * SMALLEST_TILE and tile >= max(image.shape[2:]):
            tile //= 2
        if tile < SMALLEST_TILE:
            raise UserError(f"there is not enough memory for tiles of {2 * tile} pixels: free some, or use another device.")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _in_tiles(network: nn.Module, image: Tensor, scale: int, tile: int, overlap: int) -> Tensor:
    height, width = image.shape[2:]
    total, weights = None, torch.zeros(1, 1, height * scale, width * scale, device=image.device)
    for top, bottom in _pieces(height, tile):
        for left, right in _pieces(width, tile):
            up, down = max(0, top - overlap), min(height, bottom + overlap)
            west, east = max(0, left - overlap), min(width, right + overlap)
            made = network(image[:, :, up:down, west:east]).float()
            rows = _fade(up, down, top, bottom, height, overlap).repeat_interleave(scale)
            columns = _fade(west, east, left, right, width, overlap).repeat_interleave(scale)
            weight = (rows[:, None] * columns[None, :]).to(made.device)
            if total is None:
                total = torch.zeros(1, made.shape[1], height * scale, width * scale, device=made.device)
            place = (slice(None), slice(None), slice(up * scale, down * scale), slice(west * scale, east * scale))
            total[place] += made * weight
            weights[place] += weight
    assert total is not None
    return total / weights


def _pieces(length: int, tile: int) -> list[tuple[int, int]]:
    """The length cut into equal pieces of at most `tile`."""
    count = -(-length // tile)
    edges = [round(i * length / count) for i in range(count + 1)]
    return list(zip(edges, edges[1:], strict=False))


def _fade(begin: int, end: int, first: int, last: int, length: int, overlap: int) -> Tensor:
    """Weights of the rows from begin to end of a tile that owns first to last: 1 inside, falling to 0 over half the overlap."""
    rows, reach = torch.arange(begin, end) + 0.5, max(1, overlap // 2)
    before = (rows - first + reach) / (2 * reach) if begin > 0 else torch.ones(len(rows))
    after = (last + reach - rows) / (2 * reach) if end < length else torch.ones(len(rows))
    return torch.minimum(before, after).clamp(0, 1)
