"""From keypoints to where every pixel of a picture goes, and the picture moved so (Siarohin et al. 2019, "First order motion model")."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.hourglass import Hourglass
from gansmith.layers.keypoints import Keypoints, inverse, places_of, product
from gansmith.layers.sampled import sampled


class DenseMotion(nn.Module):
    """A picture and its keypoints here and there to a flow and to what of the picture can be seen (section 3.2, equations 4 to 8)."""

    def __init__(self, channels: int, *, points: int, width: int, widest: int, levels: int, shrink: int) -> None:
        super().__init__()
        self.shrink = shrink
        self.hourglass = Hourglass((points + 1) * (channels + 1), width=width, widest=widest, levels=levels)
        self.masks = nn.Conv2d(width, points + 1, 3, padding=1)
        self.seen = nn.Conv2d(width, 1, 3, padding=1)

    def forward(
        self, picture: Float[Tensor, "batch channels height width"], start: Keypoints, end: Keypoints
    ) -> tuple[Float[Tensor, "batch h w 2"], Float[Tensor, "batch 1 h w"]]:
        """(places in the picture from which pixels are taken, how much of what lies there can be seen, 0 to 1)."""
        small = avg_pool2d(picture, self.shrink) if self.shrink > 1 else picture
        count, (height, width) = picture.shape[0], small.shape[2:]
        with torch.autocast(picture.device.type, enabled=False):
            here = places_of(height, width, start.places)
            changes = product(start.changes, inverse(end.changes))[:, :, None, None]
            away = here - end.places[:, :, None, None]
            moved = (changes * away[..., None, :]).sum(-1) + start.places[:, :, None, None]
            sparse = torch.cat([here.expand(count, 1, height, width, 2), moved], 1)  # the first one stands still
            heat = end.heat(height, width) - start.heat(height, width)
            heat = torch.cat([torch.zeros_like(heat[:, :1]), heat], 1)
            points = sparse.shape[1]
            copies = small.float()[:, None].expand(-1, points, -1, -1, -1).flatten(0, 1)
            looks = sampled(copies, sparse.flatten(0, 1)).unflatten(0, (count, points))
        x = self.hourglass(torch.cat([looks, heat[:, :, None]], 2).flatten(1, 2))
        masks, seen = self.masks(x).float().softmax(1), self.seen(x).float().sigmoid()
        return (masks[..., None] * sparse).sum(1), seen


class Moved(nn.Module):
    """A picture's features moved along a flow, painted where nothing can be seen, and the picture's own pixels where all can."""

    def __init__(self, channels: int, *, width: int, widest: int, halvings: int, blocks: int) -> None:
        super().__init__()
        widths = [min(widest, width * 2**level) for level in range(halvings + 1)]
        self.multiple = 2**halvings
        self.first = nn.Conv2d(channels, width, 5, padding=2, bias=False)
        self.first_norm = BatchNorm(width)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in zip(widths, widths[1:], strict=False))
        self.down_norms = nn.ModuleList(map(BatchNorm, widths[1:]))
        self.blocks = nn.ModuleList(Block(widths[-1]) for _ in range(blocks))
        backwards = list(reversed(widths))
        self.up = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in zip(backwards, backwards[1:], strict=False))
        self.up_norms = nn.ModuleList(map(BatchNorm, backwards[1:]))
        self.last = nn.Conv2d(width, channels + 1, 5, padding=2)

    def forward(
        self,
        picture: Float[Tensor, "batch channels height width"],
        flow: Float[Tensor, "batch h w 2"],
        seen: Float[Tensor, "batch 1 h w"],
    ) -> Float[Tensor, "batch channels height width"]:
        x = relu(self.first_norm(self.first(picture)))
        for convolution, norm in zip(self.down, self.down_norms, strict=True):
            x = avg_pool2d(relu(norm(convolution(x))), 2)
        x = along(x, flow) * fitted(seen, x)
        for block in self.blocks:
            x = block(x)
        for convolution, norm in zip(self.up, self.up_norms, strict=True):
            x = relu(norm(convolution(interpolate(x, scale_factor=2.0))))
        painted, kept = self.last(x).float().split([picture.shape[1], 1], 1)
        kept = kept.sigmoid() * fitted(seen, picture).float()
        return torch.lerp(bounded(painted), along(picture, flow), kept.expand_as(painted))


class Block(nn.Module):
    """Two convolutions that are added to what they see."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([BatchNorm(width), BatchNorm(width)])
        self.layers = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Float[Tensor, "batch width height columns"]) -> Float[Tensor, "batch width height columns"]:
        inner = x
        for norm, layer in zip(self.norms, self.layers, strict=True):
            inner = layer(relu(norm(inner)))
        return x + inner


def along(x: Float[Tensor, "batch c h w"], flow: Float[Tensor, "batch rows columns 2"]) -> Float[Tensor, "batch c h w"]:
    """Features or pixels taken from the places that a flow of any size names; zero beyond the edge becomes the edge."""
    if flow.shape[1:3] != x.shape[2:]:
        flow = interpolate(flow.movedim(3, 1), x.shape[2:], mode="bilinear", align_corners=False).movedim(1, 3)
    return sampled(x, flow, "border")


def fitted(plane: Float[Tensor, "batch 1 h w"], x: Tensor) -> Float[Tensor, "batch 1 rows columns"]:
    """A plane in the size of x."""
    return plane if plane.shape[2:] == x.shape[2:] else interpolate(plane, x.shape[2:], mode="bilinear", align_corners=False)
