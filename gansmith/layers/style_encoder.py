"""From an image to the few numbers that say how it looks: the encoder of BicycleGAN (Zhu et al. 2017b, section 4)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

from gansmith.layers.residual import DownBlock


class StyleEncoder(nn.Module):
    """Residual blocks that halve the size, the mean over all places, and linear maps to `made` numbers each for `heads` heads."""

    def __init__(self, channels: int, made: int, *, width: int, halvings: int, heads: int = 1) -> None:
        super().__init__()
        widths = [width * min(4, 2**level) for level in range(halvings)]
        self.opening = DownBlock(channels, widths[0], halves=True, first=True)
        self.halving = nn.ModuleList(DownBlock(a, b, halves=True) for a, b in zip(widths, widths[1:], strict=False))
        self.heads = nn.ModuleList(nn.Linear(widths[-1], made) for _ in range(heads))

    def forward(self, image: Float[Tensor, "batch channels height width"]) -> tuple[Float[Tensor, "batch made"], ...]:
        x = self.opening(image)
        for block in self.halving:
            x = block(x)
        features = relu(x).float().mean((2, 3))
        return tuple(head(features) for head in self.heads)
