"""The residual generator of CycleGAN (Johnson et al. 2016; Zhu et al. 2017, appendix 7.2): an image to an image."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import instance_norm, relu

from gansmith.layers.bounded import bounded
from gansmith.layers.initial import normal_weights
from gansmith.layers.padding import padded


class TranslatorBlock(nn.Module):
    """Two convolutions with instance norm around a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect")
        self.second = nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        y = relu(instance_norm(self.first(x)))
        return x + instance_norm(self.second(y))


class ResNetTranslator(nn.Module):
    """Two halvings, residual blocks at a quarter of the size, two doublings; instance norm throughout.

    With width 64, 9 blocks have 11.378 million parameters and 6 blocks 7.838. Any size goes in and comes out (padded to a multiple of 4
    and cropped back). Instance norm looks at the whole image, so a part translated alone differs from the part of the whole.
    """

    def __init__(self, given: int, made: int, *, width: int, blocks: int) -> None:
        super().__init__()
        self.multiple = 8  # at a quarter of the size, two pixels at least, which is what reflection needs
        self.first = nn.Conv2d(given, width, 7, padding=3, padding_mode="reflect")
        self.shrink = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.shrink_again = nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(TranslatorBlock(4 * width) for _ in range(blocks))
        self.grow = nn.ConvTranspose2d(4 * width, 2 * width, 3, stride=2, padding=1, output_padding=1)
        self.grow_again = nn.ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1)
        self.last = nn.Conv2d(width, made, 7, padding=3, padding_mode="reflect")
        normal_weights(self)

    def forward(self, x: Float[Tensor, "batch given height width"]) -> Float[Tensor, "batch made height width"]:
        height, width = x.shape[2:]
        x = padded(x, self.multiple)
        x = relu(instance_norm(self.first(x)))
        x = relu(instance_norm(self.shrink(x)))
        x = relu(instance_norm(self.shrink_again(x)))
        for block in self.blocks:
            x = block(x)
        x = relu(instance_norm(self.grow(x)))
        x = relu(instance_norm(self.grow_again(x)))
        return bounded(self.last(x)[..., :height, :width])

    def encoded(self, x: Float[Tensor, "batch given height width"]) -> list[Tensor]:
        """What the network sees on its way: the image, both halvings, the first and the middle block (Park et al. 2020, appendix C)."""
        x = padded(x, self.multiple)
        found = [x]
        x = relu(instance_norm(self.first(x)))
        x = relu(instance_norm(self.shrink(x)))
        found.append(x)
        x = relu(instance_norm(self.shrink_again(x)))
        found.append(x)
        for index, block in enumerate(list(self.blocks)[: len(self.blocks) // 2 + 1]):
            x = block(x)
            if index in (0, len(self.blocks) // 2):
                found.append(x)
        return found
