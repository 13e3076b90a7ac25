"""The U-Net of pix2pix (Isola et al. 2017, appendix 6.1.1): an image to an image, with skips between equal sizes."""

from jaxtyping import Float
from torch import Tensor, cat, nn
from torch.nn.functional import dropout, leaky_relu, relu

from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.bounded import bounded
from gansmith.layers.initial import normal_weights
from gansmith.layers.padding import padded


class UNet(nn.Module):
    """Convolutions of stride 2 down to a bottleneck and transposed ones up again, each joined to the layer of its size.

    With batch norm, width 64 and 8 halvings it is the paper's for 256 pixels (54.414 million parameters), with 7 that for 128 (41.829).
    Any size goes in and comes out: what is no multiple of 2^halvings is padded by its mirror image and cropped back.
    """

    def __init__(self, given: int, made: int, *, width: int, halvings: int, dropout: bool, style: int = 0) -> None:
        """From `given` to `made` channels; with `dropout`, half the features of the inner layers of full width are dropped. A style of
        so many numbers joins the input of every layer down, in which case instance norm takes the place of batch norm."""
        super().__init__()
        self.multiple = 2**halvings
        """What sides are padded to."""
        widths = [width * min(8, 2**level) for level in range(halvings)]
        self.dropped = [dropout and 0 < index <= halvings - 5 for index in range(halvings)]
        self.down = nn.ModuleList(
            nn.Conv2d(narrow + style, wide, 4, stride=2, padding=1, bias=False)
            for narrow, wide in zip([given, *widths], widths, strict=False)
        )
        norm = nn.InstanceNorm2d if style else BatchNorm
        self.down_norms = nn.ModuleList(
            norm(wide) if 0 < level < halvings - 1 else nn.Identity() for level, wide in enumerate(widths)
        )
        self.up = nn.ModuleList()
        self.up_norms = nn.ModuleList()
        for level in reversed(range(halvings)):
            wide = widths[level] if level == halvings - 1 else 2 * widths[level]
            narrow = widths[level - 1] if level else made
            self.up.append(nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1, bias=level == 0))
            self.up_norms.append(norm(narrow) if level else nn.Identity())
        normal_weights(self)

    def forward(
        self, x: Float[Tensor, "batch given height width"], style: Float[Tensor, "batch style"] | None = None
    ) -> Float[Tensor, "batch made height width"]:
        height, width = x.shape[2:]
        x = padded(x, self.multiple)
        skips: list[Tensor] = []
        for level, (convolution, norm) in enumerate(zip(self.down, self.down_norms, strict=True)):
            x = leaky_relu(x, 0.2) if level else x
            if style is not None:
                x = cat([x, style[:, :, None, None].expand(-1, -1, *x.shape[2:]).to(x.dtype)], dim=1)
            x = norm(convolution(x))
            skips.append(x)
        x = skips.pop()
        for index, (convolution, norm) in enumerate(zip(self.up, self.up_norms, strict=True)):
            x = norm(convolution(relu(x)))
            if self.dropped[index]:
                x = dropout(x, 0.5, self.training)
            if skips:
                x = cat([x, skips.pop()], dim=1)
        return bounded(x[..., :height, :width])
