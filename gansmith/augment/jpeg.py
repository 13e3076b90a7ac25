"""JPEG's losses on tensors: quantised 8 x 8 cosine transforms of brightness and halved colours (ITU-T T.81, tables K.1 and K.2)."""

from math import pi

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

# fmt: off
_BRIGHTNESS = torch.tensor([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99]).view(8, 8).float()
_COLOUR = torch.tensor([
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    *[99] * 32]).view(8, 8).float()
# fmt: on
_TO_YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def jpeg(x: Float[Tensor, "n channels height width"], quality: Float[Tensor, " n"]) -> Float[Tensor, "n channels height width"]:
    """Images from 0 to 1 (gray or RGB) as after saving at these qualities (1 to 95) and loading again."""
    height, width = x.shape[2:]
    scale = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality) / 100
    x = pad(x * 255, (0, -width % 16, 0, -height % 16), mode="replicate")
    if x.shape[1] == 1:
        return (_quantised(x - 128, _BRIGHTNESS, scale) + 128)[..., :height, :width].clamp(0, 255) / 255
    ycc = torch.einsum("oc,nchw->nohw", _TO_YCC.to(x.device), x)
    brightness = _quantised(ycc[:, :1] - 128, _BRIGHTNESS, scale) + 128
    colour = interpolate(_quantised(avg_pool2d(ycc[:, 1:], 2), _COLOUR, scale), scale_factor=2, mode="nearest")
    rgb = torch.einsum("oc,nchw->nohw", torch.linalg.inv(_TO_YCC).to(x.device), torch.cat([brightness, colour], 1))
    return rgb[..., :height, :width].clamp(0, 255) / 255


def _quantised(x: Tensor, table: Tensor, scale: Tensor) -> Tensor:
    n, channels, height, width = x.shape
    steps = (table.to(x.device)[None] * scale.view(-1, 1, 1) + 0.5).floor().clamp(1, 255).view(n, 1, 1, 1, 8, 8)
    place = torch.arange(8, device=x.device)
    basis = torch.cos((2 * place[None, :] + 1) * place[:, None] * pi / 16) / 2
    basis[0] /= 2**0.5
    blocks = x.view(n, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    waves = ((basis @ blocks @ basis.T) / steps).round() * steps
    return (basis.T @ waves @ basis).transpose(3, 4).reshape(n, channels, height, width)
