"""A critic that judges every pixel: a small U-Net with spectral norm (Wang et al. 2021, Real-ESRGAN, section 3.3)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

from gansmith.layers.padding import padded


class UNetCritic(nn.Module):
    """Three halvings and back, skips added; ten convolutions, the first and the last without spectral norm. Any size."""

    def __init__(self, channels: int, *, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.down1 = spectral_norm(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False))
        self.down2 = spectral_norm(nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1, bias=False))
        self.down3 = spectral_norm(nn.Conv2d(4 * width, 8 * width, 4, stride=2, padding=1, bias=False))
        self.up1 = spectral_norm(nn.Conv2d(8 * width, 4 * width, 3, padding=1, bias=False))
        self.up2 = spectral_norm(nn.Conv2d(4 * width, 2 * width, 3, padding=1, bias=False))
        self.up3 = spectral_norm(nn.Conv2d(2 * width, width, 3, padding=1, bias=False))
        self.inner = spectral_norm(nn.Conv2d(width, width, 3, padding=1, bias=False))
        self.inner_again = spectral_norm(nn.Conv2d(width, width, 3, padding=1, bias=False))
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch 1 height width"]:
        height, width = x.shape[2:]
        x0 = leaky_relu(self.first(padded(x, 8)), 0.2)
        x1 = leaky_relu(self.down1(x0), 0.2)
        x2 = leaky_relu(self.down2(x1), 0.2)
        x3 = leaky_relu(self.down3(x2), 0.2)
        y = leaky_relu(self.up1(_double(x3)), 0.2) + x2
        y = leaky_relu(self.up2(_double(y)), 0.2) + x1
        y = leaky_relu(self.up3(_double(y)), 0.2) + x0
        y = leaky_relu(self.inner(y), 0.2)
        y = leaky_relu(self.inner_again(y), 0.2)
        return self.last(y)[..., :height, :width]


def _double(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
