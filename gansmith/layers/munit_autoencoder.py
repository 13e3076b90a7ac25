"""Content and style of an image, taken apart and put together (Huang et al. 2018, MUNIT, appendix B.1)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import group_norm, instance_norm, interpolate, relu

from gansmith.layers.bounded import bounded
from gansmith.layers.padding import padded
from gansmith.layers.resnet_translator import TranslatorBlock


class StyledBlock(nn.Module):
    """Two convolutions with adaptive instance norm around a skip: the style decides each channel's scale and shift."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect")
        self.second = nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Float[Tensor, "batch width h w"], style: Float[Tensor, "batch 4 width"]) -> Tensor:
        y = relu(adapted(self.first(x), style[:, 0], style[:, 1]))
        return x + adapted(self.second(y), style[:, 2], style[:, 3])


def adapted(
    x: Float[Tensor, "batch channels h w"], scale: Float[Tensor, "batch channels"], shift: Float[Tensor, "batch channels"]
) -> Float[Tensor, "batch channels h w"]:
    """Adaptive instance norm (Huang & Belongie 2017, equation 8): the channel's own deviation and mean are replaced by scale + 1 and
    shift, so that a style of zeros leaves instance norm."""
    return (instance_norm(x) * (1 + scale[:, :, None, None]) + shift[:, :, None, None]).to(x.dtype)


class MunitAutoencoder(nn.Module):
    """`content` and `style` of an image of one domain, and `decoded`: the image of this domain that has both. Any size."""

    def __init__(self, channels: int, *, width: int, blocks: int, style: int, mapping: int) -> None:
        """The content has 4 * width channels at a quarter of the size; `mapping` is the width of the network that reads a style."""
        super().__init__()
        self.multiple = 8
        self.content_first = nn.Conv2d(channels, width, 7, padding=3, padding_mode="reflect")
        self.content_shrink = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)
        self.content_shrink_again = nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1)
        self.content_blocks = nn.ModuleList(TranslatorBlock(4 * width) for _ in range(blocks))
        self.style_first = nn.Conv2d(channels, width, 7, padding=3, padding_mode="reflect")
        widths = [width, 2 * width, 4 * width, 4 * width, 4 * width]
        self.style_shrink = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in zip(widths, widths[1:], strict=False)
        )
        self.style_last = nn.Linear(4 * width, style)
        self.mapping = nn.Sequential(
            nn.Linear(style, mapping), nn.ReLU(), nn.Linear(mapping, mapping), nn.ReLU(), nn.Linear(mapping, blocks * 16 * width)
        )
        self.styled = nn.ModuleList(StyledBlock(4 * width) for _ in range(blocks))
        self.grow = nn.Conv2d(4 * width, 2 * width, 5, padding=2, padding_mode="reflect")
        self.grow_again = nn.Conv2d(2 * width, width, 5, padding=2, padding_mode="reflect")
        self.last = nn.Conv2d(width, channels, 7, padding=3, padding_mode="reflect")
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def content(self, image: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch content rows columns"]:
        x = padded(image, self.multiple)
        x = relu(instance_norm(self.content_first(x)))
        x = relu(instance_norm(self.content_shrink(x)))
        x = relu(instance_norm(self.content_shrink_again(x)))
        for block in self.content_blocks:
            x = block(x)
        return x

    def style(self, image: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch style"]:
        """Without any norm, which would take the style away."""
        x = relu(self.style_first(padded(image, 16)))
        for convolution in self.style_shrink:
            x = relu(convolution(x))
        return self.style_last(x.float().mean((2, 3)))

    def decoded(
        self, content: Float[Tensor, "batch content rows columns"], style: Float[Tensor, "batch style"]
    ) -> Float[Tensor, "batch channels height width"]:
        styles = self.mapping(style).unflatten(1, (len(self.styled), 4, -1))
        x = content
        for index, block in enumerate(self.styled):
            x = block(x, styles[:, index])
        x = relu(group_norm(self.grow(interpolate(x, scale_factor=2, mode="nearest")), 1))  # layer norm over the whole image
        x = relu(group_norm(self.grow_again(interpolate(x, scale_factor=2, mode="nearest")), 1))
        return bounded(self.last(x))
