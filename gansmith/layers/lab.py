"""CIE Lab of sRGB images (IEC 61966-2-1, white D65): lightness apart from colour, so that a network may make the colour alone."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, cat, nn
from torch.nn.functional import conv2d

WHITE = np.array([0.950456, 1.0, 1.088754])
TO_XYZ = np.array([(0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227)])
TO_WHITE = TO_XYZ / WHITE[:, None]
FROM_WHITE = np.linalg.inv(TO_WHITE)
WIDEST = 110.0
"""The greatest |a| and |b| of colours of sRGB, nearly; what 1 stands for."""
EDGE = 6 / 29


def lab_of(image: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 3 height width"]:
    """RGB from -1 to 1 to lightness from -1 to 1, and a and b, of which 1 is 110."""
    rgb = (image.float().clamp(-1, 1) + 1) / 2
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055).clamp_min(1e-4) ** 2.4, rgb / 12.92)
    xyz = _mixed(linear, TO_WHITE)
    f = torch.where(xyz > EDGE**3, xyz.clamp_min(1e-6) ** (1 / 3), xyz / (3 * EDGE**2) + 4 / 29)
    x, y, z = f.split(1, 1)
    return cat([(116 * y - 16) / 50 - 1, 500 * (x - y) / WIDEST, 200 * (y - z) / WIDEST], 1)


def lightness_of(gray: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 1 height width"]:
    """The lightness of gray images, both from -1 to 1."""
    return lab_of(gray.expand(-1, 3, -1, -1))[:, :1]


def rgb_of(lab: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 3 height width"]:
    """What `lab_of` was made of; colours that sRGB does not have are cut to its range."""
    lightness, a, b = lab.float().split(1, 1)
    y = ((lightness + 1) * 50 + 16) / 116
    f = cat([y + a * WIDEST / 500, y, y - b * WIDEST / 200], 1)
    xyz = torch.where(f > EDGE, f**3, 3 * EDGE**2 * (f - 4 / 29))
    linear = _mixed(xyz, FROM_WHITE).clamp(0, 1)
    rgb = torch.where(linear > 0.0031308, 1.055 * linear.clamp_min(1e-4) ** (1 / 2.4) - 0.055, 12.92 * linear)
    return rgb * 2 - 1


def _mixed(planes: Tensor, weights: np.ndarray) -> Tensor:
    return conv2d(planes, torch.from_numpy(weights).to(planes)[:, :, None, None])


class Coloured(nn.Module):
    """A network from lightness to a and b, as one from gray images from -1 to 1 to RGB: the lightness stays as it is."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.multiple = getattr(network, "multiple", 1)

    def forward(self, gray: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 3 height width"]:
        lightness = lightness_of(gray)
        made = self.network(lightness.to(gray.dtype))
        return rgb_of(cat([lightness, made.float()], 1))
