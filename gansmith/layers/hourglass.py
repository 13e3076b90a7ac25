"""An hourglass (Newell et al. 2016): an image down to features of a low resolution and up again, each joined to those of its size."""

from jaxtyping import Float
from torch import Tensor, cat, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.padding import padded


class Hourglass(nn.Module):
    """Images of any size to `width` features of each pixel; what is no multiple of 2^levels is padded and cropped back."""

    def __init__(self, channels: int, *, width: int, widest: int, levels: int) -> None:
        super().__init__()
        self.multiple = 2**levels
        widths = [min(widest, width * 2**level) for level in range(levels + 1)]
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in zip([channels, *widths], widths, strict=False)
        )
        self.down_norms = nn.ModuleList(map(BatchNorm, widths))
        self.up = nn.ModuleList(
            nn.Conv2d(widths[level + 1] + widths[level], widths[level], 3, padding=1, bias=False)
            for level in reversed(range(levels))
        )
        self.up_norms = nn.ModuleList(BatchNorm(widths[level]) for level in reversed(range(levels)))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch features height width"]:
        height, width = x.shape[2:]
        x, skips = padded(x, self.multiple), list[Tensor]()
        for level, (convolution, norm) in enumerate(zip(self.down, self.down_norms, strict=True)):
            x = relu(norm(convolution(avg_pool2d(x, 2) if level else x)))
            skips.append(x)
        skips.pop()
        for convolution, norm in zip(self.up, self.up_norms, strict=True):
            x = relu(norm(convolution(cat([interpolate(x, scale_factor=2.0), skips.pop()], 1))))
        return x[:, :, :height, :width]
