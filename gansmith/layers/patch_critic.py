"""PatchGAN (Isola et al. 2017, section 3.2.2): a critic that judges every patch of an image by itself."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import instance_norm, leaky_relu

from gansmith.errors import UserError
from gansmith.layers.batch_norm import BatchNorm
from gansmith.layers.initial import normal_weights


class PatchCritic(nn.Module):
    """Convolutions of 4 x 4; each logit sees a patch: 70 pixels with 3 layers, 34 with 2, 16 with 1.

    With width 64, 3 layers and batch norm it is the paper's: 2.769 million parameters for 6 channels, 2.765 for 3.
    """

    def __init__(self, channels: int, *, width: int, layers: int, batch_norm: bool) -> None:
        """`layers` convolutions halve the size; without `batch_norm` they are followed by instance norm."""
        super().__init__()
        widths = [width * min(8, 2**level) for level in range(layers + 1)]
        self.first = nn.Conv2d(channels, width, 4, stride=2, padding=1)
        self.inner = nn.ModuleList(
            nn.Conv2d(narrow, wide, 4, stride=2 if level < layers - 1 else 1, padding=1, bias=not batch_norm)
            for level, (narrow, wide) in enumerate(zip(widths, widths[1:], strict=False))
        )
        self.norms = nn.ModuleList(BatchNorm(wide) if batch_norm else nn.Identity() for wide in widths[1:])
        self.last = nn.Conv2d(widths[-1], 1, 4, padding=1)
        self.batch_norm = batch_norm
        normal_weights(self)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch 1 rows columns"]:
        x = leaky_relu(self.first(x), 0.2)
        for convolution, norm in zip(self.inner, self.norms, strict=True):
            x = convolution(x)
            x = norm(x) if self.batch_norm else instance_norm(x)
            x = leaky_relu(x, 0.2)
        return self.last(x)


def check_patches(layers: int, side: int) -> None:
    """Raises UserError where images of this side are too small for a critic of so many layers, which leaves at least 2 x 2 patches."""
    if side < (smallest := 4 * 2**layers):
        raise UserError(
            f"a critic of {layers} layers needs images of {smallest} pixels, but they have {side}: give a smaller --gan.critic-layers, or "
            "a greater --resolution."
        )
