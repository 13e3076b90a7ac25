"""What photographs suffer on their way through cameras and the web (Wang et al. 2021, Real-ESRGAN, section 3).

Twice blur, resize, noise and JPEG, with a last ringing filter, at random. Numbers are the paper's; blur kernels have 13 pixels instead
of up to 21, so that small crops can be degraded.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from gansmith.augment.jpeg import jpeg
from gansmith.augment.kernels import blurred, gaussian_kernel, random_kernels
from gansmith.training.seeds import normal_rows, uniform_rows

SIDE = 13
MODES = ("area", "bilinear", "bicubic")


@torch.no_grad()
def second_order(b: Float[Tensor, "n channels height width"], scale: int) -> Float[Tensor, "n channels rows columns"]:
    """Images from -1 to 1, degraded and `scale` times smaller, rounded to 8 bits."""
    with torch.autocast(b.device.type, enabled=False):
        x = (b.float() + 1) / 2
        height, width = x.shape[2:]
        x = blurred(x, random_kernels(len(x), side=SIDE, sigma=(0.2, 3.0), sinc=0.1, device=x.device))
        x = _resized(x, height, width, (0.2, 0.7), (0.15, 1.5))
        x = _noisy(x, (1, 30), (0.05, 3.0))
        x = jpeg(x, _between(x, 30, 95))
        if torch.rand(()) < 0.8:
            x = blurred(x, random_kernels(len(x), side=SIDE, sigma=(0.2, 1.5), sinc=0.1, device=x.device))
        x = _resized(x, height // scale, width // scale, (0.3, 0.4), (0.3, 1.2))
        x = _noisy(x, (1, 25), (0.05, 2.5))
        sinc = 1.0 if torch.rand(()) < 0.8 else 0.0
        last = random_kernels(len(x), side=SIDE, sigma=(0.1, 0.1), sinc=sinc, device=x.device)
        if torch.rand(()) < 0.5:
            x = jpeg(blurred(_to(x, height // scale, width // scale), last).clamp(0, 1), _between(x, 30, 95))
        else:
            x = blurred(_to(jpeg(x, _between(x, 30, 95)), height // scale, width // scale), last)
        return (x.clamp(0, 1) * 255).round() / 127.5 - 1


def sharpened(b: Float[Tensor, "n channels height width"]) -> Float[Tensor, "n channels height width"]:
    """Unsharp masking of images from -1 to 1 (weight 0.5, threshold 10 of 255, soft), the target of the distances in the paper."""
    with torch.autocast(b.device.type, enabled=False):
        x = (b.float() + 1) / 2
        soft = gaussian_kernel(2 * SIDE - 1, 0.3 * (SIDE - 1) + 0.8).to(x.device).expand(len(x), -1, -1)
        detail = x - blurred(x, soft)
        mask = blurred((detail.abs() * 255 > 10).float(), soft)
        return (mask * (x + 0.5 * detail).clamp(0, 1) + (1 - mask) * x) * 2 - 1


def _between(x: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * uniform_rows(len(x), device=x.device)


def _resized(x: Tensor, height: int, width: int, shares: tuple[float, float], factors: tuple[float, float]) -> Tensor:
    """Larger or smaller than (height, width) by a random factor: larger with the first share, smaller with the second, else as it is."""
    kind, place = torch.rand(2).tolist()
    if kind < shares[0]:
        factor = 1 + (factors[1] - 1) * place
    elif kind < sum(shares):
        factor = factors[0] + (1 - factors[0]) * place
    else:
        factor = 1.0
    return _to(x, max(1, round(height * factor)), max(1, round(width * factor)))


def _to(x: Tensor, height: int, width: int) -> Tensor:
    """The image at this size, by a random way of resampling."""
    mode = MODES[int(torch.randint(len(MODES), ()))]
    corners = None if mode == "area" else False
    return interpolate(x, (height, width), mode=mode, align_corners=corners).clamp(0, 1)


def _noisy(x: Tensor, deviation: tuple[float, float], light: tuple[float, float]) -> Tensor:
    """Gaussian noise (of 255) or that of little light, gray in two of five images."""
    channels = x.shape[1]
    gray = (uniform_rows(len(x), device=x.device) < 0.4).view(-1, 1, 1, 1)
    noise = normal_rows(*x.shape, device=x.device)
    noise = torch.where(gray, noise[:, :1].expand(-1, channels, -1, -1), noise)
    if torch.rand(()) < 0.5:
        return (x + noise * _between(x, *deviation).view(-1, 1, 1, 1) / 255).clamp(0, 1)
    brightness = torch.where(gray, x.mean(1, keepdim=True).expand_as(x), x)
    return (x + noise * (brightness / 255).sqrt() * _between(x, *light).view(-1, 1, 1, 1)).clamp(0, 1)
