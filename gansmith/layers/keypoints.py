"""Keypoints learned without labels, with the affine change of what lies around each (Siarohin et al. 2019, "First order motion model").

Places are (x, y) from -1 to 1, the middles of the outermost pixels lying half a pixel inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, grid_sample

from gansmith.layers.hourglass import Hourglass
from gansmith.training.seeds import normal_rows

TEMPERATURE = 0.1
"""Of the softmax over places (section 3.1 and appendix A)."""
SPREAD = 0.01
"""The variance of the Gaussian that stands for a keypoint in heat maps."""
LEAST = 1e-2
"""The smallest determinant, in absolute value, by which a matrix is inverted."""
AFFINE, SPLINE, CONTROLS = 0.05, 0.005, 5
"""Deviations of random affine changes and of the weights of random thin-plate splines, and control points of those along each side."""


def places_of(height: int, width: int, like: Tensor) -> Float[Tensor, "height width 2"]:
    """The place of every pixel."""
    y = torch.linspace(-1 + 1 / height, 1 - 1 / height, height, device=like.device)
    x = torch.linspace(-1 + 1 / width, 1 - 1 / width, width, device=like.device)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)


def inverse(matrix: Float[Tensor, "*rows 2 2"]) -> Float[Tensor, "*rows 2 2"]:
    """Of matrices of 2 x 2; one that has none is inverted as if its determinant were LEAST."""
    a, b, c, d = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 0], matrix[..., 1, 1]
    determinant = a * d - b * c
    sign = torch.where(determinant < 0, -1.0, 1.0)
    determinant = sign * determinant.abs().clamp_min(LEAST)
    return torch.stack([torch.stack([d, -b], -1), torch.stack([-c, a], -1)], -2) / determinant[..., None, None]


def product(a: Float[Tensor, "*rows 2 2"], b: Float[Tensor, "*rows 2 2"]) -> Float[Tensor, "*rows 2 2"]:
    """Of matrices of 2 x 2, as sums, which automatic mixed precision leaves in float32."""
    return (a[..., :, :, None] * b[..., None, :, :]).sum(-2)


@dataclass(frozen=True)
class Keypoints:
    """Of a batch of images."""

    places: Float[Tensor, "batch points 2"]
    changes: Float[Tensor, "batch points 2 2"]
    """The affine change from the reference, which is never seen, to what lies around each keypoint."""

    def of(self, rows: slice) -> Keypoints:
        """Those of some images."""
        return Keypoints(self.places[rows], self.changes[rows])

    def repeated(self, times: int) -> Keypoints:
        """Those of every image so many times, one behind the other."""
        return Keypoints(self.places.repeat_interleave(times, 0), self.changes.repeat_interleave(times, 0))

    def as_from(self, start: Keypoints, to: Keypoints) -> Keypoints:
        """These keypoints of a picture moved as others moved from `start` to `to` (section 3.3)."""
        return Keypoints(
            self.places + to.places - start.places, product(product(to.changes, inverse(start.changes)), self.changes)
        )

    def heat(self, height: int, width: int) -> Float[Tensor, "batch points height width"]:
        """A Gaussian at the place of each keypoint, 1 at most."""
        here = places_of(height, width, self.places)
        return torch.exp(-(here - self.places[:, :, None, None]).square().sum(-1) / (2 * SPREAD))


class KeypointDetector(nn.Module):
    """Images to keypoints: the mean place of each heat map, and the mean of a matrix of each pixel, weighted by the heat map."""

    def __init__(self, channels: int, *, points: int, width: int, widest: int, levels: int, shrink: int) -> None:
        """Images are made `shrink` times smaller first."""
        super().__init__()
        self.shrink = shrink
        self.hourglass = Hourglass(channels, width=width, widest=widest, levels=levels)
        self.heat = nn.Conv2d(width, points, 3, padding=1)
        self.changes = nn.Conv2d(width, 4 * points, 3, padding=1)
        nn.init.zeros_(self.changes.weight)
        assert self.changes.bias is not None
        with torch.no_grad():
            self.changes.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(points))

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Keypoints:
        x = self.hourglass(avg_pool2d(images, self.shrink) if self.shrink > 1 else images)
        logits, changes = self.heat(x).float(), self.changes(x).float().unflatten(1, (-1, 4))
        with torch.autocast(images.device.type, enabled=False):  # bfloat16 is too coarse for places
            heat = (logits.flatten(2) / TEMPERATURE).softmax(2).unflatten(2, logits.shape[2:])
            places = (heat[..., None] * places_of(*heat.shape[2:], heat)).sum((2, 3))
            return Keypoints(places, (heat[:, :, None] * changes).sum((3, 4)).unflatten(2, (2, 2)))


@dataclass(frozen=True)
class Warp:
    """A random smooth change of places: affine, with a thin-plate spline added."""

    matrix: Float[Tensor, "batch 2 2"]
    shift: Float[Tensor, "batch 2"]
    weights: Float[Tensor, "batch controls"]

    @classmethod
    def drawn(cls, count: int, like: Tensor) -> Warp:
        """As in the paper (appendix A)."""
        numbers = normal_rows(count, 6 + CONTROLS**2, device=like.device)
        matrix = torch.eye(2, device=like.device) + AFFINE * numbers[:, :4].unflatten(1, (2, 2))
        return cls(matrix, AFFINE * numbers[:, 4:6], SPLINE * numbers[:, 6:])

    def at(self, places: Float[Tensor, "batch n 2"]) -> Float[Tensor, "batch n 2"]:
        """Where places go."""
        squares = self._from_controls(places)[1]
        bend = (squares * (squares + 1e-6).log() * self.weights[:, None]).sum(2)
        return (self.matrix[:, None] * places[:, :, None]).sum(3) + self.shift[:, None] + bend[..., None]

    def changes(self, places: Float[Tensor, "batch n 2"]) -> Float[Tensor, "batch n 2 2"]:
        """How the surroundings of places change: the derivatives of `at`."""
        away, squares = self._from_controls(places)
        slope = (squares + 1e-6).log() + squares / (squares + 1e-6)
        gradient = (2 * away * (slope * self.weights[:, None])[..., None]).sum(2)  # the same is added to x and to y
        return self.matrix[:, None] + gradient[:, :, None]

    def of(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        """Images whose every pixel is taken from where its place goes."""
        height, width = images.shape[2:]
        here = places_of(height, width, self.matrix).flatten(0, 1).expand(len(images), -1, 2)
        grid = self.at(here).unflatten(1, (height, width))
        return grid_sample(images.float(), grid, padding_mode="reflection", align_corners=False)

    def _from_controls(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, n, controls, 2] from each control point, and the squares of those distances."""
        line = torch.linspace(-1, 1, CONTROLS, device=places.device)
        controls = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).flatten(0, 1)
        away = places[:, :, None] - controls
        return away, away.square().sum(3)
