"""The coarse-to-fine generator of pix2pixHD (Wang et al. 2018, section 3.1): a global network at half the size, an enhancer around it."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, instance_norm, relu

from gansmith.layers.bounded import bounded
from gansmith.layers.initial import normal_weights
from gansmith.layers.padding import padded
from gansmith.layers.resnet_translator import TranslatorBlock


class GlobalGenerator(nn.Module):
    """Halvings, residual blocks, doublings; answers with the features [B, width, H, W] before its last convolution."""

    def __init__(self, given: int, made: int, *, width: int, halvings: int, blocks: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(halvings + 1)]
        self.first = nn.Conv2d(given, width, 7, padding=3, padding_mode="reflect")
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in zip(widths, widths[1:], strict=False))
        self.blocks = nn.ModuleList(TranslatorBlock(widths[-1]) for _ in range(blocks))
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(b, a, 3, stride=2, padding=1, output_padding=1)
            for a, b in reversed(list(zip(widths, widths[1:], strict=False)))
        )
        self.last = nn.Conv2d(width, made, 7, padding=3, padding_mode="reflect")

    def forward(self, x: Float[Tensor, "batch given height width"]) -> Float[Tensor, "batch features height width"]:
        x = relu(instance_norm(self.first(x)))
        for convolution in self.shrink:
            x = relu(instance_norm(convolution(x)))
        for block in self.blocks:
            x = block(x)
        for convolution in self.grow:
            x = relu(instance_norm(convolution(x)))
        return x


class CoarseToFine(nn.Module):
    """The global generator sees half the size; the enhancer adds its features to its own at half the size and refines them.

    Any size goes in and comes out: what is no multiple of `multiple` is padded by its mirror image and cropped back.
    """

    def __init__(self, given: int, made: int, *, width: int, halvings: int, blocks: int, enhancer_blocks: int) -> None:
        """`width` is that of the global network's first layer; the enhancer's has half of it."""
        super().__init__()
        self.multiple = 2 ** (halvings + 2)
        self.whole = GlobalGenerator(given, made, width=width, halvings=halvings, blocks=blocks)
        self.first = nn.Conv2d(given, width // 2, 7, padding=3, padding_mode="reflect")
        self.shrink = nn.Conv2d(width // 2, width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(TranslatorBlock(width) for _ in range(enhancer_blocks))
        self.grow = nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1)
        self.last = nn.Conv2d(width // 2, made, 7, padding=3, padding_mode="reflect")
        normal_weights(self)

    def forward(self, x: Float[Tensor, "batch given height width"]) -> Float[Tensor, "batch made height width"]:
        height, width = x.shape[2:]
        x = padded(x, self.multiple)
        whole = self.whole(halved(x))
        x = relu(instance_norm(self.first(x)))
        x = relu(instance_norm(self.shrink(x))) + whole
        for block in self.blocks:
            x = block(x)
        x = relu(instance_norm(self.grow(x)))
        return bounded(self.last(x)[..., :height, :width])

    def coarse(self, x: Float[Tensor, "batch given height width"]) -> Float[Tensor, "batch made height width"]:
        """What the global network makes alone, of an image of half the size."""
        height, width = x.shape[2:]
        x = self.whole(padded(x, self.multiple // 2))
        return bounded(self.whole.last(x)[..., :height, :width])


def halved(x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels h w"]:
    """Half the size, each pixel the mean of what lies around it."""
    return avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
